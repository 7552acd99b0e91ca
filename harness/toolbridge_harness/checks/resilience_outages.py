"""A Go API that is down, comes back, or sends its answers drop by drop."""

import asyncio
from typing import Any

from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import require, require_equal

NEEDS = {Vantage.TOKENS, Vantage.UPSTREAM}
_CONTROL = ("control-token", "sessions-own")
_NOTES = "/v1/notes.*"
_JSON = (("Content-Type", "application/json"),)
# The catalogue's bound for a refused connection (RES-01) and the first call afterwards (RES-21).
SOON_SECONDS = 5.0
# As many as a small deployment has at once; each has a session and a connection of its own.
_USERS = 20
# Good JSON, long enough that one byte every eighth of the deadline takes ten deadlines.
_PAGE = b'{"items":[],"x":"' + b"0" * 64 + b'"}'


@check(
    "resilience-drip",
    "An answer that comes byte by byte is given up at the total deadline",
    severity=Severity.HIGH,
    catalogue="RES-05",
    source="OWASP API4:2023, API10:2023; httpx: timeouts are per operation",
    remedy="Bound the whole call with one deadline; a read time-out starts anew with every byte.",
    why="A stuck gateway that sends a byte now and then holds a connection for hours.",
    needs=NEEDS,
    explained_by=(*_CONTROL, "errors-upstream-silent"),
    broken="an answer that never ends, but never pauses for long, is waited for without end",
)
async def drip_is_cut(target: Target, caller: Caller) -> None:
    """Drips the headers of one read, the body of another, and the answer to a create, at once."""
    users = (caller, target.caller(), target.caller())
    for user in users:
        await user.control_write()
    deadline = target.deployment.upstream_deadline
    slowly: dict[str, Any] = {"path": _NOTES, "times": None, "seconds": deadline / 8}
    page: dict[str, Any] = {"status": 200, "headers": _JSON, "body": _PAGE}
    await users[0].inject(kind="drip", **page, **slowly)
    await users[1].inject(kind="drip-body", **page, **slowly)
    await users[2].inject(kind="drip-body", methods=("POST",), commit=True, **slowly)
    title, seen = users[2].text("drip"), await users[2].mark()
    replies = await asyncio.gather(
        users[0].call("list_notes", {"limit": 1}),
        users[1].call("list_notes", {"limit": 1}),
        users[2].call("create_note", {"title": title, "content": "x"}),
    )
    # Half a deadline and a second of grace: both cores may be busy.
    most = deadline * 1.5 + 1
    codes = ("upstream_timeout", "upstream_timeout", "outcome_unknown")
    for what, code, reply in zip(("headers", "body", "a create"), codes, replies, strict=True):
        require_equal(code, reply.code, f"code after a drip of {what}:")
        took = f"{reply.seconds:.1f} s"
        require(reply.seconds < most, f"an end of {what} at {deadline:g} s", took)
    posts = [r for r in await users[2].entity_requests(seen) if r.method == "POST"]
    require_equal(1, len(posts), "times that the create was sent:")


@check(
    "resilience-refused",
    "While the Go API refuses connections, calls end soon with the right code, and then go on",
    severity=Severity.HIGH,
    catalogue="RES-01",
    source="check catalogue RES-01; DESIGN: error contract",
    remedy="Map a refused connection to upstream_unreachable: nothing was sent, for a write too.",
    why="Every deployment of the Go API refuses connections for a moment.",
    needs=NEEDS,
    alone=True,
    explained_by=(*_CONTROL, "resilience-recovery"),
    broken="a Go API that refuses connections is waited for, misreported, or never used again",
)
async def refusals_are_told_apart(target: Target, caller: Caller) -> None:
    """Shuts the mock's port, calls in four ways, opens it, and calls again."""
    await caller.control_write()
    stranger, title = target.caller(), caller.text("refused")
    note = {"title": title, "content": "x"}
    await target.mock.stop_listening()
    try:
        replies = {
            "a read": await caller.call("list_notes", {"limit": 1}),
            "a create": await caller.call("create_note", note),
            "a call that needs a session": await stranger.call("list_notes", {"limit": 1}),
            "a create that needs a session": await stranger.call("create_note", note),
        }
        health = await caller.call("health_check", token=None)
    finally:
        await target.mock.listen()
    after = await caller.call("list_notes", {"limit": 1000})
    for what, reply in replies.items():
        require_equal("upstream_unreachable", reply.code, f"code of {what}:")
        took = f"{reply.seconds:.1f} s"
        require(reply.seconds <= SOON_SECONDS, f"an end of {what} within {SOON_SECONDS} s", took)
    require(health.ok, "health_check to succeed meanwhile", health.brief)
    require(after.ok, "the first call after the outage to succeed", after.brief)
    titles = [item["payload"].get("title") for item in after.data["items"]]
    require(title not in titles, "no note of a create that was refused", "it is there")


@check(
    "resilience-recovery",
    "After an outage of the Go API everybody's first call succeeds",
    severity=Severity.HIGH,
    catalogue="RES-21",
    source="check catalogue RES-21",
    remedy="Give back what a failed connection held; trust no connection from before the outage.",
    why="A proxy that needs a restart after each outage makes one of minutes last for hours.",
    needs={*NEEDS, Vantage.MINT},
    profile=Profile.FULL,
    alone=True,
    explained_by=_CONTROL,
    broken="after an outage of the Go API the proxy stays broken until it is restarted",
)
async def recovery_needs_no_restart(target: Target, caller: Caller) -> None:
    """Cuts the calls of twenty users, lets all call in vain for a deadline, and then once more.

    One deadline is long enough: whatever the outage caught in flight has ended by then.
    """
    users = [caller, *(target.caller() for _ in range(_USERS - 1))]
    await asyncio.gather(*(user.control() for user in users))
    for user in users[::2]:
        await user.inject(kind="hang", path=_NOTES)
    cut = [asyncio.create_task(user.call("list_notes", {"limit": 1})) for user in users]
    await asyncio.sleep(target.deployment.upstream_deadline / 8)
    await target.mock.stop_listening()
    try:
        over = asyncio.create_task(asyncio.sleep(target.deployment.upstream_deadline))
        for _ in range(3):
            await asyncio.gather(*(user.call("list_notes", {"limit": 1}) for user in users))
        await asyncio.gather(*cut)
        await over
    finally:
        await target.mock.clear_faults()
        await target.mock.listen()
    replies = await asyncio.gather(*(user.call("list_notes", {"limit": 1}) for user in users))
    failed = [reply.brief for reply in replies if not reply.ok]
    require_equal([], failed[:1], f"failed calls among the first {_USERS} afterwards:")
    slowest = max(reply.seconds for reply in replies)
    require(slowest <= SOON_SECONDS, f"each within {SOON_SECONDS} s", f"{slowest:.1f} s")
