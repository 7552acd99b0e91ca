"""Correct proxies that speak MCP and HTTP in another way than the reference proxy."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from fastmcp import FastMCP
from fastmcp.server.dependencies import get_http_request
from fastmcp.tools.base import ToolResult
from mcp_types import TextContent
from starlette.responses import JSONResponse, StreamingResponse

from mutants.table import variant
from support.patching import patch
from toolbridge_contract.tools import TOOL_NAMES
from toolbridge_proxy import app, calls, edge, gate, tools
from toolbridge_proxy.tokens import Denied

NAMES = TOOL_NAMES | {"health_check"}
# Keeps proxies on the way from closing an idle stream (HTML standard, "server-sent events").
STREAM_PAUSE_SECONDS = 15


def _run_by_the_library(**options: bool) -> None:
    """Let FastMCP run the tools, as it runs its own, with other options of its transport."""

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
    patch(FastMCP, "http_app", lambda made: lambda self, **given: made(self, **given | options))


@variant("event-streams", "answers are event streams, without MCP sessions (C-01)")
def event_streams() -> None:
    """One event each."""
    _run_by_the_library(json_response=False)


@variant("event-streams-and-sessions", "MCP sessions, and answers that are event streams (C-01)")
def event_streams_and_sessions() -> None:
    """Stateful, as FastMCP is by default."""
    _run_by_the_library(json_response=False, stateless_http=False)


@variant("get-stream", "GET on the MCP endpoint is an event stream for who has a token (C-02)")
def get_stream() -> None:
    """Nothing is ever sent on it, as no tool has anything to say unasked."""
    event_streams_and_sessions()
    gates: list[gate.Gate] = []
    owners: dict[bytes, str] = {}

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        given = dict(scope["headers"])
        token = given.get(b"authorization")
        try:
            caller = await gates[0]._tokens.caller(token and token.decode("latin-1"))
        except Denied as denied:
            answer = gates[0]._denial(denied, None, scope)
        else:
            own = owners.get(given.get(b"mcp-session-id", b"")) == caller.subject
            answer = StreamingResponse(_silence(), media_type="text/event-stream")
            answer = answer if own else edge.rpc_error(404, -32600, "Session not found")
        await answer(scope, receive, send)

    def known(original: Any) -> Any:
        def init(self: gate.Gate, *given: Any) -> None:
            original(self, *given)
            gates.append(self)

        return init

    def owned(original: Any) -> Any:
        async def serve(self: Any, message: Any, body: bytes, scope: Any, *rest: Any) -> None:
            receive, send = rest

            async def noted(sent: Any) -> None:
                minted = dict(sent.get("headers", ())).get(b"mcp-session-id")
                if minted and "toolbridge.caller" in scope:
                    owners.setdefault(minted, scope["toolbridge.caller"].subject)
                await send(sent)

            await original(self, message, body, scope, receive, noted)

        return serve

    patch(gate.Gate, "__init__", known)
    patch(calls.Calls, "serve", owned)
    _instead_of(lambda scope: stream if _is_get(scope) else None)


async def _silence() -> AsyncIterator[str]:
    while True:
        yield ": nothing yet\n\n"
        await asyncio.sleep(STREAM_PAUSE_SECONDS)


@variant("get-guarded", "GET on the MCP endpoint is 401 without a token (C-02)")
def get_guarded() -> None:
    """The token is asked for before the method."""
    refusal = edge.rpc_error(401, gate.UNAUTHENTICATED, "A valid bearer token is needed")
    refusal.headers["WWW-Authenticate"] = "Bearer"

    def guarded(scope: Any) -> Any:
        anonymous = b"authorization" not in dict(scope["headers"])
        return refusal if _is_get(scope) and anonymous else None

    _instead_of(guarded)


def _is_get(scope: Any) -> bool:
    return (scope["method"], scope["path"]) == ("GET", calls.MCP_PATH)


def _instead_of(choose: Any) -> None:
    """Let the application that `choose(scope)` returns answer, unless it returns None."""

    def make(original: Any) -> Any:
        return lambda self, scope, headers: original(self, scope, headers) or choose(scope)

    patch(edge.Edge, "_refusal", make)


@variant("old-era-only", "speaks 2025-11-25 and refuses other versions with 400")
def old_era_only() -> None:
    """The era of handshakes alone."""

    def make(original: Any) -> Any:
        async def admit(self: Any, scope: Any, body: bytes) -> Any:
            version = dict(scope["headers"]).get(b"mcp-protocol-version", b"2025-11-25")
            if version != b"2025-11-25":
                refusal = edge.rpc_error(400, -32600, "Unsupported protocol version")
                raise gate.Refused(refusal)
            return await original(self, scope, body)

        return admit

    patch(gate.Gate, "_admit", make)


def admitted_only(refuse: Any) -> None:
    """Refuse an admitted message with what `refuse(scope, message)` returns, unless None."""

    def make(original: Any) -> Any:
        async def admit(self: Any, scope: Any, body: bytes) -> Any:
            message = await original(self, scope, body)
            refusal = refuse(scope, message)
            if refusal is not None:
                raise gate.Refused(refusal)
            return message

        return admit

    patch(gate.Gate, "_admit", make)


@variant("strict-accept", "406 to clients that do not accept both JSON and event streams")
def strict_accept() -> None:
    """MCP clients must accept both (MCP 2025-11-25 transports); absent means anything."""

    def refuse(scope: Any, _: Any) -> Any:
        lines = [value for name, value in scope["headers"] if name == b"accept"]
        accepted = b",".join(lines) or b"*/*"
        both = b"application/json" in accepted and b"text/event-stream" in accepted
        return None if both or b"*/*" in accepted else edge.rpc_error(406, -32600, "Not Acceptable")

    admitted_only(refuse)


@variant("few-notifications", "400 to notifications that it does not know")
def few_notifications() -> None:
    """What cannot be accepted may be an HTTP error (MCP transports, sending messages)."""

    def refuse(_: Any, message: Any) -> Any:
        method = message.get("method") if isinstance(message, dict) else None
        foreign = isinstance(method, str) and "id" not in message
        known = method == "notifications/initialized"
        return edge.rpc_error(400, -32601, "Unknown notification") if foreign > known else None

    admitted_only(refuse)


@variant("unknown-tool-as-result", "an unknown tool is a failed result, no JSON-RPC error (C-08)")
def unknown_tool_as_result() -> None:
    """As FastMCP answers by itself."""

    def make(original: Any) -> Any:
        def rpc_error(status: int, code: int, message: str, request_id: Any) -> Any:
            told = {"content": [{"type": "text", "text": message}], "isError": True}
            if status == 400:
                told |= json.loads(b"{" + calls._MODERN_END[1:] + b"}")
            return JSONResponse({"jsonrpc": "2.0", "id": request_id, "result": told})

        return rpc_error

    patch(calls, "rpc_error", make)


@variant("tools-reversed", "lists its tools in another order")
def tools_reversed() -> None:
    """The last entity first."""

    def make(original: Any) -> Any:
        return lambda *given: dict(reversed(original(*given).items()))

    patch(app, "make_tools", make)


@variant("tools-paged", "lists its tools in pages of fifteen")
def tools_paged() -> None:
    """A client asks for the next page with the cursor of the one before."""

    def make(original: Any) -> Any:
        return lambda *given, **more: original(*given, **more, list_page_size=15)

    patch(app, "FastMCP", make)


@variant("tools-bare", "says nothing about its tools but names, descriptions and arguments")
def tools_bare() -> None:
    """No hints, and no schema of answers."""

    def make(original: Any) -> Any:
        def made(*given: Any) -> Any:
            bare = {"annotations": None, "output_schema": None}
            return {name: t.model_copy(update=bare) for name, t in original(*given).items()}

        return made

    patch(app, "make_tools", make)


@variant("schemas-generated", "schemas of arguments are as pydantic generates them")
def schemas_generated() -> None:
    """With titles, and null as the default of what is optional."""

    def make(original: Any) -> Any:
        def model(*given: Any) -> Any:
            made, _ = original(*given)
            return made, made.model_json_schema()

        return model

    patch(tools, "_model", make)


@variant("slash-redirected", "/mcp/ is redirected to /mcp by 308")
def slash_redirected() -> None:
    """With a Location that names no host."""
    moved = JSONResponse({}, 308, {"Location": calls.MCP_PATH})
    _instead_of(lambda scope: moved if scope["path"] == calls.MCP_PATH + "/" else None)


@variant("slash-served", "/mcp/ is served as /mcp")
def slash_served() -> None:
    """A name for the same endpoint."""

    def make(original: Any) -> Any:
        async def serve(self: Any, scope: Any, *rest: Any) -> None:
            if scope.get("path") == calls.MCP_PATH + "/":
                scope = {**scope, "path": calls.MCP_PATH, "raw_path": calls.MCP_PATH.encode()}
            await original(self, scope, *rest)

        return serve

    patch(edge.Edge, "__call__", make)


@variant("slower", "every message takes 50 ms more")
def slower() -> None:
    """A small machine far away."""

    def make(original: Any) -> Any:
        async def serve(*given: Any) -> None:
            await asyncio.sleep(0.05)
            await original(*given)

        return serve

    patch(calls.Calls, "serve", make)
