"""The connection of one request: answers as net/http frames them, and what ASGI has no word for."""

import asyncio
import contextlib
import functools
import http
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from email.utils import formatdate
from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from toolbridge_contract.mock.messages import Response

# Go's net/http buffers this much before it gives up on Content-Length and sends chunks.
_CHUNKED_ABOVE = 2048
# RFC 9110 §6.4.1: these never have content.
_BODILESS = frozenset({204, 304})
# A truncated answer promises this many bytes more than it sends.
_MISSING_BYTES = 1024
# SO_LINGER on, for zero seconds: close() sends a reset instead of a FIN.
_LINGER_RESET = struct.pack("ii", 1, 0)
_NS_PER_SECOND = 1_000_000_000


class Client:
    """Answers one request past uvicorn, which folds header names and writes twice."""

    def __init__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    ) -> None:
        self._cycle: RequestResponseCycle = scope["toolbridge.cycle"]
        self._transport: asyncio.Transport = self._cycle.transport
        self._head_only = scope["method"] == "HEAD"
        self._modern = scope["http_version"] == "1.1"
        self._receive = receive

    def answer(self, response: Response, now_ns: int) -> None:
        """Write a whole answer, dated `now_ns` (unix ns), and let the connection go on."""
        cycle = self._cycle
        if cycle.disconnected:
            return
        close = not cycle.keep_alive or (b"Connection", b"close") in response.headers
        body = b"" if self._head_only or response.status in _BODILESS else response.body
        parts = [_head(response), b"Date: ", _date(now_ns // _NS_PER_SECOND), b"\r\n"]
        # net/http does not say so to HTTP/1.0, which expects nothing else.
        if close and self._modern and (b"Connection", b"close") not in response.headers:
            parts.append(b"Connection: close\r\n")
        if len(body) > _CHUNKED_ABOVE and self._modern:
            parts += [b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body), body]
            parts.append(b"\r\n0\r\n\r\n")
        elif response.status in _BODILESS:
            parts.append(b"\r\n")
        else:
            parts += [b"Content-Length: %d\r\n\r\n" % len(body), body]
        self._transport.write(b"".join(parts))
        self._complete(close=close)

    def _complete(self, *, close: bool) -> None:
        """Tell uvicorn what its own `send` would have."""
        cycle = self._cycle
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        if close:
            self._transport.close()
        cycle.on_response()

    async def truncate(self, response: Response) -> None:
        """Promise more than is sent, then close."""
        length = len(response.body) + _MISSING_BYTES
        head = _head(response) + b"Content-Length: %d\r\n\r\n" % length
        self._transport.write(head + response.body)
        self._transport.close()
        await self._gone()

    async def drip(self, response: Response, seconds: float, *, head_at_once: bool) -> None:
        """Write an answer one byte every `seconds`, then close; ends when the client leaves."""
        head = _head(response) + b"Content-Length: %d\r\n\r\n" % len(response.body)
        rest = response.body if head_at_once else head + response.body
        if head_at_once:
            self._transport.write(head)
        never = asyncio.Event()
        for byte in rest:
            if not await self.stays(never, seconds):
                return
            self._transport.write(bytes([byte]))
        self._complete(close=True)

    async def reset(self) -> None:
        """Reset the connection before any byte."""
        raw = self._transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_RESET)
        self._transport.abort()
        await self._gone()

    async def stays(self, cleared: asyncio.Event, seconds: float | None) -> bool:
        """Wait for `cleared` or `seconds`; False when the client leaves before."""
        gone = asyncio.ensure_future(self._gone())
        released = asyncio.ensure_future(cleared.wait())
        waiters: set[asyncio.Future[Any]] = {gone, released}
        await asyncio.wait(waiters, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        left = gone.done()
        for waiter in waiters:
            waiter.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await waiter
        return not left

    async def _gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


def _head(response: Response) -> bytes:
    lines = [_status_line(response.status)]
    for name, value in response.headers:
        lines += [name, b": ", value, b"\r\n"]
    return b"".join(lines)


@functools.cache
def _status_line(status: int) -> bytes:
    try:
        phrase = http.HTTPStatus(status).phrase
    except ValueError:
        phrase = "status code"
    return f"HTTP/1.1 {status} {phrase}\r\n".encode()


# One entry per second of the clock; a skewed clock needs no more than the current one.
@functools.lru_cache(maxsize=4)
def _date(seconds: int) -> bytes:
    return formatdate(seconds, usegmt=True).encode()
