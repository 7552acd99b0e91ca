"""Calls of tools, answered without the MCP library, in far less time; it answers all else."""

import json
from typing import Any

from mcp.server.streamable_http import check_accept_headers
from mcp.shared.inbound import InboundModernRoute, classify_inbound_request
from mcp_types import CallToolRequestParams
from mcp_types.jsonrpc import INVALID_PARAMS
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from toolbridge_proxy.edge import rpc_error
from toolbridge_proxy.errors import Result
from toolbridge_proxy.tools import ServedTool

NAME, VERSION = "toolbridge", "1"
MCP_PATH = "/mcp"

_SERVER = json.dumps({"io.modelcontextprotocol/serverInfo": {"name": NAME, "version": VERSION}})
_MODERN_END = f',"resultType":"complete","_meta":{_SERVER}'.encode()


class Calls:
    """In front of the MCP app; what it would refuse is left to it, since it knows why.

    A test holds that both give the same answers.
    """

    def __init__(self, mcp_app: ASGIApp, tools: dict[str, ServedTool]) -> None:
        self._mcp_app, self._tools = mcp_app, tools

    async def serve(
        self, message: dict[str, Any], body: bytes, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer `message`, which is `body` parsed."""
        request = Request({**scope, "path": MCP_PATH, "headers": _plain(scope["headers"])})
        version = request.headers.get("mcp-protocol-version")
        modern = version is not None and version not in HANDSHAKE_PROTOCOL_VERSIONS
        params = _runnable(message, request, modern)
        if params is None:
            await self._mcp_app(request.scope, _replay(body, receive), send)
            return
        tool = self._tools.get(params.name)
        if tool is None:  # the library would answer with a result (MCP server/tools: an error)
            status = 400 if modern else 200
            response = rpc_error(status, INVALID_PARAMS, "Unknown tool", message["id"])
        else:
            result = await tool.handler(params.arguments or {}, scope)
            response = _answer(message["id"], result, _MODERN_END if modern else b"")
        await response(scope, receive, send)


def _runnable(
    message: dict[str, Any], request: Request, modern: bool
) -> CallToolRequestParams | None:
    """Return the parameters of a call that the MCP library would run, judged by its own rules."""
    if message.get("method") != "tools/call" or "id" not in message:
        return None
    if modern:
        route = classify_inbound_request(message, headers=request.headers)
        if not isinstance(route, InboundModernRoute):
            return None
    try:
        params = CallToolRequestParams.model_validate(message.get("params"), by_name=False)
    except ValidationError:
        return None
    accepts_json, _ = check_accept_headers(request)
    return params if accepts_json else None


def _answer(request_id: str | int, result: Result, end: bytes) -> Response:
    """Put the Go API's JSON into the answer as it is: nothing is lost on the way."""
    head = json.dumps({"jsonrpc": "2.0", "id": request_id})[:-1]
    content = json.dumps([{"type": "text", "text": result.text}], ensure_ascii=False)
    failed = "false" if result.outcome == "ok" else "true"
    body = f'{head},"result":{{"content":{content},"isError":{failed},"structuredContent":'.encode()
    return Response(body + result.structured + end + b"}}", media_type="application/json")


def _plain(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return `headers` in the spelling that the MCP library compares.

    Accept may come in several lines, and absent means anything (RFC 9110 section 12.5.1).
    """
    accept = b", ".join(value for name, value in headers if name == b"accept") or b"*/*"
    kept = [(n, v) for n, v in headers if n not in (b"accept", b"content-type")]
    return [*kept, (b"accept", accept), (b"content-type", b"application/json")]


def _replay(body: bytes, receive: Receive) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body}]

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again
