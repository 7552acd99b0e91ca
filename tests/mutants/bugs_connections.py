"""Proxies that remember something of a connection, or go on after they have answered."""

import asyncio
import json
from typing import Any

from starlette.responses import Response

from mutants.table import mutant
from support.patching import patch
from toolbridge_proxy import calls, gate


@mutant("M-P12", "identity sticks to the connection", rows="SES-30", cause="run-strays")
def sticky() -> None:
    """The token of the first request counts for all: the Go API sees somebody else."""
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


@mutant(
    "notification-late",
    "a notification is executed a moment after it was answered",
    rows="MCP-07",
    cause="transport-no-silent-execution",
)
def late_notification() -> None:
    """202 first, then the tool: who looks at once sees nothing."""
    tasks: set[asyncio.Task[None]] = set()

    def make(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            body = await gate._body(receive)
            try:
                message = json.loads(body)
            except (ValueError, RecursionError):
                message = None
            wanted = {"jsonrpc": "2.0", "method": "tools/call"}
            named = isinstance(message, dict) and message.items() >= wanted.items()
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
