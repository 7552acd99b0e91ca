"""The HTTP and JSON-RPC around the tools."""

import asyncio
import json
import time
from dataclasses import replace

from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import (
    Advisory,
    NotApplicable,
    Untestable,
    Violation,
    require,
    require_equal,
)
from toolbridge_harness.wire import Call, Era, initialize, tool_call


@check(
    "transport-handshake",
    "initialize names a known protocol version and only tools",
    severity=Severity.MEDIUM,
    catalogue=("MCP-33", "MCP-36"),
    source="MCP 2025-11-25 lifecycle",
    remedy="Answer with a version that you serve; advertise only capabilities that exist.",
    why="Clients decide by it what they may ask for.",
    profile=Profile.SMOKE,
    broken="the handshake does not work, or promises what does not exist",
)
async def handshake_is_sound(target: Target, caller: Caller) -> None:
    """Sends initialize with a known version, and one with a version that nobody has."""
    # Whether a handshake needs a token is the target's choice.
    open_to_all = (await target.send(initialize())).status != 401
    token = None if open_to_all else caller.token
    reply = await target.send(replace(initialize(), token=token))
    require_equal(Era.LEGACY.value, reply.result.get("protocolVersion"), "protocol version:")
    capabilities = sorted(reply.result.get("capabilities", {}))
    if "tools" not in capabilities:
        raise Violation("the capability tools", capabilities.__repr__())
    unknown = initialize()
    unknown.params["protocolVersion"] = "1900-01-01"
    offered = (await target.send(replace(unknown, token=token))).result
    require(offered.get("protocolVersion") != "1900-01-01", "another version offered", offered)
    if set(capabilities) - {"tools", "experimental"}:
        raise Advisory("tools alone, without empty capabilities", capabilities.__repr__())


@check(
    "transport-unknown",
    "Unknown methods and tools are errors, each with its own code",
    severity=Severity.MEDIUM,
    catalogue=("MCP-09", "MCP-10"),
    source="JSON-RPC 2.0 §5.1; MCP 2025-11-25 server/tools",
    remedy="Answer -32601 for an unknown method and -32602 for an unknown tool.",
    why="A name that is almost right must not reach the tool that it resembles.",
    needs=Vantage.TOKENS,
    explained_by=("control-token",),
    broken="unknown methods or tools are not refused as such",
)
async def unknown_names_are_errors(target: Target, caller: Caller) -> None:
    """Calls a method and tools that do not exist, the latter almost named like one that does."""
    await caller.control()
    reply = await caller.send(Call("verify/unknown", token=caller.token))
    require_equal(-32601, reply.rpc_error.get("code"), "code for an unknown method:")
    for name in ("Health_Check", "health_check ", "../health_check", "x" * 10_000):
        reply = await caller.send(tool_call(name, token=caller.token))
        require(not reply.ok and reply.status < 500, f"{name[:20]!r} to be refused", reply.brief)
        if reply.rpc_error.get("code") != -32602:
            raise Advisory("JSON-RPC error -32602 for an unknown tool", reply.brief)


@check(
    "transport-malformed",
    "What is not a JSON-RPC request is refused, never with a 5xx",
    severity=Severity.HIGH,
    catalogue=("MCP-11", "MCP-12", "MCP-39"),
    source="JSON-RPC 2.0 §4, §5.1",
    remedy="Parse first, with limits; answer 400.",
    why="A server that breaks on rubbish can be broken by anybody.",
    profile=Profile.SMOKE,
    broken="malformed requests are answered with success or a server error",
)
async def malformed_requests_are_refused(target: Target, caller: Caller) -> None:
    """Posts empty, truncated, scalar and deeply nested bodies, and asks a good one afterwards."""
    good = await caller.prepared(tool_call("health_check"))
    bodies = [b"", b"{", b"null", b"5", b'"x"', b"[]", good.body()[:-2], b"[" * 5000, b"\xff\xfe"]
    versions = (b'"jsonrpc": "1.0"', b'"jsonrpc": 2.0', b'"version": "2.0"')
    bodies += [good.body().replace(b'"jsonrpc": "2.0"', version) for version in versions]
    for body in bodies:
        reply = await target.http("POST", target.mcp_url, good.header_list(), body)
        refused = 400 <= reply.status < 500
        require(refused, f"HTTP 4xx for the body {body[:20]!r}", reply.brief)
    after = await target.send(good)
    require(after.ok, "a good call afterwards to succeed", after.brief)


