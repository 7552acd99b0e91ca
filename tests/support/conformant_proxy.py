"""The reference proxy, as correct but built differently: `python conformant_proxy.py VARIANT`.

Every check must stay green on these (the check catalogue's conformant variants).
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastmcp import FastMCP
from fastmcp.tools.base import ToolResult
from mcp_types import TextContent

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.patching import patch
from toolbridge_proxy import __main__ as entry
from toolbridge_proxy import edge, gate, operations, sessions, tokens, tools, upstream


def _served(**options: Any) -> None:
    def make(original: Any) -> Any:
        return lambda self, **given: original(self, **{**given, **options})

    patch(FastMCP, "http_app", make)


def event_streams_and_sessions() -> None:
    """Stateful MCP sessions, and answers as event streams (C-01)."""
    _served(stateless_http=False, json_response=False)


def session_per_request() -> None:
    """A sync session of its own for every call (C-03)."""

    async def get(self: Any, call: Any) -> sessions.Session:
        async with call.timed("session"):
            made: sessions.Session = await self._make((None, str(time.time_ns())), call)
            return made

    patch(sessions.Sessions, "_get", lambda _: get)
    patch(sessions.Sessions, "_forget", lambda _: lambda *arguments: None)


def old_era_only() -> None:
    """Speaks 2025-11-25 and refuses other versions with 400."""

    def make(original: Any) -> Any:
        async def admit(self: Any, scope: Any, body: bytes) -> Any:
            version = dict(scope["headers"]).get(b"mcp-protocol-version", b"2025-11-25")
            if version != b"2025-11-25":
                refusal = edge.rpc_error(400, -32600, "Unsupported protocol version")
                raise gate.Refused(refusal)
            return await original(self, scope, body)

        return admit

    patch(gate.Gate, "_admit", make)


def tenant_as_401() -> None:
    """A wrong tenant is a token that does not count here: 401."""

    def make(original: Any) -> Any:
        async def caller(self: Any, authorization: str | None) -> tokens.Caller:
            try:
                verified: tokens.Caller = await original(self, authorization)
            except tokens.Denied as denied:
                if denied.code == "forbidden_tenant":
                    raise tokens.Denied("invalid_token", denied.reason) from None
                raise
            return verified

        return caller

    patch(tokens.TokenVerifier, "caller", make)


def quoted_and_unhurried() -> None:
    """If-Match with quotes (C-05), and no retries at all (C-06)."""

    def if_match(given: dict[str, Any]) -> tuple[tuple[str, str], ...]:
        return (("If-Match", f'"{given["if_match"]}"'),) if "if_match" in given else ()

    patch(operations, "_if_match", lambda _: if_match)
    patch(upstream.RetryBudget, "spend", lambda _: lambda self: False)


def text_alone() -> None:
    """Tools answer JSON as text, without structured content."""

    def make(original: Any) -> Any:
        async def run(self: Any, arguments: dict[str, Any]) -> ToolResult:
            found: ToolResult = await original(self, arguments)
            text = json.dumps(found.structured_content)
            content = [TextContent(type="text", text=text)]
            return ToolResult(content=content, is_error=found.is_error)

        return run

    def unschemed(original: Any) -> Any:
        def api_tool(*arguments: Any) -> Any:
            made = original(*arguments)
            made.output_schema = None
            return made

        return api_tool

    patch(tools.ApiTool, "run", make)
    patch(tools, "_api_tool", unschemed)


VARIANTS: dict[str, Callable[[], None]] = {
    "event-streams-and-sessions": event_streams_and_sessions,
    "session-per-request": session_per_request,
    "old-era-only": old_era_only,
    "tenant-as-401": tenant_as_401,
    "quoted-and-unhurried": quoted_and_unhurried,
    "text-alone": text_alone,
}

if __name__ == "__main__":
    VARIANTS[sys.argv.pop()]()
    sys.exit(entry.main())
