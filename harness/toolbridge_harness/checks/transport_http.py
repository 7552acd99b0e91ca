"""HTTP around MCP: other methods with a token, and other ways of sending a body."""

import asyncio
import gzip
from collections.abc import Iterable

import httpx

from toolbridge_harness.model import Severity, Vantage
from toolbridge_harness.raw import RawAnswer, exchange, request
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import ControlFailed, require
from toolbridge_harness.wire import Era, identified, tool_call

_STREAM = "text/event-stream"
_CANARY = "X-Canary"


def _bare(target: Target, caller: Caller, method: str, more: Iterable[tuple[str, str]]) -> bytes:
    """Return a request of `method` to the MCP endpoint, without a body, as this caller."""
    host = httpx.URL(target.origin).netloc.decode()
    headers = [("Host", host), ("Authorization", f"Bearer {caller.token}"), *more]
    headers.append(("MCP-Protocol-Version", Era.LEGACY.value))
    lines = [f"{name}: {value}" for name, value in identified(headers, target.deployment.run_id)]
    start = f"{method} {target.deployment.mcp_path} HTTP/1.1"
    return "\r\n".join([start, *lines, "", ""]).encode()


def _closed(answer: RawAnswer, what: str) -> None:
    """Require a refusal: a status of 4xx, or 501 for a method that the server does not know."""
    status = answer.statuses[0] if answer.statuses else 0
    refused = 400 <= status < 500 or status == 501
    require(refused, f"HTTP 405 for {what}", answer.brief)
    # What a server or its edge does not know it need not tell apart by path.
    if status == 405 and what not in ("TRACE", "FOO"):
        named = "\nallow:" in answer.head.lower()
        require(named, f"an Allow header with 405 for {what}", "none")


@check(
    "transport-methods-token",
    "With a token too, the MCP endpoint knows POST alone, or GET as an event stream",
    severity=Severity.MEDIUM,
    catalogue=("MCP-21", "MCP-22", "MCP-23"),
    source="MCP 2025-11-25 transports; RFC 9110 §9.3.8, §15.5.6",
    remedy="Answer 405 with Allow at once; never answer TRACE with what was sent.",
    why="A GET that hangs ties up clients, and an echo shows a page the token of its user.",
    needs=Vantage.TOKENS,
    explained_by=("control-token", "transport-methods"),
    broken="with a token, other methods than POST work on the MCP endpoint",
)
async def other_methods_are_closed(target: Target, caller: Caller) -> None:
    """Sends GET for a stream and without Accept, DELETE of no session, TRACE, and a made-up one."""
    await caller.control()
    session = [("Mcp-Session-Id", caller.session)] if caller.session else []
    canary = f"canary-{target.random.getrandbits(48):012x}"
    sent = {
        "GET": _bare(target, caller, "GET", [("Accept", _STREAM), *session]),
        "GET without Accept": _bare(target, caller, "GET", []),
    }
    for method in ("DELETE", "TRACE", "PATCH", "FOO"):
        sent[method] = _bare(target, caller, method, [(_CANARY, canary)])
    answers = await asyncio.gather(*(exchange(target, [raw]) for raw in sent.values()))
    for what, answer in zip(sent, answers, strict=True):
        if what.startswith("GET") and answer.statuses[:1] == [200]:
            require(_STREAM in answer.head.lower(), f"an event stream for {what}", answer.head)
        else:
            _closed(answer, what)
        require(canary.encode() not in answer.data, f"no echo of {what}", "the request came back")
    await caller.control()


@check(
    "transport-http-forms",
    "A body may be sent as HTTP allows, but not packed",
    severity=Severity.LOW,
    catalogue="MCP-31",
    source="RFC 9110 §8.4, §10.1.1; RFC 9112 §2.5, §7.1",
    remedy="Read chunked bodies and bodies of HTTP/1.0; answer 415 to a packed one.",
    why="Proxies on the way change the form; a packed body is a few bytes that become gigabytes.",
    broken="a legal form of request is not answered, or a packed body is unpacked",
)
async def forms_of_http_work(target: Target, caller: Caller) -> None:
    """Sends health_check chunked, as HTTP/1.0, after Expect, and packed with gzip."""
    call = await caller.prepared(tool_call("health_check", token=caller.token))
    body = call.body()
    length = f"Content-Length: {len(body)}\r\n".encode()
    plain = request(target, call, length) + body
    control = await exchange(target, [plain])
    if control.statuses != [200]:
        raise ControlFailed(f"a plain request on a socket failed: {control.brief}")
    halves = [b"%x\r\n%b\r\n" % (len(half), half) for half in (body[:20], body[20:])]
    chunked = request(target, call, b"Transfer-Encoding: chunked\r\n") + b"".join(halves)
    expecting = request(target, call, length + b"Expect: 100-continue\r\n")
    packed = gzip.compress(body)
    size = f"Content-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n".encode()
    sent = {
        "a chunked body": chunked + b"0\r\n\r\n",
        "HTTP/1.0": plain.replace(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", 1),
        "Expect: 100-continue": expecting + body,
        "a body packed with gzip": request(target, call, size) + packed,
    }
    answers = await asyncio.gather(*(exchange(target, [raw]) for raw in sent.values()))
    for what, answer in zip(sent, answers, strict=True):
        final = [status for status in answer.statuses if status != 100]
        fair = len(final) == 1 and (final[0] in (200, 505) or 400 <= final[0] < 500)
        require(fair, f"an answer, or 4xx, to {what}", answer.brief)
    require(final != [200], "HTTP 415, or 400, for a body packed with gzip", answer.brief)
