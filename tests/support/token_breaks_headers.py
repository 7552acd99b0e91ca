"""Applications that verify one Authorization line and send on another: property 32."""

import contextvars
import re
from collections.abc import Callable
from typing import Any

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from support.token_breaks_base import Break
from support.token_header_properties import the_verified_token_is_forwarded
from support.token_subject import TokenSubject
from toolbridge_proxy.app import create_app
from toolbridge_proxy.metrics import Metrics
from toolbridge_proxy.settings import Settings

AUTHORIZATION = b"authorization"
Choose = Callable[[list[bytes]], bytes]
Forward = Callable[[list[bytes]], bytes | None]

_forwarded: contextvars.ContextVar[bytes | None] = contextvars.ContextVar("_forwarded")


class _Sender(httpx.AsyncBaseTransport):
    """Puts the chosen line into every request for the Go API."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        chosen = _forwarded.get(None)
        if chosen is not None and "authorization" in request.headers:
            del request.headers["authorization"]
            request.headers["Authorization"] = chosen.decode()
        return await self._inner.handle_async_request(request)


def choosing(verified: Choose, forwarded: Forward, source: bytes = AUTHORIZATION) -> Any:
    """Return a maker of applications that choose among the lines, each time in another way.

    What is forwarded is chosen among the lines called `source`; None leaves it to the reference.
    """

    def make(
        settings: Settings,
        metrics: Metrics | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> ASGIApp:
        app = create_app(settings, metrics, transport and _Sender(transport))

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                lines = [value for name, value in scope["headers"] if name == AUTHORIZATION]
                others = [value for name, value in scope["headers"] if name == source]
                kept = [pair for pair in scope["headers"] if pair[0] != AUTHORIZATION]
                if lines:
                    kept.append((AUTHORIZATION, verified(lines)))
                scope = {**scope, "headers": kept}
                _forwarded.set(forwarded(others) if others else None)
            await app(scope, receive, send)

        return serve

    return make


def first(lines: list[bytes]) -> bytes:
    return lines[0]


def last(lines: list[bytes]) -> bytes:
    return lines[-1]


def longest(lines: list[bytes]) -> bytes:
    return max(lines, key=len)


def joined(lines: list[bytes]) -> bytes:
    """Join the lines as RFC 9110 section 5.3 does for lists, which this field is not."""
    return b", ".join(lines)


def first_of_list(lines: list[bytes]) -> bytes:
    return lines[0].split(b",")[0]


def respelled(lines: list[bytes]) -> bytes:
    return re.sub(rb"(?i)^\s*bearer (.*?)\s*$", rb"Bearer \1=", lines[0])


def as_sent(lines: list[bytes]) -> bytes:
    """Forward the scheme in the client's spelling, which the Go API does not read."""
    return lines[0].strip()


def app(name: str, verified: Choose, forwarded: Choose, source: bytes = AUTHORIZATION) -> Break:
    made = choosing(verified, forwarded, source)
    return Break(name, the_verified_token_is_forwarded, TokenSubject(name, app=made))


BREAKS: tuple[Break, ...] = (
    app("the first is verified, the last sent on", first, last),
    app("the last is verified, the first sent on", last, first),
    app("the first is verified, the longest sent on", first, longest),
    app("the first is verified, all sent on", first, joined),
    app("the first of a list is verified, the list sent on", first_of_list, first),
    app("sent on with padding", first, respelled),
    app("sent on as the client spelled it", first, as_sent),
    app("another header sent on", first, first, b"x-forwarded-authorization"),
)
