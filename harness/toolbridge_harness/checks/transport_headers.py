"""How the headers of the 2026-07-28 era may be spelled, and how they may not."""

import base64

from toolbridge_harness.checks.transport_versions import MISMATCH, modern, sent
from toolbridge_harness.model import Severity
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import require

_MODERN_HEADERS = ("MCP-Protocol-Version", "Mcp-Method", "Mcp-Name")
_EXPLAINED = ("transport-modern-stateless", "transport-header-body")


def _encoded(name: str) -> str:
    return f"=?base64?{base64.b64encode(name.encode()).decode()}?="


@check(
    "transport-header-missing",
    "In the 2026-07-28 era a required header that is missing or there twice is refused",
    severity=Severity.HIGH,
    catalogue="MCP-16",
    source="MCP 2026-07-28 transports, standard request headers, server validation",
    remedy="Answer 400 and -32020 where Mcp-Method or Mcp-Name is missing or repeated.",
    why="A gateway that filters by these headers lets pass what does not have them.",
    explained_by=_EXPLAINED,
    broken="requests without the headers that gateways filter by are served",
)
async def required_headers_are_required(target: Target, caller: Caller) -> None:
    """Sends a good call without each of the two headers, and with each of them twice."""
    call = await modern(target, caller)
    for name, other in (("Mcp-Method", "tools/list"), ("Mcp-Name", "delete_note")):
        reply = await sent(target, call, {name: None})
        found = (reply.status, reply.rpc_error.get("code"))
        require(found == (400, MISMATCH), f"HTTP 400 and -32020 without {name}", reply.brief)
        headers = [*call.header_list(), (name, other)]
        reply = await target.http("POST", target.mcp_url, headers, call.body())
        require(reply.status == 400, f"HTTP 400 for two headers {name}", reply.brief)


@check(
    "transport-header-spelling",
    "In the 2026-07-28 era headers are compared by what they mean",
    severity=Severity.MEDIUM,
    catalogue="MCP-16",
    source="MCP 2026-07-28 transports, value encoding, case sensitivity",
    remedy="Compare header names without regard to case; decode =?base64?…?= before comparing.",
    why="Libraries and HTTP/2 write names in lower case; one tool has two spellings of its name.",
    explained_by=(*_EXPLAINED, "transport-header-missing"),
    broken="headers are compared by their spelling and not by what they mean",
)
async def headers_mean_what_they_say(target: Target, caller: Caller) -> None:
    """Writes names in three ways and Mcp-Name in Base64; then encodes another tool's name."""
    call = await modern(target, caller)
    for write in (str.lower, str.upper, str.swapcase):
        pairs = call.header_list()
        headers = [(write(k) if k in _MODERN_HEADERS else k, v) for k, v in pairs]
        reply = await target.http("POST", target.mcp_url, headers, call.body())
        require(reply.ok, f"success with {write('Mcp-Method')}", reply.brief)
    reply = await sent(target, call, {"Mcp-Name": _encoded("health_check")})
    require(reply.ok, "success with Mcp-Name in Base64", reply.brief)
    for what, value in {
        "another name in Base64": _encoded("delete_note"),
        "Base64 that is none": "=?base64?***?=",
        "Base64 of nothing": "=?base64??=",
    }.items():
        reply = await sent(target, call, {"Mcp-Name": value})
        found = (reply.status, reply.rpc_error.get("code"))
        require(found == (400, MISMATCH), f"HTTP 400 and -32020 for {what}", reply.brief)
