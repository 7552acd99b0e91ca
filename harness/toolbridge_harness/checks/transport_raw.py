"""What reaches the endpoint on the wire: where requests end, by which names, on which paths."""

import asyncio
import itertools
import json
from dataclasses import replace
from typing import Any

import httpx

from toolbridge_harness.model import Ask, Severity, Vantage
from toolbridge_harness.raw import exchange, request
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import NotApplicable, Untestable, Violation, require, require_equal
from toolbridge_harness.wire import Call, agent_of, tool_call

_CHUNKED = b"Transfer-Encoding: chunked\r\n"
# RFC 9112: all of these must be refused. LENGTH stands for the body's length; what is in doubt
# is where the body ends, so a second request follows it, which must not be answered.
AMBIGUOUS = {
    "two different lengths": b"Content-Length: LENGTH\r\nContent-Length: 0\r\n",
    "a list of different lengths": b"Content-Length: LENGTH, 0\r\n",
    "a length with a plus sign": b"Content-Length: +LENGTH\r\n",
    "a length in hex": b"Content-Length: 0xff\r\n",
    "a negative length": b"Content-Length: -1\r\n",
    "a length with an underscore": b"Content-Length: 1_0\r\n",
    "a length that ends in NUL": b"Content-Length: LENGTH\x00\r\n",
    "a length with a space before the colon": b"Content-Length : LENGTH\r\n",
    "an encoding with a space before the colon": (
        b"Content-Length: LENGTH\r\nTransfer-Encoding : chunked\r\n"
    ),
    "an unknown transfer encoding": b"Content-Length: LENGTH\r\nTransfer-Encoding: xchunked\r\n",
    "chunked that is not the last encoding": b"Transfer-Encoding: chunked, identity\r\n",
}
_LEGACY_PATHS = ("/sse", "/mcp/sse", "/messages", "/messages/", "/mcp/messages/")


async def _control(target: Target, good: Call) -> None:
    reply = await target.send(good)
    if not reply.ok:
        raise Untestable(f"the control, a valid call of health_check, failed: {reply.brief}")


@check(
    "transport-smuggling",
    "A request whose end is in doubt is refused, and nothing after it is read",
    severity=Severity.CRITICAL,
    catalogue="MCP-32",
    source="RFC 9112 §5.1, §6.3, §11.2; CWE-444",
    remedy="Use an HTTP parser that follows RFC 9112: answer 400 and close the connection.",
    why="An edge and a server that disagree on where a request ends mix up their users.",
    # What is smuggled past an edge may be answered to somebody else.
    asks=Ask.DESTRUCTIVE,
    broken="requests whose end is in doubt are served",
)
async def ambiguous_requests_are_refused(target: Target, caller: Caller) -> None:
    """Sends health_check with each doubtful framing, and a second, good request behind it."""
    if target.origin.startswith("https:"):
        raise NotApplicable("the edge that ends TLS parses the request, not the proxy")
    good = await caller.prepared(tool_call("health_check"))
    body = good.body()
    size = str(len(body)).encode()
    whole = request(target, good, b"Content-Length: %b\r\n" % size) + body
    control = await exchange(target, [whole])
    if control.statuses != [200]:
        raise Untestable(f"the control, a plain request on a socket, failed: {control.brief}")
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    sent = {
        what: request(target, good, lines.replace(b"LENGTH", size))
        + (body if b"Content-Length" in lines else chunks)
        for what, lines in AMBIGUOUS.items()
    }
    sent["a chunk size in C notation"] = request(target, good, _CHUNKED) + b"0x" + chunks
    answers = await asyncio.gather(*(exchange(target, [doubt + whole]) for doubt in sent.values()))
    for what, answer in zip(sent, answers, strict=True):
        refused = len(answer.statuses) == 1 and answer.statuses[0] in (*range(400, 500), 501)
        require(refused, f"HTTP 400 and nothing more for {what}", answer.brief)
    await _control(target, good)


@check(
    "transport-no-old-sse",
    "The old HTTP+SSE transport is not served without a token",
    severity=Severity.CRITICAL,
    catalogue="MCP-27",
    source="OWASP API9:2023; MCP 2025-03-26 changelog (HTTP+SSE replaced)",
    remedy="Serve Streamable HTTP alone; remove /sse and /messages.",
    why="A second transport beside the guarded one is a way in without a token.",
    broken="the old HTTP+SSE transport is open to everybody",
)
async def old_transport_is_closed(target: Target, caller: Caller) -> None:
    """Opens the event stream and posts to the message endpoint, without a token."""
    good = await caller.prepared(tool_call("health_check"))
    await _control(target, good)
    anonymous = Call("tools/list")
    body = anonymous.body()
    sent: dict[str, bytes] = {}
    agent = f"User-Agent: {agent_of(target.deployment.run_id)}"
    for path in _LEGACY_PATHS:
        host = httpx.URL(target.origin).netloc.decode()
        head = (f"GET {path} HTTP/1.1", f"Host: {host}", "Accept: text/event-stream", agent, "", "")
        sent[f"GET {path}"] = "\r\n".join(head).encode()
        length = f"Content-Length: {len(body)}\r\n".encode()
        # Without a stream of its own, a server of this transport misses the session id: 400.
        sent[f"POST {path}"] = request(target, anonymous, length, path=path) + body
    answers = await asyncio.gather(*(exchange(target, [raw]) for raw in sent.values()))
    for what, answer in zip(sent, answers, strict=True):
        closed = answer.statuses[:1] in ([401], [403], [404], [405])
        require(closed, f"HTTP 404, or 401, for {what} without a token", answer.brief)


