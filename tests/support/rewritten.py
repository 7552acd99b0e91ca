"""Rewrite requests and answers of the reference proxy around its gate."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import Response
from starlette.types import Message

from support.patching import patch
from toolbridge_proxy import calls, edge, gate

# Takes the parsed message of a request, its scope, and the answer; returns the one to send.
Rewrite = Callable[[Any, Any, Response], Response]
Serve = Callable[[Any, bytes], Awaitable[Response]]


def parsed(body: bytes) -> Any:
    """Return the JSON in `body`; None where there is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def around_gate(serve: Callable[[Serve, Any, bytes], Awaitable[Response]]) -> None:
    """Let `serve(proper, scope, body)` answer each POST; `proper(scope, body)` does it right."""

    def make(original: Any) -> Any:
        async def call(self: gate.Gate, scope: Any, receive: Any, send: Any) -> None:
            try:
                body = await gate._body(receive)
            except gate.Refused as refused:
                await refused.args[0](scope, receive, send)
                return

            async def proper(inner: Any, content: bytes) -> Response:
                return await _captured(original, self, inner, content, receive)

            response = await serve(proper, scope, body)
            await response(scope, receive, send)

        return call

    patch(gate.Gate, "__call__", make)


async def _captured(original: Any, self: Any, scope: Any, body: bytes, receive: Any) -> Response:
    start: dict[str, Any] = {}
    content = bytearray()

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            content.extend(message.get("body", b""))

    await original(self, scope, calls._replay(body, receive), keep)
    response = Response(bytes(content), start["status"])
    kept = [pair for pair in start["headers"] if pair[0] != b"content-length"]
    length = (b"content-length", b"%d" % len(content))
    response.raw_headers = [*kept, length]
    return response


def answers(rewrite: Rewrite) -> None:
    """Let `rewrite(message, scope, answer)` replace what the gate and all behind it answer."""

    async def serve(proper: Serve, scope: Any, body: bytes) -> Response:
        response = await proper(scope, body)
        return rewrite(parsed(body), scope, response)

    around_gate(serve)


def requests(answer: Callable[[Any], Response | None]) -> None:
    """Let `answer(scope)` answer any request before the edge looks at it; None leaves it."""

    def make(original: Any) -> Any:
        async def call(self: edge.Edge, scope: Any, receive: Any, send: Any) -> None:
            response = answer(scope) if scope["type"] == "http" else None
            await (response or (lambda *given: original(self, *given)))(scope, receive, send)

        return call

    patch(edge.Edge, "__call__", make)


def header(scope: Any, name: bytes) -> bytes | None:
    """Return the last header of that name; None without."""
    return dict(scope["headers"]).get(name)
