"""Which protocol version a request is in: what its header and `_meta` say about it."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from toolbridge_harness.model import Severity, Vantage
from toolbridge_harness.raw import RawAnswer, exchange, request
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import ControlFailed, NotApplicable, require, require_equal
from toolbridge_harness.wire import Call, Era, Reply, initialize, tool_call

_VERSION = "MCP-Protocol-Version"
_META = "io.modelcontextprotocol/"
UNSERVED = ("1900-01-01", "banana", "2099-01-01")
MISMATCH, UNSUPPORTED = -32020, -32022  # MCP 2026-07-28, error codes


async def modern(target: Target, caller: Caller) -> Call:
    """Return a call of health_check in the era of 2026-07-28 that the target was seen to serve."""
    if Era.MODERN not in target.deployment.eras:
        raise NotApplicable(f"the target does not offer {Era.MODERN.value}")
    call = tool_call("health_check", era=Era.MODERN, token=caller.token)
    reply = await target.send(call)
    if not reply.ok:
        raise ControlFailed(f"a valid call in the 2026-07-28 era did not succeed: {reply.brief}")
    return call


async def sent(target: Target, call: Call, replaced: dict[str, str | None], **meta: Any) -> Reply:
    """Send `call` with headers replaced (None leaves one out) and keys of `_meta` changed.

    A key of `_meta` that is changed to `...` is left out.
    """
    kept = [(name, replaced.get(name, value)) for name, value in call.header_list()]
    headers = [(name, value) for name, value in kept if value is not None]
    message = json.loads(call.body())
    if meta:
        all_meta = message["params"]["_meta"] | {_META + key: value for key, value in meta.items()}
        message["params"]["_meta"] = {k: v for k, v in all_meta.items() if v is not ...}
    return await target.http("POST", target.mcp_url, headers, json.dumps(message).encode())


@check(
    "transport-version-header",
    "A protocol version that nobody has is refused in the header",
    severity=Severity.MEDIUM,
    catalogue=("MCP-14", "MCP-15"),
    source="MCP 2025-11-25 transports, protocol version header",
    remedy="Answer 400 to an MCP-Protocol-Version that is unknown, empty or there twice.",
    why="A client that is served in another version than it asked for misreads the answers.",
    broken="requests in protocol versions that nobody has are served",
)
async def unknown_version_is_refused(target: Target, caller: Caller) -> None:
    """Sends health_check with versions that do not exist, none, and two; and without the header."""
    good = await caller.prepared(tool_call("health_check", token=caller.token))
    control = await target.send(good)
    if not control.ok:
        raise ControlFailed(f"health_check in {Era.LEGACY.value} did not succeed: {control.brief}")
    for version in (*UNSERVED, ""):
        reply = await sent(target, good, {_VERSION: version})
        require_equal(400, reply.status, f"status for {_VERSION}: {version}")
    two = replace(good, headers=((_VERSION, UNSERVED[0]),))
    require_equal(400, (await target.send(two)).status, f"status for two headers {_VERSION}:")
    # 2025-03-26 has no such header, so its absence means that version, which may not be served.
    absent = await sent(target, good, {_VERSION: None})
    fair = absent.ok or absent.status == 400
    require(fair, f"success, or HTTP 400, without {_VERSION}", absent.brief)


@check(
    "transport-version-modern",
    "In the 2026-07-28 era the version in header and _meta is one, is served, and is not missing",
    severity=Severity.MEDIUM,
    catalogue=("MCP-14", "MCP-17"),
    source="MCP 2026-07-28 transports, protocol version header; MCP 2026-07-28 basic",
    remedy="Compare both: -32020 if they differ, -32022 with data.supported if it is not served.",
    why="By the error a client learns whether to speak an older version or to mend its request.",
    explained_by=("transport-modern-stateless", "transport-version-header"),
    broken="requests that contradict themselves about their protocol version are served",
)
async def version_is_one_that_is_served(target: Target, caller: Caller) -> None:
    """Changes the version in one place and in both, and leaves out what _meta must have."""
    call = await modern(target, caller)
    for version in (*UNSERVED, Era.LEGACY.value):
        reply = await sent(target, call, {}, protocolVersion=version)
        _refused(reply, MISMATCH, f"{version} in _meta alone")
    for version in UNSERVED:
        reply = await sent(target, call, {_VERSION: version}, protocolVersion=version)
        _refused(reply, UNSUPPORTED, f"version {version}")
        data = reply.rpc_error.get("data")
        supported = data.get("supported") if isinstance(data, dict) else None
        listed = isinstance(supported, list) and Era.MODERN.value in supported
        require(listed, f"data.supported with {Era.MODERN.value}", data)
    for key in ("protocolVersion", "clientCapabilities"):
        reply = await sent(target, call, {}, **{key: ...})
        _refused(reply, reply.rpc_error.get("code", -32602), f"_meta without {key}")


def _refused(reply: Reply, code: int, what: str) -> None:
    found = (reply.status, reply.rpc_error.get("code"))
    require(found == (400, code), f"HTTP 400 and error {code} for {what}", reply.brief)


@check(
    "transport-method-modern",
    "In the 2026-07-28 era an unknown method is 404 and -32601",
    severity=Severity.MEDIUM,
    catalogue="MCP-09",
    source="MCP 2026-07-28 transports, protocol version header",
    remedy="Answer HTTP 404 with the JSON-RPC error -32601.",
    why="A gateway counts by status, and a client falls back on the code: neither reads the text.",
    needs=Vantage.TOKENS,
    explained_by=("control-token", "transport-modern-stateless", "transport-unknown"),
    broken="in the 2026-07-28 era unknown methods are not refused as such",
)
async def unknown_method_is_404(target: Target, caller: Caller) -> None:
    """Calls two methods that nobody has, between two that work."""
    good = await modern(target, caller)
    for method in ("verify/unknown", "tools/Call"):
        reply = await target.send(Call(method, era=Era.MODERN, token=caller.token))
        found = (reply.status, reply.rpc_error.get("code"))
        require(found == (404, -32601), f"HTTP 404 and error -32601 for {method}", reply.brief)
    after = await target.send(good)
    require(after.ok, "a good call afterwards to succeed", after.brief)


@check(
    "transport-discover",
    "server/discover names versions that are really served, and the tools",
    severity=Severity.LOW,
    catalogue="MCP-18",
    source="MCP 2026-07-28 basic, discovery",
    remedy="List the versions that are served, and no others; advertise the capability tools.",
    why="A client chooses by it how to speak, and meets errors where it promises too much.",
    explained_by=("transport-modern-stateless",),
    broken="server/discover promises what is not served",
)
async def discovery_is_true(target: Target, caller: Caller) -> None:
    """Asks for the versions, and uses each of them."""
    await modern(target, caller)
    reply = await target.send(Call("server/discover", era=Era.MODERN, token=caller.token))
    versions = reply.result.get("supportedVersions")
    require(isinstance(versions, list) and versions, "a list of versions", reply.brief)
    require("tools" in reply.result.get("capabilities", {}), "the capability tools", reply.brief)
    for version in _strings(versions):
        served = await _serves(target, caller, version)
        require(served.ok or served.result, f"{version}, which is listed, to work", served.brief)


def _strings(values: Any) -> Iterable[str]:
    # A server may list a version a day for as long as it likes; the suite does not follow.
    return [str(value) for value in values[:8]]


async def _serves(target: Target, caller: Caller, version: str) -> Reply:
    """Return the answer to a first request in `version`, by the rules of its era."""
    if version >= Era.MODERN.value:
        call = tool_call("health_check", era=Era.MODERN, token=caller.token)
        return await sent(target, call, {_VERSION: version}, protocolVersion=version)
    hello = initialize()
    hello.params["protocolVersion"] = version
    reply = await target.send(replace(hello, token=caller.token))
    require_equal(version, reply.result.get("protocolVersion"), "version that initialize answers:")
    return reply


@check(
    "transport-modern-stateless",
    "In the 2026-07-28 era every request stands alone",
    severity=Severity.MEDIUM,
    catalogue="MCP-37",
    source="MCP 2026-07-28 basic, statelessness",
    remedy="Read version and capabilities from each request; wait for no initialize before it.",
    why="Behind a load balancer the request before may have gone to another machine.",
    broken="in the 2026-07-28 era a request needs another one before it",
)
async def requests_stand_alone(target: Target, caller: Caller) -> None:
    """Sends three requests, each the first one on a connection of its own."""
    if Era.MODERN not in target.deployment.eras:
        raise NotApplicable(f"the target does not offer {Era.MODERN.value}")
    calls = [
        replace(first, era=Era.MODERN, token=caller.token)
        for first in (tool_call("health_check"), Call("tools/list"), tool_call("health_check"))
    ]
    answers = await asyncio.gather(*(_on_its_own(target, call) for call in calls))
    for call, answer in zip(calls, answers, strict=True):
        works = answer.statuses == [200] and b'"result"' in answer.data
        require(works, f"{call.method} to succeed as a connection's first request", answer.brief)


async def _on_its_own(target: Target, call: Call) -> RawAnswer:
    body = call.body()
    length = f"Content-Length: {len(body)}\r\n".encode()
    return await exchange(target, [request(target, call, length) + body])
