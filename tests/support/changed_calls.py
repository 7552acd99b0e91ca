"""Change tool calls of the reference proxy: their arguments, requests, headers and answers."""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from support.patching import patch
from toolbridge_proxy import calls, edge, gate, tools, upstream

Pairs = list[tuple[str, str]]
Arguments = dict[str, Any]
# Takes the operation's name, its arguments and the request made of them.
Change = Callable[[str, Arguments, upstream.ApiRequest], upstream.ApiRequest]


def arguments(change: Callable[[str, Arguments], Arguments]) -> None:
    """Let `change(tool, arguments)` change arguments before validation; it returns what is
    added unvalidated."""

    def make(original: Any) -> Any:
        def validated(model: Any, given: Arguments) -> Any:
            kept = dict(given)
            added = change(model.__name__, kept)
            return original(model, kept) | added

        return validated

    patch(tools, "_validated", make)


def built(change: Change) -> None:
    """Let `change` see each request that a tool's arguments become."""

    def make(original: Any) -> Any:
        def build(entity: Any, name: str, given: Arguments) -> upstream.ApiRequest:
            return change(name, given, original(entity, name, given))

        return build

    patch(tools, "build", make)


def headers(change: Callable[[Pairs, Any], Pairs]) -> None:
    """Let `change(headers, call)` replace the headers of each request, before they are signed."""

    def make(original: Any) -> Any:
        def made(self: upstream.Upstream, request: Any, call: Any) -> Pairs:
            return change(original(self, request, call), call)

        return made

    patch(upstream.Upstream, "_headers", make)


def exchanges(make: Callable[[Any], Any]) -> None:
    """Replace the exchange of one request for one answer by what `make(original)` returns."""
    patch(upstream.Upstream, "_exchange", make)


def heard() -> ContextVar[dict[str, str]]:
    """Return the headers of the request at hand, by lower-case name."""
    said: ContextVar[dict[str, str]] = ContextVar("said")

    def make(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            raw = scope.get("headers", ())
            said.set({name.decode(): value.decode("latin-1") for name, value in raw})
            await original(self, scope, receive, send)

        return call

    patch(edge.Edge, "__call__", make)
    return said


def cancelled_by_hang_up() -> None:
    """Cancel the work of a request when its sender hangs up."""

    def make(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                await original(self, scope, receive, send)
                return
            body = await gate._body(receive)
            # Waits for ever, as receive does on an open connection: what it returns is never seen.
            again = calls._replay(body, asyncio.Event().wait)  # type: ignore[arg-type]
            work = asyncio.create_task(original(self, scope, again, send))
            gone = asyncio.create_task(receive())
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            (gone if work.done() else work).cancel()
            await asyncio.gather(work, gone, return_exceptions=True)

        return call

    patch(edge.Edge, "__call__", make)


def session_header(choose: Callable[[bytes | None], bytes | None]) -> None:
    """Put what `choose` makes of the caller's MCP session id on every answer."""

    def make(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            given = dict(scope.get("headers", ())).get(b"mcp-session-id")
            session = choose(given)

            async def more(message: Any) -> None:
                if message["type"] == "http.response.start" and session:
                    kept = [*message["headers"], (b"mcp-session-id", session)]
                    message = {**message, "headers": kept}
                await send(message)

            await original(self, scope, receive, more)

        return call

    patch(edge.Edge, "__call__", make)
