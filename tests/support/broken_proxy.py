"""The reference proxy with one bug: `python broken_proxy.py BUG`, configured as the real one."""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import httpx
from starlette.responses import Response

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.patching import patch
from toolbridge_proxy import __main__ as entry
from toolbridge_proxy import calls, edge, errors, gate, tools, upstream


def sticky() -> None:
    """Identity sticks to the TCP connection (M-P12)."""
    known: dict[Any, Any] = {}

    def make(original: Any) -> Any:
        async def admit(self: Any, scope: Any, body: bytes) -> Any:
            peer = tuple(scope["client"])
            if peer in known:
                scope["toolbridge.caller"] = known[peer]
                headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
                return gate._parsed(headers, body)[0]
            message = await original(self, scope, body)
            if "toolbridge.caller" in scope:
                known[peer] = scope["toolbridge.caller"]
            return message

        return admit

    patch(gate.Gate, "_admit", make)


def retry_timeout() -> None:
    """A POST that times out is sent again (M-Q01)."""

    def make(original: Any) -> Any:
        async def attempt(self: Any, request: Any, call: Any, session: Any) -> Any:
            if request.method != "POST" or "/sync/" in request.path:
                return await original(self, request, call, session)
            end = call.deadline
            call.deadline = min(end, time.monotonic() + self.timeout_seconds / 2.2)
            try:
                return await original(self, request, call, session)
            except errors.ToolFailure as failure:
                if failure.code != "outcome_unknown":
                    raise
            finally:
                call.deadline = end
            return await original(self, request, call, session)

        return attempt

    patch(upstream.Upstream, "_attempt", make)


def relay_headers() -> None:
    """Headers of the Go API's answers are passed on (M-Q06)."""
    framing = (b"content-length", b"content-type", b"transfer-encoding", b"connection")
    relayed: ContextVar[list[tuple[bytes, bytes]]] = ContextVar("relayed")

    def make_read(original: Any) -> Any:
        async def read(response: httpx.Response, request: Any) -> Any:
            seen = response.headers.raw
            relayed.get()[:] = [(n, v) for n, v in seen if n.lower() not in framing]
            return await original(response, request)

        return read

    def make_call(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            relayed.set([])

            async def more(message: Any) -> None:
                if message["type"] == "http.response.start":
                    message["headers"] = [*message["headers"], *relayed.get()]
                await send(message)

            await original(self, scope, receive, more)

        return call

    patch(upstream, "_read", make_read)
    patch(edge.Edge, "__call__", make_call)


def cors() -> None:
    """A preflight lets every page in (M-P03)."""

    def make(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http" or scope["method"] != "OPTIONS":
                await original(self, scope, receive, send)
                return
            origin = dict(scope["headers"]).get(b"origin", b"*").decode()
            headers = {
                "Access-Control-Allow-Origin": origin,
                "Access-Control-Allow-Credentials": "true",
                "Access-Control-Allow-Headers": "authorization, content-type",
            }
            await Response(status_code=204, headers=headers)(scope, receive, send)

        return call

    patch(edge.Edge, "__call__", make)


def late_notification() -> None:
    """A notification is executed a moment after it was answered."""
    tasks: set[asyncio.Task[None]] = set()

    def make(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            body = await gate._body(receive)
            try:
                message = json.loads(body)
            except ValueError:
                message = None
            named = isinstance(message, dict) and message.get("method") == "tools/call"
            if not named or "id" in message:
                await original(self, scope, calls._replay(body, receive), send)
                return
            task = asyncio.create_task(later(self, scope, message | {"id": 77}))
            tasks.add(task)
            await Response(status_code=202)(scope, receive, send)

        async def later(self: Any, scope: Any, message: dict[str, Any]) -> None:
            await asyncio.sleep(0.15)
            body = json.dumps(message).encode()
            length = b"%d" % len(body)
            headers = [(n, length if n == b"content-length" else v) for n, v in scope["headers"]]

            async def nothing(*_: Any) -> Any:
                await asyncio.sleep(0)

            inner = {**scope, "headers": headers}
            await original(self, inner, calls._replay(body, nothing), nothing)

        return call

    patch(gate.Gate, "__call__", make)


def create_note_fails() -> None:
    """create_note never succeeds."""

    def make(original: Any) -> Any:
        def validated(model: Any, arguments: dict[str, Any]) -> Any:
            if model.__name__ == "create_note":
                raise errors.ToolFailure("internal")
            return original(model, arguments)

        return validated

    patch(tools, "_validated", make)


BUGS: dict[str, Callable[[], None]] = {
    "sticky": sticky,
    "retry-timeout": retry_timeout,
    "relay-headers": relay_headers,
    "cors": cors,
    "late-notification": late_notification,
    "create-note-fails": create_note_fails,
}

if __name__ == "__main__":
    BUGS[sys.argv.pop()]()
    sys.exit(entry.main())
