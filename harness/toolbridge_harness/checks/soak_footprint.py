"""What thousands of calls, users and disconnections leave behind in a proxy that can be seen."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import httpx

from toolbridge_harness.footprint import Footprint, footprint
from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import NotApplicable, require

NEEDS = {Vantage.TOKENS, Vantage.MINT, Vantage.UPSTREAM}
_CONTROL = ("control-token",)
_MIB = 2**20
# Connections that come and go, and files opened once and for all, later than the first look.
_FILES = 20
_THREADS = 8


def _look(target: Target) -> Footprint:
    process = target.deployment.process
    port = httpx.URL(target.origin).port
    seen = footprint(process.pid, port) if process is not None and port else None
    if seen is None:
        raise NotApplicable("the process that serves cannot be seen from here")
    return seen


def _compare(before: Footprint, after: Footprint, memory: int, what: str) -> None:
    grown = (after.memory - before.memory) / _MIB
    require(grown < memory, f"less than {memory} MiB more after {what}", f"{grown:.0f} MiB")
    files = after.files - before.files
    require(files <= _FILES, f"at most {_FILES} more open files after {what}", files)
    threads = after.threads - before.threads
    require(threads <= _THREADS, f"at most {_THREADS} more threads after {what}", threads)


async def _at_once(number: int, each: Callable[[], Awaitable[None]], places: int) -> None:
    """Await `each` so many times, `places` at a time."""
    left = iter(range(number))

    async def work() -> None:
        for _ in left:
            await each()

    await asyncio.gather(*(work() for _ in range(places)))


@check(
    "limits-soak-calls",
    "Five thousand calls leave nothing behind",
    severity=Severity.MEDIUM,
    catalogue="LIM-08",
    source="CWE-401; CWE-772; check catalogue LIM-08",
    remedy="Use one client for the process; keep nothing of a call after its answer.",
    why="A small machine that leaks 10 KB with each call is killed within a day.",
    needs=NEEDS,
    profile=Profile.SOAK,
    alone=True,
    explained_by=_CONTROL,
    broken="the proxy keeps memory, files or threads of every call",
    seconds=480,
)
async def calls_leave_nothing_behind(target: Target, caller: Caller) -> None:
    """Makes a thousand calls to warm up, and four thousand more, one after another."""
    _look(target)

    async def hundred() -> None:
        user = target.caller()
        await user.control()
        for _ in range(99):  # the Go API lets a user do 120 at once
            await user.call("list_notes", {"limit": 1})

    await _at_once(10, hundred, 1)
    before = _look(target)
    await _at_once(40, hundred, 1)
    # 6 KB each: below what a client, a task or a body kept for each call would take.
    _compare(before, _look(target), 24, "four thousand calls")


# The catalogue's number, and its bound for the memory (SES-21).
_SUBJECTS, _SUBJECTS_MIB = 10_000, 50


@check(
    "sessions-soak-users",
    "Ten thousand users, once each, do not fill the memory, and the first is still served",
    severity=Severity.MEDIUM,
    catalogue="SES-21",
    source="CWE-770; OWASP API4:2023",
    remedy="Bound every cache that is keyed by the user, and let the oldest entry go.",
    why="Whatever is kept for each user is kept for ever, until the machine is out of memory.",
    needs=NEEDS,
    profile=Profile.SOAK,
    alone=True,
    explained_by=(*_CONTROL, "limits-soak-calls"),
    broken="what the proxy keeps for each user is never let go",
    seconds=600,
)
async def users_are_not_kept(target: Target, caller: Caller) -> None:
    """Lets a thousand users call once to warm up, and then nine thousand more."""
    await caller.control()

    async def once() -> None:
        await target.caller().control()

    await _at_once(_SUBJECTS // 10, once, 16)
    before = _look(target)
    await _at_once(_SUBJECTS - _SUBJECTS // 10, once, 16)
    after = _look(target)
    await caller.control()
    _compare(before, after, _SUBJECTS_MIB, f"{_SUBJECTS} users")


# Row RES-24: so many, and back to the start within half a minute. Pools keep an idle connection
# for as long, and see that it is over when they are used.
_LEFT, _BACK_SECONDS = 500, 45.0


async def _leave(user: Caller) -> None:
    """Make 25 calls at once and hang up on all of them."""
    calls = [asyncio.create_task(user.call("list_notes", {"limit": 1})) for _ in range(25)]
    await asyncio.wait(calls, timeout=0.2)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)


@check(
    "resilience-soak-disconnects",
    "Five hundred clients that leave in the middle of a call leave nothing behind",
    severity=Severity.MEDIUM,
    catalogue="RES-24",
    source="CWE-772; check catalogue RES-24",
    remedy="Give back connection, task and place of a call when it ends, however it ends.",
    why="Agents are stopped in mid-call all day; each leak brings the limit of files nearer.",
    needs=NEEDS,
    profile=Profile.SOAK,
    alone=True,
    explained_by=(*_CONTROL, "errors-upstream-silent", "limits-soak-calls"),
    broken="clients that leave in the middle of a call use the proxy up",
    seconds=180,
)
async def leavers_leave_nothing_behind(target: Target, caller: Caller) -> None:
    """Makes the Go API hang, and lets 25 clients at a time leave without an answer."""
    users = [caller, *(target.caller() for _ in range(9))]
    for user in users:
        await asyncio.gather(*(user.control() for _ in range(3)))
    before = _look(target)
    for user in users:
        await user.inject(kind="hang", path="/v1/notes.*", times=None)
    for number in range(_LEFT // 25):
        user = users[number % len(users)]
        await _leave(user)
    for user in users:
        await target.mock.clear_faults(user.sub)
    started = time.monotonic()
    while time.monotonic() - started < _BACK_SECONDS:
        if _look(target).files <= before.files + _FILES:
            break
        await asyncio.sleep(1)
        for _ in range(8):
            await caller.call("list_notes", {"limit": 1})
    _compare(before, _look(target), 24, f"{_LEFT} clients that left")
    await caller.control()
