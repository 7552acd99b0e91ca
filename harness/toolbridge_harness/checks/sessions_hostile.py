"""Sessions under attack or in bad luck: MCP session ids, hang-ups, refusals, odd answers."""

import asyncio
import json
from dataclasses import replace
from typing import Any

from toolbridge_contract.control import RecordedRequest
from toolbridge_harness.model import Capability, Severity, Vantage
from toolbridge_harness.refusals import nothing_reached_upstream
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import ControlFailed, Untestable, require, require_equal
from toolbridge_harness.wire import Call, initialize

NEEDS = {Vantage.TOKENS, Vantage.UPSTREAM}
_CONTROL = ("control-token", "sessions-own")
_CREATE = "/v1/sync/sessions"
_NOTES = "/v1/notes.*"
_JSON = (("Content-Type", "application/json"),)
_SESSION_ID = "mcp-session-id"
# Of the session failures that the error contract names; a tolerant reader may find out later.
_TYPED = {"upstream_bad_response", "session_unavailable", "epoch_mismatch"}


async def _opened(caller: Caller) -> str | None:
    """Open a legacy conversation and return the session id that the target minted, if any."""
    reply = await caller.target.send(replace(initialize(), token=caller.token))
    if reply.status != 200 or not reply.result:
        raise ControlFailed(f"initialize did not succeed: {reply.brief}")
    session: str | None = reply.headers.get(_SESSION_ID)
    if session is not None:
        opened = Call("notifications/initialized", token=caller.token, session=session)
        await caller.target.send(opened)
    return session


@check(
    "sessions-mcp-foreign",
    "Another user's MCP session id gives no identity, opens no stream and ends nothing",
    severity=Severity.CRITICAL,
    catalogue="SES-26",
    source="MCP 2025-11-25 security best practices, session hijacking",
    remedy="Take identity from each request's token alone; answer 404 to anybody but the owner.",
    why="Whoever reads a session id in a log could otherwise listen in, inject, or hang up.",
    needs=Vantage.TOKENS,
    explained_by=("control-token",),
    broken="MCP sessions can be used by users who did not open them",
)
async def foreign_mcp_session_gives_nothing(target: Target, caller: Caller) -> None:
    """Uses one user's session id as another, by POST, GET and DELETE; none minted is right."""
    other = target.caller(unlike=caller)
    await other.control()
    await caller.given("create_note", {"title": caller.text(), "content": "x"})
    session = await _opened(caller)
    if session is None:
        return
    own = replace(caller.request("list_notes", {"limit": 1000}), session=session)
    seen = await caller.mark()
    call = replace(own, token=other.token)
    reply = await target.send(call)
    # Answering the other user as that user gives nothing away, so only the owner's data counts.
    refused = reply.status in {400, 401, 403, 404} or bool(reply.rpc_error)
    require(refused or reply.ok, "a refusal, or the other user's own notes", reply.brief)
    require(caller.marker not in reply.text, "nothing of the session's owner", reply.brief)
    await nothing_reached_upstream(caller, seen)
    for method in ("GET", "DELETE"):
        reply = await target.http(method, target.mcp_url, call.header_list(), seconds=2)
        refused = 400 <= reply.status < 500
        require(refused, f"{method} in another user's session to be refused", reply.brief)
    reply = await target.send(own)
    require(reply.ok, "the session to work on for the user who opened it", reply.brief)
    require(caller.marker in reply.text, "the owner's own notes in it", reply.brief)


@check(
    "sessions-mcp-supplied",
    "An MCP session id that the client makes up is not adopted",
    severity=Severity.HIGH,
    catalogue="SES-27",
    source="CWE-384; MCP 2025-11-25 transports, session management",
    remedy="Mint session ids yourself, at initialize, from a cryptographic source; adopt none.",
    why="An attacker who can choose the id of a victim's session already knows it.",
    needs=Vantage.TOKENS,
    explained_by=("control-token",),
    broken="MCP session ids chosen by the client are adopted",
)
async def supplied_mcp_session_is_not_adopted(target: Target, caller: Caller) -> None:
    """Sends initialize with made-up session ids: refused, or answered with another id or none."""
    await _opened(caller)
    made_up = f"{target.random.getrandbits(128):032x}"
    for session in (made_up, f"{caller.marker}-{made_up}", "1"):
        call = replace(initialize(), token=caller.token, session=session)
        reply = await target.send(call)
        refused = reply.status in {400, 401, 404}
        require(refused or reply.status == 200, "a refusal, or an answer", reply.brief)
        minted = reply.headers.get(_SESSION_ID)
        require(minted != session, "a session id minted by the server, or none", minted)


