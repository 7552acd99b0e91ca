"""Many calls at once while the Go API is slow: bounded, side by side, and fair."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import require, require_equal
from toolbridge_harness.wire import Reply

NEEDS = {Vantage.TOKENS, Vantage.MINT, Vantage.UPSTREAM}
_CONTROL = ("control-token", "sessions-own", "errors-upstream-silent")
_NOTES = "/v1/notes.*"
# Together just under the 64 connections that the harness keeps, with one left for health_check.
_USERS, _EACH = 6, 10
# With one at a time, a single request arrives within the delay; with a pool of five, five.
_SIDE_BY_SIDE = 5


@contextlib.asynccontextmanager
async def _slow(target: Target, users: list[Caller], seconds: float) -> AsyncIterator[None]:
    for user in users:
        await user.control()
        await user.inject(kind="delay", path=_NOTES, times=None, seconds=seconds)
    try:
        yield
    finally:
        for user in users:
            await target.mock.clear_faults(user.sub)


async def _side_by_side(users: list[Caller], seen: dict[str, int], seconds: float) -> int:
    """Return how many entity requests arrived within `seconds` of the first one."""
    arrivals = [r.received_ms for user in users for r in await user.entity_requests(seen[user.sub])]
    return sum(arrived < min(arrivals) + seconds * 1000 for arrived in arrivals)


@check(
    "resilience-crowd",
    "Calls that wait for a slow Go API wait side by side, not one behind the other",
    severity=Severity.MEDIUM,
    catalogue="RES-23",
    source="OWASP API4:2023; check catalogue RES-23",
    remedy="Hold no lock while waiting for the Go API; bound the queue, and answer busy beyond it.",
    why="One at a time, sixty calls of half a second take half a minute.",
    needs=NEEDS,
    profile=Profile.FULL,
    alone=True,
    explained_by=_CONTROL,
    broken="calls wait for each other while the Go API is slow",
    seconds=60,
)
async def slow_calls_overlap(target: Target, caller: Caller) -> None:
    """Makes sixty calls of six users that take a quarter of a deadline each, and health_check."""
    users = [caller, *(target.caller() for _ in range(_USERS - 1))]
    before = await caller.call("health_check", token=None)
    deadline = target.deployment.upstream_deadline
    delay = deadline / 4
    async with _slow(target, users, delay):
        seen = {user.sub: await user.mark() for user in users}
        one = {"limit": 1}
        calls = [
            asyncio.create_task(u.call("list_notes", one)) for u in users for _ in range(_EACH)
        ]
        await asyncio.sleep(delay / 2)
        health = await caller.call("health_check", token=None)
        replies = await asyncio.gather(*calls)
    # "" is a success; the queue is bounded by time, and what is sent late ends at the deadline.
    codes = {reply.code or "success" for reply in replies}
    require(codes <= {"success", "busy", "upstream_timeout"}, "success, or the code busy", codes)
    slowest, most = max(reply.seconds for reply in replies), deadline * 1.5 + 1
    require(slowest < most, f"each call to end within {most:.1f} s", f"{slowest:.1f} s")
    together = await _side_by_side(users, seen, delay)
    bound = f"at least {_SIDE_BY_SIDE} requests within {delay:g} s"
    require(together >= _SIDE_BY_SIDE, bound, together)
    allowed, took = max(1.0, 10 * before.seconds), f"{health.brief} after {health.seconds:.1f} s"
    require(health.ok and health.seconds < allowed, f"health_check within {allowed:.1f} s", took)


@check(
    "limits-fairness",
    "Fifty slow calls of one user do not slow another user down",
    severity=Severity.MEDIUM,
    catalogue="LIM-09",
    source="OWASP API4:2023; check catalogue LIM-09",
    remedy="Give the pool more places than one user can fill, or each user a share of it.",
    why="One agent in a loop would otherwise stop everybody's work.",
    needs=NEEDS,
    profile=Profile.FULL,
    alone=True,
    explained_by=(*_CONTROL, "resilience-crowd"),
    broken="one user's slow calls keep other users waiting",
    seconds=60,
)
async def slow_users_do_not_starve_others(target: Target, caller: Caller) -> None:
    """Times one user beside fifty calls of another, quick ones and then slow ones."""
    other = target.caller()
    await other.control()
    quick = await _beside(target, caller, other, 0.0)
    delay = target.deployment.upstream_deadline * 0.75
    slow = await _beside(target, caller, other, delay)
    failed = [reply.brief for reply in slow if not reply.ok]
    require_equal([], failed[:1], "failed calls of the other user:")
    # Half of what it waits if it must queue; on a busy machine, a multiple of the control.
    allowed = max(delay / 2, 2 * max(reply.seconds for reply in quick))
    slowest = max(reply.seconds for reply in slow)
    require(slowest < allowed, f"the other user's calls within {allowed:.2f} s", f"{slowest:.2f} s")


async def _beside(target: Target, crowd: Caller, other: Caller, delay: float) -> list[Reply]:
    """Return the answers to `other`, who calls while fifty calls of `crowd` wait."""
    async with _slow(target, [crowd], delay):
        seen = await crowd.mark()
        calls = [asyncio.create_task(crowd.call("list_notes", {"limit": 1})) for _ in range(50)]
        # Once no more of them arrive, all wait, and only the queue can keep others waiting.
        arrived = -1
        while delay and arrived != (now := len(await crowd.upstream(seen))):
            arrived = now
            await asyncio.sleep(delay / 10)
        replies = [await other.call("list_notes", {"limit": 1})]
        while len(replies) < 5 and not all(call.done() for call in calls):
            replies.append(await other.call("list_notes", {"limit": 1}))
        await asyncio.gather(*calls)
    return replies
