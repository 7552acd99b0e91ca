"""Calls whose JSON is spelled by hand, and the refusals that answer them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from toolbridge_harness.target import Caller
from toolbridge_harness.verdicts import require
from toolbridge_harness.wire import Call, Era, Reply

# JSON-RPC 2.0 §5.1: parse error, invalid request, invalid params.
_RPC_REFUSALS = (-32700, -32600, -32602)
# The rows allow one second on an idle machine; with both cores taken by others it is five.
AT_ONCE_SECONDS = 5.0
_HOLE = re.compile(rb'"<hole ([a-z]+)>"')


def hole(name: str) -> str:
    """Return a placeholder: where it stands as a whole string, raw bytes can be put instead."""
    return f"<hole {name}>"


def spelled(call: Call, **values: bytes) -> bytes:
    """Return the body of `call` with each hole filled: bytes that need not be JSON."""
    return _HOLE.sub(lambda match: values[match[1].decode()], call.body())


def eras(caller: Caller) -> Iterator[Era]:
    """The protocol eras that the target speaks, in a fixed order."""
    return (era for era in Era if era in caller.target.deployment.eras)


async def send_body(
    caller: Caller, call: Call, body: bytes, headers: Mapping[str, str] | None = None
) -> Reply:
    """Send `body` under the headers of `call`, some of them replaced."""
    prepared = await caller.prepared(call)
    if call.era is Era.MODERN:  # knows no MCP sessions
        prepared = replace(prepared, session=None)
    changed = {name.lower(): value for name, value in (headers or {}).items()}
    sent = [(k, changed.get(k.lower(), v)) for k, v in prepared.header_list()]
    return await caller.target.http("POST", caller.target.mcp_url, sent, body)


def is_invalid(reply: Reply) -> bool:
    """Whether the arguments were refused as invalid: by the tool, or as JSON-RPC parameters."""
    return reply.code == "invalid_argument" or reply.rpc_error.get("code") == -32602


def is_refusal(reply: Reply) -> bool:
    """Whether the request was refused under a name, by HTTP, JSON-RPC or the tool; no crash."""
    if reply.status >= 500 or reply.code == "internal":
        return False
    named = reply.code != "" or reply.rpc_error.get("code") in _RPC_REFUSALS
    return named or reply.status in (400, 413, 415, 422)


def said(reply: Reply) -> str:
    """Return what a refusal says, wherever it says it."""
    error: Any = reply.rpc_error
    return f"{reply.tool_text} {error.get('message', '')} {error.get('data', '')}"


async def require_at_once(caller: Caller, reply: Reply, what: str) -> None:
    """Require an answer within AT_ONCE_SECONDS, or ten controls where the machine is that busy."""
    if reply.seconds < AT_ONCE_SECONDS:
        return
    usual = max([(await caller.control()).seconds for _ in range(3)])
    bound = max(AT_ONCE_SECONDS, 10 * usual)
    require(
        reply.seconds < bound, f"an answer to {what} in {bound:.1f} s", f"{reply.seconds:.1f} s"
    )