def _sessions(requests: list[RecordedRequest]) -> list[RecordedRequest]:
    return [r for r in requests if r.method == "POST" and r.target == _CREATE]


def _entities(requests: list[RecordedRequest]) -> list[RecordedRequest]:
    return [r for r in requests if "/v1/sync/" not in r.target]


async def _until_session_asked(caller: Caller) -> None:
    for _ in range(100):  # 2 s, in steps that the mock does not feel
        if _sessions(await caller.upstream()):
            return
        await asyncio.sleep(0.02)
    raise Untestable("the first call asked for no session within 2 s")


@check(
    "sessions-first-hangs-up",
    "When the first caller hangs up while a session is made, those who wait for it are served",
    severity=Severity.HIGH,
    catalogue="SES-06",
    source="CWE-362; check catalogue SES-06",
    remedy="Shield the shared making of a session from the cancellation of whoever began it.",
    why="One closed laptop must not fail the other calls of the same user.",
    needs=NEEDS,
    capability=Capability.SESSION_CACHE,
    explained_by=(*_CONTROL, "sessions-single-flight"),
    broken="a caller who hangs up takes the session from those who wait for it",
)
async def hang_up_harms_nobody_else(target: Target, caller: Caller) -> None:
    """Delays the session, closes the first call's connection, and lets five others wait."""
    call = await caller.prepared(caller.request("list_notes", {"limit": 1}))
    await caller.inject(kind="delay", path=_CREATE, seconds=0.6)
    first = asyncio.create_task(target.send(call))
    await _until_session_asked(caller)
    others = [asyncio.create_task(target.send(replace(call, id=f"other-{i}"))) for i in range(5)]
    await asyncio.sleep(0.2)  # all have joined; the session comes 0.4 s later
    first.cancel()
    replies = await asyncio.gather(*others)
    await asyncio.gather(first, return_exceptions=True)
    failed = [reply.brief for reply in replies if not reply.ok]
    require_equal([], failed, "failed calls among the five that waited:")
    require((await target.send(call)).ok, "the next call to succeed", "it failed")


@check(
    "sessions-forbidden",
    "A session that the Go API says is not the caller's is replaced, once",
    severity=Severity.HIGH,
    catalogue="SES-11",
    source="DESIGN: error contract; check catalogue SES-11",
    remedy="On the 403 about the session, forget it, make one new session and repeat once.",
    why="A session that is refused for ever locks the user out until the proxy restarts.",
    needs=NEEDS,
    explained_by=(*_CONTROL, "sessions-recovered-read"),
    broken="a session that the Go API refuses with 403 is kept, or replaced without end",
)
async def forbidden_session_is_replaced(target: Target, caller: Caller) -> None:
    """Refuses the session of a read and of a create once, then of a read for ever."""
    await caller.control_write()
    said = {"error": "Session does not belong to authenticated user.", "correlation_id": "c"}
    refusal: dict[str, Any] = {"path": _NOTES, "status": 403, "headers": _JSON}
    refusal["body"] = json.dumps(said).encode()
    note = {"title": caller.text(), "content": "x"}
    for tool, arguments, times in (
        ("list_notes", {"limit": 1}, 1),
        ("create_note", note, 1),
        ("list_notes", {"limit": 1}, None),
    ):
        seen = await caller.mark()
        await caller.inject(times=times, **refusal)
        reply = await caller.call(tool, arguments)
        await target.mock.clear_faults(caller.sub)
        requests = await caller.upstream(seen)
        found = "success" if reply.ok else reply.code
        require_equal("success" if times else "session_unavailable", found, f"{tool}: outcome")
        require_equal(2, len(_entities(requests)), f"{tool}: entity requests")
        made = len(_sessions(requests))
        # A proxy that makes a session for every request has made two.
        require(1 <= made <= 2, f"{tool}: one new session", made)
        await caller.control()


