"""The reference proxy, as correct but built differently: `python conformant_proxy.py VARIANT`.

Every check must stay green on these (the check catalogue's conformant variants).
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from fastmcp import FastMCP
from fastmcp.server.dependencies import get_http_request
from fastmcp.tools.base import ToolResult
from mcp_types import TextContent
from starlette.responses import JSONResponse

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.patching import patch
from toolbridge_contract.tools import TOOL_NAMES
from toolbridge_proxy import __main__ as entry
from toolbridge_proxy import calls, edge, gate, sessions, tokens, tools, upstream

NAMES = TOOL_NAMES | {"health_check"}


def _run_by_the_library() -> None:
    """Let FastMCP run the tools, as it runs its own."""

    async def run(self: Any, arguments: dict[str, Any]) -> ToolResult:
        result = await self.handler(arguments, get_http_request().scope)
        content = [TextContent(type="text", text=result.text)]
        failed = result.outcome != "ok"
        return ToolResult(content, json.loads(result.structured), is_error=failed)

    def make(original: Any) -> Any:
        def runnable(*given: Any) -> Any:
            params = original(*given)
            return None if params is None or params.name in NAMES else params

        return runnable

    patch(tools.ServedTool, "run", lambda _: run)
    patch(calls, "_runnable", make)


def event_streams_and_sessions() -> None:
    """Stateful MCP sessions, and answers as event streams (C-01)."""
    _run_by_the_library()

    def make(original: Any) -> Any:
        options = {"stateless_http": False, "json_response": False}
        return lambda self, **given: original(self, **{**given, **options})

    patch(FastMCP, "http_app", make)


def session_per_request() -> None:
    """A sync session of its own for every call (C-03)."""

    async def get(self: Any, call: Any) -> sessions.Session:
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

    def make(original: Any) -> Any:
        def build(*given: Any) -> upstream.ApiRequest:
            request: upstream.ApiRequest = original(*given)
            quoted = tuple((name, f'"{value}"') for name, value in request.headers)
            return replace(request, headers=quoted)

        return build

    patch(tools, "build", make)
    patch(upstream, "RETRY_BURST", lambda _: 0.0)


def text_alone() -> None:
    """Tools answer JSON as text, without structured content."""

    def answer(request_id: Any, result: Any, end: bytes) -> JSONResponse:
        text = result.structured.decode()
        told = {"content": [{"type": "text", "text": text}], "isError": result.outcome != "ok"}
        told |= json.loads(b"{" + end.removeprefix(b",") + b"}")
        return JSONResponse({"jsonrpc": "2.0", "id": request_id, "result": told})

    patch(calls, "_answer", lambda _: answer)
    patch(tools, "OUTPUT_SCHEMA", lambda _: None)
    patch(tools, "HEALTH_CHECK", lambda known: {**known, "output_schema": None})


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