@check(
    "transport-rebinding",
    "A foreign page is refused even when the Host header names the same site",
    severity=Severity.HIGH,
    catalogue="MCP-20",
    source="MCP 2025-11-25 transports, security warning; RFC 9112 §3.2",
    remedy="Compare Origin with a list, never with the request's Host; refuse a second Host.",
    why="After DNS rebinding, the page of an attacker and its requests have the same name.",
    explained_by=("transport-origin",),
    broken="a page that rebinds its name to the proxy can use it",
)
async def rebound_names_are_refused(target: Target, caller: Caller) -> None:
    """Sends health_check under an attacker's name in Host and Origin, and with two Hosts."""
    good = await caller.prepared(tool_call("health_check"))
    await _control(target, good)
    for scheme, name in itertools.product(("http", "https"), ("evil.example", "evil.example:8001")):
        pair = (("Host", name), ("Origin", f"{scheme}://{name}"))
        reply = await target.send(replace(good, headers=pair))
        require(400 <= reply.status < 500, f"HTTP 403 for Host and Origin {name}", reply.brief)
    body = good.body()
    length = f"Content-Length: {len(body)}\r\n".encode()
    double = request(target, good, length, headers=[("Host", "evil.example")]) + body
    answer = await exchange(target, [double])
    refused = answer.statuses[:1] and 400 <= answer.statuses[0] < 500
    require(refused, "HTTP 400 for two Host lines", answer.brief)


@check(
    "transport-ids",
    "Every answer carries the id of its own request",
    severity=Severity.HIGH,
    catalogue="MCP-03",
    source="JSON-RPC 2.0 §5; MCP 2025-11-25 basic",
    remedy="Answer with the id of the request as it was: same value, same type.",
    why="A client hands an answer to whoever waits for its id.",
    needs=Vantage.TOKENS,
    explained_by=("control-token",),
    broken="answers carry ids that are not those of their requests",
)
async def ids_are_echoed(target: Target, caller: Caller) -> None:
    """Sends ids of many kinds, then fifty calls (sixteen live) at once, each with another id."""
    await caller.control()
    unusual: list[Any] = [
        0,
        1,
        -7,
        2**53,
        2**53 - 1,
        "",
        "1",
        "a b",
        "ünïcode 🦉 \u2028",
        "x" * 200,
    ]
    for wanted in unusual:
        reply = await caller.send(Call("ping", token=caller.token, id=wanted))
        _echoed(wanted, reply.message)
    pairs = target.sample(25, live=8)
    many = [item for n in range(pairs) for item in (2**40 + n, f"{caller.marker}-{n}")]
    call = caller.request("list_notes", {"limit": 1})
    replies = await asyncio.gather(*(caller.send(call, id=wanted) for wanted in many))
    for wanted, reply in zip(many, replies, strict=True):
        _echoed(wanted, reply.message)


def _echoed(wanted: Any, message: dict[str, Any] | None) -> None:
    found = (message or {}).get("id")
    require_equal((type(wanted).__name__, wanted), (type(found).__name__, found), "type and id:")


@check(
    "transport-trailing-slash",
    "A trailing slash sends nobody to plain http or to another host",
    severity=Severity.HIGH,
    catalogue="MCP-25",
    source="RFC 9110 §15.4; CWE-319, CWE-601",
    remedy="Switch redirects of slashes off, or build them without the request's Host and scheme.",
    why="A client that follows the redirect sends its token in clear, or to somebody else.",
    broken="a trailing slash is redirected to plain http or to another host",
)
async def trailing_slash_stays(target: Target, caller: Caller) -> None:
    """Posts health_check with a slash at the end, as an https edge does, and under another Host."""
    good = await caller.prepared(tool_call("health_check"))
    await _control(target, good)
    own = httpx.URL(target.origin)
    for extra in ((("X-Forwarded-Proto", "https"),), (("Host", "evil.example"),)):
        headers = [*good.header_list(), *extra]
        reply = await target.http("POST", f"{target.mcp_url}/", headers, good.body())
        require(reply.status < 500, "HTTP 404, or a redirect, for a trailing slash", reply.brief)
        location = httpx.URL(reply.headers.get("location", ""))
        kept = not location.host or (location.scheme == "https" and location.host == own.host)
        if not kept:
            what = f"{extra[0][0]}: {extra[0][1]}"
            raise Violation(f"no Location but a relative or own one, with {what}", str(location))


@check(
    "transport-framing",
    "Text that looks like a stream's framing arrives unchanged",
    severity=Severity.HIGH,
    catalogue="MCP-28",
    source="HTML standard, server-sent events §9.2.6; CWE-74",
    remedy="Encode each answer as one line of JSON; split lines at \\n alone.",
    why="Otherwise whoever writes a note can forge or cut off the answers that a reader gets.",
    needs=Vantage.TOKENS,
    explained_by=("control-token", "tools-note-life-cycle"),
    broken="text that looks like a stream's framing breaks the answer",
)
async def framing_in_text_is_inert(target: Target, caller: Caller) -> None:
    """Reads notes full of event fields, blank lines, odd line ends and 256 KiB of lines."""
    await caller.control_write()
    forged = json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"content": []}})
    samples = {
        "line feeds": "a\nb\n\nc\n",
        "blank lines with CR": "a\r\n\r\nb\r\rc",
        "an event": f"x\n\nevent: message\ndata: {forged}\n\n",
        "event fields": "\ndata:\nid: 7\nretry: 1\n: comment\n",
        "Unicode line ends": "a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg",
        "256 KiB of lines": "data: x\n" * 2**15,
    }
    for what, sample in samples.items():
        made = await caller.ok("create_note", {"title": caller.text(), "content": sample})
        read = await caller.ok("get_note", {"uid": made["uid"]})
        found = read["payload"].get("content")
        require(found == sample, f"{what} unchanged", f"{str(found)[:80]!r}")