@check(
    "sessions-stale-epoch",
    "A stale epoch that the Go API reports is replaced, and the session with it",
    severity=Severity.HIGH,
    catalogue="SES-12",
    source="DESIGN: error contract; check catalogue SES-12",
    remedy="On the 409 epoch_mismatch, forget the session: make one, take both from its answer.",
    why="A session that outlived a wipe is refused with 409 for as long as it is presented.",
    needs=NEEDS,
    explained_by=(*_CONTROL, "sessions-epoch", "sessions-recovered-read"),
    broken="a session whose epoch the Go API calls stale is presented again and again",
)
async def stale_epoch_is_replaced(target: Target, caller: Caller) -> None:
    """Answers a read with epoch_mismatch once, then a read and a create for ever."""
    await caller.control_write()
    said = {"error": "epoch_mismatch", "epoch": 7, "correlation_id": "c"}
    refusal: dict[str, Any] = {"path": _NOTES, "status": 409, "headers": _JSON}
    refusal["body"] = json.dumps(said).encode()
    note = {"title": caller.text(), "content": "x"}
    for tool, arguments, times in (
        ("list_notes", {"limit": 1}, 1),
        ("list_notes", {"limit": 1}, None),
        ("create_note", note, None),
    ):
        seen = await caller.mark()
        await caller.inject(times=times, **refusal)
        reply = await caller.call(tool, arguments)
        await target.mock.clear_faults(caller.sub)
        # Reporting it and succeeding next time is as right as recovering within the call.
        known = reply.code == "epoch_mismatch" or (reply.ok and times == 1)
        require(known, f"{tool}: epoch_mismatch, or success with a new session", reply.brief)
        sent = len(_entities(await caller.upstream(seen)))
        require(sent <= 2, f"{tool}: at most 2 entity requests", sent)
        again = await caller.call("list_notes", {"limit": 1})
        require(again.ok, f"the call after {tool} to succeed", again.brief)
        made = _sessions(await caller.upstream(seen))
        require(made, f"{tool}: a new session after the stale epoch", "the old one is kept")


def _hostile_answers() -> list[tuple[int, bytes]]:
    good = {"id": "s-1", "epoch": 1, "expiresAt": "2099-01-01T00:00:00Z"}
    odd: list[Any] = [{**good, "id": i} for i in (None, 5, "", "a\r\nX-Evil: 1", "x" * 10_240)]
    epochs: tuple[Any, ...] = ("1", "1\r\nX-Evil: 1", -1, 2**63, None, True)
    odd += [{**good, "epoch": epoch} for epoch in epochs]
    odd += [{}, [], {"id": "s-1"}]
    bodies = [json.dumps(body).encode() for body in odd]
    return [(201, body) for body in (*bodies, b"", b"<html>")] + [(200, b"{}")]


@check(
    "sessions-hostile-answers",
    "A session answer that is not one is a clear error, and nothing of it reaches a header",
    severity=Severity.HIGH,
    catalogue="SES-18",
    source="OWASP API10:2023; CWE-113",
    remedy="Parse the session answer strictly: id of visible characters, epoch a number.",
    why="Unchecked, it injects headers into the next request, or locks the user out.",
    needs={*NEEDS, Vantage.MINT},
    explained_by=(*_CONTROL, "errors-session-failure"),
    broken="malformed session answers of the Go API crash calls or reach headers",
)
async def hostile_session_answers_are_refused(target: Target, caller: Caller) -> None:
    """Answers the making of a session in seventeen wrong ways, each for a user of its own."""
    await caller.control()

    async def probe(status: int, body: bytes) -> None:
        user = target.caller()
        what = f"a session answered {status} {body[:40]!r}"
        await user.inject(path=_CREATE, times=None, status=status, headers=_JSON, body=body)
        reply = await user.call("list_notes", {"limit": 1})
        await target.mock.clear_faults(user.sub)
        typed = reply.status == 200 and (reply.ok or reply.code in _TYPED)
        require(typed, f"a session error for {what}", reply.brief)
        again = await user.call("list_notes", {"limit": 1})
        require(again.ok, f"the call after {what} to succeed", again.brief)
        names = {name.lower() for request in await user.upstream() for name, _ in request.headers}
        require("x-evil" not in names, f"no header out of {what}", "X-Evil went upstream")

    for answer in _hostile_answers():
        await probe(*answer)