@check(
    "transport-no-silent-execution",
    "Notifications, batches and requests without an id execute nothing",
    severity=Severity.HIGH,
    catalogue=("MCP-06", "MCP-07", "MCP-08"),
    source="MCP 2025-06-18 changelog (batches removed); JSON-RPC 2.0 §4.1",
    remedy="Execute a tool only for a single request with a string or integer id.",
    why="What is executed without an answer can neither be seen nor undone.",
    needs={Vantage.TOKENS, Vantage.UPSTREAM},
    explained_by=("control-token",),
    broken="tools are executed for messages that get no answer",
)
async def nothing_runs_silently(target: Target, caller: Caller) -> None:
    """Sends create_note without an id, with a null id, and in a batch."""
    await caller.control()
    seen = await caller.mark()
    call = await caller.prepared(
        caller.request("create_note", {"title": caller.text(), "content": "x"})
    )
    message = json.loads(call.body())
    anonymous = {k: v for k, v in message.items() if k != "id"}
    for what, body in (
        ("no id", anonymous),
        ("id null", message | {"id": None}),
        ("a batch", [message, message | {"id": 2}]),
    ):
        headers, content = call.header_list(), json.dumps(body).encode()
        reply = await target.http("POST", target.mcp_url, headers, content)
        require(reply.status < 500 and not reply.ok, f"{what} not to succeed", reply.brief)
    # What is executed late is executed too: a second for a task that was left running.
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        sent = await caller.entity_requests(seen)
        require_equal([], [r.method for r in sent], "upstream requests for them:")
        await asyncio.sleep(0.1)


@check(
    "transport-content-type",
    "Only application/json is accepted",
    severity=Severity.HIGH,
    catalogue="MCP-05",
    source="MCP 2025-11-25 transports; CWE-352",
    remedy="Answer 400 or 415 to any other Content-Type.",
    why="A web page can post text/plain to any server without asking the browser first.",
    profile=Profile.SMOKE,
    broken="requests with another Content-Type are executed",
)
async def other_content_types_are_refused(target: Target, caller: Caller) -> None:
    """Posts health_check as text, as a form, as a look-alike type and without a type."""
    good = await caller.prepared(tool_call("health_check"))
    control = await target.send(good)
    if not control.ok:
        raise Untestable(f"health_check with application/json did not succeed: {control.brief}")
    rest = [h for h in good.header_list() if h[0] != "Content-Type"]
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonx", None):
        headers = [*rest, *([("Content-Type", kind)] if kind else [])]
        reply = await target.http("POST", target.mcp_url, headers, good.body())
        require(400 <= reply.status < 500, f"HTTP 4xx for {kind}", reply.brief)


@check(
    "transport-origin",
    "A request from a foreign web page is refused",
    severity=Severity.HIGH,
    catalogue=("MCP-19", "MCP-24"),
    source="MCP 2025-11-25 transports (MUST validate Origin)",
    remedy="Refuse an Origin that is not listed with 403, and send no CORS headers.",
    why="Otherwise any page that a user opens can talk to the proxy on the user's machine.",
    profile=Profile.SMOKE,
    broken="requests of foreign web pages are served",
)
async def foreign_origin_is_refused(target: Target, caller: Caller) -> None:
    """Sends health_check with foreign Origins, beside one without."""
    good = await caller.prepared(tool_call("health_check"))
    control = await target.send(good)
    if not control.ok:
        raise Untestable(f"health_check without an Origin did not succeed: {control.brief}")
    host = target.origin.split("://")[1]
    for origin in ("https://evil.example", "null", f"https://{host}.evil.example"):
        reply = await target.send(replace(good, headers=(("Origin", origin),)))
        require_equal(403, reply.status, f"status for Origin {origin}:")
        asked = [("Origin", origin), ("Access-Control-Request-Method", "POST")]
        asked.append(("Access-Control-Request-Headers", "authorization"))
        preflight = await target.http("OPTIONS", target.mcp_url, asked)
        for answer in (reply, preflight):
            allowed = answer.headers.get("access-control-allow-origin")
            require(allowed is None, f"no Access-Control-Allow-Origin for {origin}", allowed)


