"""Messages that get no answer, and the media types of those that do."""

import json
from dataclasses import replace
from typing import Any

from toolbridge_harness.model import Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.spelled import eras, send_body
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import Advisory, Violation, require
from toolbridge_harness.wire import Call, Era, Reply, tool_call

_JSON, _STREAM = "application/json", "text/event-stream"
# MCP clients accept both types: a server may refuse who does not.
_REFUSABLE = (_JSON, _STREAM, None, "text/html")

_ANSWERS: tuple[dict[str, Any], ...] = (
    {"result": {}},
    {"error": {"code": -32603, "message": "none"}},
)


def _cancelled(caller: Caller, era: Era) -> Call:
    """Return a notification that any server may ignore: it names a request that never was."""
    params = {"requestId": caller.marker, "reason": "a check"}
    return Call("notifications/cancelled", params, era=era, token=caller.token)


def _taken(reply: Reply, what: str) -> None:
    """Require 202 and no body, or an HTTP error that says no."""
    if reply.status == 202:
        require(reply.text == "", f"no body after 202 for {what}", reply.brief)
    else:
        refused = 400 <= reply.status < 500
        require(refused, f"HTTP 202, or 4xx, for {what}", reply.brief)


@check(
    "transport-notifications",
    "A notification is taken with 202 and no body, or refused with an HTTP error",
    severity=Severity.MEDIUM,
    catalogue="MCP-13",
    source="MCP 2025-11-25 transports, sending messages; MCP 2026-07-28 transports",
    remedy="Answer 202 without a body; answer 4xx to what cannot be accepted, and never 200.",
    why="A client waits for a body after 200, and believes after 202 that it was understood.",
    needs=Vantage.TOKENS,
    explained_by=("control-token", "auth-garbage-token"),
    broken="notifications and responses get answers that they must not get",
)
async def notifications_get_no_answer(target: Target, caller: Caller) -> None:
    """Sends the handshake's notification, others, responses that nobody asked for, and bad ones."""
    await caller.control()
    hello = await caller.send(Call("notifications/initialized", token=caller.token))
    require(hello.status == 202, "HTTP 202 for notifications/initialized", hello.brief)
    _taken(hello, "notifications/initialized")
    for era in eras(caller):
        call = _cancelled(caller, era)
        _taken(await send_body(caller, call, call.body()), f"a notification in {era.value}")
        for answer in _ANSWERS:
            message = {"jsonrpc": "2.0", "id": caller.marker} | answer
            reply = await send_body(caller, call, json.dumps(message).encode())
            _taken(reply, f"a response that nobody asked for in {era.value}")
        await _refused(caller, call)
    await caller.control()


async def _refused(caller: Caller, call: Call) -> None:
    """Require an HTTP error for notifications that no server can accept."""
    message = json.loads(call.body())
    for what, wrong in (
        ("with another JSON-RPC version", {"jsonrpc": "1.0"}),
        ("whose method is no text", {"method": 5}),
    ):
        reply = await send_body(caller, call, json.dumps(message | wrong).encode())
        refused = 400 <= reply.status < 500
        require(refused, f"HTTP 4xx for a notification {what}", reply.brief)
    bad = replace(call, token=f"not-a-token-{caller.marker}")
    reply = await send_body(caller, bad, call.body())
    require(reply.status == 401, "HTTP 401 for a notification with a bad token", reply.brief)


@check(
    "transport-accept",
    "An answer is JSON or an event stream, and of a type that the client accepts",
    severity=Severity.MEDIUM,
    catalogue="MCP-04",
    source="MCP 2025-11-25 transports, sending messages; RFC 9110 §12.5.1",
    remedy="Answer as application/json or text/event-stream; 406 where the client takes neither.",
    why="Clients choose by the type how to read an answer, and break on any other.",
    explained_by=("control-token",),
    broken="answers are of a media type that the client does not accept or that is not MCP's",
)
async def answers_are_of_an_accepted_type(target: Target, caller: Caller) -> None:
    """Asks for both types, for each alone, for anything, for HTML, and without saying."""
    for era in eras(caller):
        call = await caller.prepared(tool_call("health_check", era=era, token=caller.token))
        call = replace(call, session=None) if era is Era.MODERN else call
        for accept in (f"{_JSON}, {_STREAM}", "*/*", _JSON, _STREAM, None, "text/html"):
            changed = [(k, accept if k == "Accept" else v) for k, v in call.header_list()]
            headers = [(k, v) for k, v in changed if v is not None]
            reply = await target.http("POST", target.mcp_url, headers, call.body())
            _typed(reply, accept, f"Accept: {accept} in {era.value}")
    if reply.status != 406:
        raise Advisory("HTTP 406 where only text/html is accepted", reply.brief)


def _typed(reply: Reply, accept: str | None, what: str) -> None:
    """Require an answer of a type that is MCP's and that `accept` names, or 406."""
    if reply.status == 406 and accept in _REFUSABLE:
        return
    require(reply.ok, f"success{', or 406,' * (accept in _REFUSABLE)} with {what}", reply.brief)
    right = (accept,) if accept in (_JSON, _STREAM) else (_JSON, _STREAM)
    given = reply.headers.get("content-type", "none")
    if given.partition(";")[0].strip().lower() not in right:
        raise Violation(f"Content-Type {' or '.join(right)} with {what}", given)
