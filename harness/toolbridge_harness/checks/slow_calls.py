"""Calls that take long, callers that leave, and a proxy that is told to stop meanwhile."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import ControlFailed, NoAnswer, require, require_equal
from toolbridge_harness.wire import Reply

_NEEDS = {Vantage.TOKENS, Vantage.UPSTREAM}
_NOTES = "/v1/notes.*"
_CONTROL = ("control-token", "sessions-own", "errors-upstream-silent")
# Whatever the proxy does about a caller who is gone, it does it within this time.
_SECOND_THOUGHTS = 1.0
# In flight at once when the proxy is told to stop; more would only wait for each other.
_IN_FLIGHT = 6


@check(
    "transport-slow-answer",
    "An answer that comes late, but within the deadline, is delivered",
    severity=Severity.MEDIUM,
    catalogue="MCP-30",
    source="check catalogue MCP-30; deployment guide (upstream time-out)",
    remedy="Give each call the whole deadline of TOOLBRIDGE_UPSTREAM_TIMEOUT_SECONDS.",
    why="A search that takes twenty seconds is slow; one that is cut off is lost.",
    needs=_NEEDS,
    profile=Profile.FULL,
    explained_by=_CONTROL,
    broken="answers are cut off before the deadline that was configured",
)
async def late_answers_are_delivered(target: Target, caller: Caller) -> None:
    """Lets the Go API take three quarters of the deadline for a read and for a write."""
    await caller.control_write()
    seconds = target.deployment.upstream_deadline * 0.75
    for tool, arguments in (
        ("list_notes", {"limit": 1}),
        ("create_note", {"title": caller.text(), "content": "slow"}),
    ):
        await caller.inject(kind="delay", path=_NOTES, seconds=seconds)
        reply = await caller.call(tool, arguments)
        require(reply.ok, f"{tool} to succeed after {seconds:g} s", reply.brief)


async def _arrived(user: Caller, seen: int, calls: Sequence[asyncio.Task[Any]]) -> None:
    """Return once the Go API has the requests of all these calls, and has answered none."""
    while len(await user.entity_requests(seen)) < len(calls):
        if any(call.done() for call in calls):
            raise ControlFailed("a create ended before the Go API answered it")
        await asyncio.sleep(0.02)


@check(
    "transport-client-leaves",
    "A caller that hangs up in the middle of a write causes no second one",
    severity=Severity.MEDIUM,
    catalogue="MCP-29",
    source="MCP 2026-07-28 transports (cancellation); RFC 9110 §9.2.2",
    remedy="When a caller is gone, end its request or let it end; never send it again.",
    why="Agents are stopped all the time, and each would leave a duplicate.",
    needs=_NEEDS,
    explained_by=(*_CONTROL, "resilience-create-once"),
    broken="a write whose caller hung up is sent again",
)
async def leaving_writes_once(target: Target, caller: Caller) -> None:
    """Hangs up while create_note waits for the Go API, and counts what was sent and stored."""
    await caller.control_write()
    seen, title = await caller.mark(), caller.text("left")
    await caller.inject(kind="hang", path=_NOTES)
    call = asyncio.create_task(caller.call("create_note", {"title": title, "content": "x"}))
    await _arrived(caller, seen, [call])
    call.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await call
    await asyncio.sleep(_SECOND_THOUGHTS)
    await target.mock.clear_faults(caller.sub)
    sent = [r for r in await caller.entity_requests(seen) if r.method == "POST"]
    require(len(sent) <= 1, "at most one request for a create whose caller left", len(sent))
    page = await caller.ok("list_notes", {"limit": 100})
    titles = [item["payload"].get("title") for item in page["items"]]
    require(titles.count(title) <= 1, "at most one such note", titles.count(title))


@check(
    "resilience-stop",
    "Calls in flight when the proxy is told to stop are answered, and written at most once",
    severity=Severity.MEDIUM,
    catalogue=("RES-29", "SES-31"),
    source="Fly.io kill_timeout; RFC 9110 §9.2.2",
    remedy="On SIGTERM take no new connections, finish what runs, then exit.",
    why="Each deploy stops a machine: without a drain, each deploy loses somebody's write.",
    needs={*_NEEDS, Vantage.MINT, Vantage.RESTART},
    profile=Profile.FULL,
    seconds=60,
    explained_by=_CONTROL,
    broken="calls in flight are lost when the proxy is told to stop",
)
async def stopping_loses_nothing(target: Target, caller: Caller) -> None:
    """Stops a second proxy by SIGTERM while six creates wait for the Go API."""
    await caller.control()
    async with target.restarted({"TOOLBRIDGE_LOG_FORMAT": "json"}) as other:
        user = other.caller()
        await user.control_write()
        seen, seconds = await user.mark(), target.deployment.upstream_deadline / 3
        await user.inject(kind="delay", path=_NOTES, times=None, seconds=seconds)
        titles = [user.text(str(number)) for number in range(_IN_FLIGHT)]
        calls = [asyncio.create_task(_create(user, title)) for title in titles]
        await _arrived(user, seen, calls)
        process = other.deployment.process
        await asyncio.gather(*([process.stop()] if process else []))
        replies = await asyncio.gather(*calls)
        sent = [request.body for request in await user.entity_requests(seen)]
    lost = [reply for reply in replies if isinstance(reply, str)]
    require_equal([], lost[:1], "calls without an answer:")
    for title in titles:
        require_equal(1, sum(title.encode() in body for body in sent), "requests for one create:")


async def _create(user: Caller, title: str) -> Reply | str:
    try:
        return await user.call("create_note", {"title": title, "content": "x"})
    except NoAnswer as none:
        return none.actual
