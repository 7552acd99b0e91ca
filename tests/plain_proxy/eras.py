"""The two eras of MCP: revisions with a handshake, and 2026-07-28 where each request is whole."""

import base64
import re
from collections.abc import Mapping
from typing import Any

from plain_proxy.rpc import HEADER_MISMATCH, INVALID_PARAMS, UNSUPPORTED_VERSION, Problem

LEGACY = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
MODERN = "2026-07-28"
_KEY = "io.modelcontextprotocol/"
_ENCODED = re.compile(r"=\?base64\?([A-Za-z0-9+/]*={0,2})\?=")


def is_modern(headers: Mapping[str, str], message: dict[str, Any]) -> bool:
    """Whether the request is of the modern era; raises Problem if header and body disagree."""
    asked = headers.get("mcp-protocol-version")
    params = message.get("params", {})
    meta = params.get("_meta", {})
    told = meta.get(f"{_KEY}protocolVersion") if isinstance(meta, dict) else None
    if asked is not None and asked not in (*LEGACY, MODERN):
        known = {"supported": [*LEGACY, MODERN], "requested": asked}
        raise Problem(400, UNSUPPORTED_VERSION, "Unsupported protocol version", known)
    if told is not None and told != asked:
        raise _mismatch("MCP-Protocol-Version")
    if asked != MODERN:
        return False
    if "id" in message:
        _check_modern(headers, message["method"], params, meta, told)
    return True


def _check_modern(
    headers: Mapping[str, str], method: str, params: dict[str, Any], meta: Any, told: Any
) -> None:
    if headers.get("mcp-method") != method:
        raise _mismatch("Mcp-Method")
    if method == "tools/call" and _decoded(headers.get("mcp-name")) != params.get("name"):
        raise _mismatch("Mcp-Name")
    if told is None or not isinstance(meta.get(f"{_KEY}clientCapabilities"), dict):
        text = f"_meta must have {_KEY}protocolVersion and {_KEY}clientCapabilities"
        raise Problem(400, INVALID_PARAMS, text)


def _decoded(name: str | None) -> str | None:
    match = _ENCODED.fullmatch(name or "")
    try:
        return base64.b64decode(match[1], validate=True).decode() if match else name
    except ValueError:
        return None


def _mismatch(header: str) -> Problem:
    return Problem(400, HEADER_MISMATCH, f"{header} is missing or differs from the body")


def complete(result: dict[str, Any], server: dict[str, str]) -> dict[str, Any]:
    """Return `result` as the modern era has it."""
    return {"resultType": "complete", "_meta": {f"{_KEY}serverInfo": server}, **result}


def offered(wanted: str) -> str:
    """Return the version that a handshake for `wanted` ends with."""
    return wanted if wanted in LEGACY else LEGACY[-1]