@check(
    "transport-methods",
    "Only POST works on the MCP endpoint, and its aliases are closed",
    severity=Severity.MEDIUM,
    catalogue=("MCP-21", "MCP-22", "MCP-23", "MCP-26", "DEP-06"),
    source="MCP 2025-11-25 transports; RFC 9110 §15.5.6",
    remedy="Answer 405 to other methods; serve no documentation, metrics or old transports.",
    why="Every further door needs its own guard.",
    profile=Profile.SMOKE,
    explained_by=("transport-no-old-sse", "auth-no-token"),
    broken="other methods or paths than the MCP endpoint's answer",
)
async def other_doors_are_closed(target: Target, caller: Caller) -> None:
    """Tries methods on the endpoint, a dozen paths that are often open, and the path's aliases."""
    for method in ("GET", "DELETE", "PUT", "PATCH"):
        reply = await target.http(method, target.mcp_url, [("Accept", "text/event-stream")])
        require(reply.status in (401, 405), f"405 or 401 for {method}", reply.brief)
    paths = ["docs", "redoc", "openapi.json", "metrics", "debug", ".env", ".git/config", "sse"]
    paths += ["messages/", "console", "server-status", "admin"]
    for path in paths:
        reply = await target.http("GET", f"{target.origin}/{path}")
        require(reply.status in (401, 404, 405), f"404 for /{path}", reply.brief)
    call = tool_call("list_notes", {"limit": 1})
    for alias in _aliases(target.deployment.mcp_path):
        reply = await target.http("POST", target.origin + alias, call.header_list(), call.body())
        closed = 300 <= reply.status < 500
        require(closed, f"404 or 401 for list_notes without a token at {alias}", reply.brief)


def _aliases(path: str) -> list[str]:
    """Return spellings that some router takes for `path`, and some guard does not."""
    if len(path) < 2:
        return []
    encoded = f"/%{ord(path[1]):02x}{path[2:]}"
    ends = ("%2f", "/%2e%2e", ";x", "?x")
    return [f"/{path}", path.upper(), encoded, *(path + end for end in ends)]


@check(
    "transport-header-body",
    "In the 2026-07-28 era, headers that contradict the body are refused",
    severity=Severity.HIGH,
    catalogue="MCP-16",
    source="MCP 2026-07-28 transports, server validation",
    remedy="Compare Mcp-Method and Mcp-Name with the body; answer 400 and -32020.",
    why="A gateway that filters by header sees list_notes while the server runs delete_note.",
    needs=Vantage.TOKENS,
    explained_by=("auth-both-eras", "control-token", "transport-modern-stateless"),
    broken="headers that contradict the body are not noticed",
)
async def contradictions_are_refused(target: Target, caller: Caller) -> None:
    """Sends a good modern call, then the same with one header changed each time."""
    call = replace(caller.request("list_notes", {"limit": 1}), era=Era.MODERN, session=None)
    if Era.MODERN not in target.deployment.eras:
        raise NotApplicable(f"the target does not offer {Era.MODERN.value}")
    control = await target.send(call)
    if not control.ok:
        raise Untestable(f"a valid call in the 2026-07-28 era did not succeed: {control.brief}")
    wrong = {"Mcp-Name": "delete_note", "Mcp-Method": "tools/list"}
    for name, value in wrong.items():
        headers = [(k, value if k == name else v) for k, v in call.header_list()]
        reply = await target.http("POST", target.mcp_url, headers, call.body())
        # -32020 is HeaderMismatch, which tells the client that it may repair its headers.
        found = (reply.status, reply.rpc_error.get("code"))
        require_equal((400, -32020), found, f"status and error for {name} {value}:")
