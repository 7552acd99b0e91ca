"""Proxies that take a broken message badly, or serve one under a path that nobody guards."""

import json
from typing import Any

from mutants.table import mutant
from support.rewritten import parsed
from support.wrapping import in_place_of
from toolbridge_proxy import calls, edge, gate


@mutant(
    "scalars-crash",
    "a body that is JSON and no object is an internal error",
    rows="MCP-11",
    cause="transport-malformed",
)
def scalars_crash() -> None:
    """The first thing asked of a message is its method; lists are known to exist."""

    @in_place_of(gate.Gate, "_admit")
    async def admit(original: Any, self: Any, scope: Any, body: bytes) -> Any:
        message = parsed(body)
        if not isinstance(message, dict | list | None):
            message.get("method")
        return await original(self, scope, body)


@mutant(
    "unended-crash",
    "a body that ends before its JSON does is an internal error",
    rows="MCP-11 MCP-39",
    cause="transport-malformed",
)
def unended_crash() -> None:
    """The parser's own error for it is not the one that is caught."""

    @in_place_of(gate, "_parsed")
    def parse(original: Any, headers: Any, body: bytes) -> Any:
        text = b"\0" not in body  # other encodings are refused before this
        if text and body.startswith(b"{") and not body.endswith(b"}"):
            raise EOFError("unexpected end")
        return original(headers, body)


@mutant(
    "any-version-of-json-rpc",
    "the version of JSON-RPC is not looked at in requests",
    rows="MCP-12",
    cause="transport-malformed",
)
def any_version() -> None:
    """There is only one in use."""

    @in_place_of(gate, "_check_envelope")
    def check(original: Any, message: Any) -> None:
        request = isinstance(message, dict) and "id" in message
        original({**message, "jsonrpc": "2.0"} if request else message)

    @in_place_of(calls.Calls, "serve")
    async def serve(original: Any, self: Any, message: Any, _: bytes, *rest: Any) -> None:
        message |= {"jsonrpc": "2.0"}
        await original(self, message, json.dumps(message).encode(), *rest)


@mutant(
    "alias-around-gate",
    "the path is compared without case, by the library's own app, which has no gate",
    rows="MCP-26",
    cause="transport-methods",
)
def alias_around_gate() -> None:
    """It is mounted behind the guarded route, for whatever that one does not match."""
    apps: list[Any] = []

    @in_place_of(calls.Calls, "__init__")
    def init(original: Any, self: Any, mcp_app: Any, tools: Any) -> None:
        apps.append(mcp_app)
        original(self, mcp_app, tools)

    @in_place_of(edge.Edge, "__call__")
    async def call(original: Any, self: Any, scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        if path != calls.MCP_PATH and path.lower() == calls.MCP_PATH:
            headers = calls._plain(scope["headers"])
            inner = {**scope, "path": calls.MCP_PATH, "headers": headers}
            await apps[-1](inner, receive, send)
            return
        await original(self, scope, receive, send)
