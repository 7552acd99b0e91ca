"""What a Go API does with a request: answer, break off, hang; and its good answers."""

import asyncio
import itertools
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpcore
import httpx

from support.error_bodies import CANARY, JSON, Body
from support.proxy_upstream import DELETED, ITEM, PAGE, SESSIONS, session_body

Plan = Callable[[httpx.Request], Awaitable[httpx.Response]]
FAULT = "fault"  # respx rewrites the cause of what is raised, so it is carried to the transport

# None of these may come out at the other end: fly-replay would send the caller's token away.
NOISE = [
    ("Set-Cookie", f"sid={CANARY}"),
    ("Fly-Replay", f"app={CANARY}"),
    ("Access-Control-Allow-Origin", f"https://{CANARY}.example"),
    ("Server", CANARY),
]


class Stream(httpx.AsyncByteStream):
    """A body that comes in parts, and may fail on the way."""

    def __init__(self, parts: Callable[[], AsyncIterator[bytes]]) -> None:
        self._parts = parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._parts():
            yield part


def whole(body: bytes) -> Stream:
    async def parts() -> AsyncIterator[bytes]:
        yield body

    return Stream(parts)


def answer(status: int, body: Body = (b"", None), *headers: tuple[str, str]) -> Plan:
    """Answer with these bytes and this media type."""
    content, kind = body
    return streamed(status, lambda: whole(content), kind, *headers)


def streamed(
    status: int, stream: Callable[[], Stream], kind: str | None = JSON, *headers: tuple[str, str]
) -> Plan:
    """Answer with a body that is made anew for each request."""
    sent = [*([("Content-Type", kind)] if kind else []), *NOISE, *headers]

    async def plan(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers=sent, stream=stream())

    return plan


def good_data(request: httpx.Request) -> Any:
    """The data of a good answer to `request`."""
    if request.url.path == SESSIONS:
        return session_body(1)
    if request.method == "DELETE":
        return DELETED
    return PAGE if request.method == "GET" and request.url.path.count("/") == 2 else ITEM


def spoiled(
    spoil: Callable[[bytes], bytes], kind: str | None = JSON, *headers: tuple[str, str]
) -> Plan:
    """Answer 200 with a good answer's bytes, spoiled; `kind` None leaves out the media type."""

    async def plan(request: httpx.Request) -> httpx.Response:
        body = spoil(json.dumps(good_data(request)).encode())
        return await answer(200, (body, kind), *headers)(request)

    return plan


def changed(**fields: Any) -> Plan:
    """Answer 200 with a good object in which `fields` are changed; in a page its only one."""

    async def plan(request: httpx.Request) -> httpx.Response:
        data = good_data(request)
        is_page = "items" in data
        data = {"items": [ITEM | fields]} if is_page else data | fields
        return await answer(200, (json.dumps(data).encode(), JSON))(request)

    return plan


def fails(make: Callable[[], Exception]) -> Plan:
    """Break off with what `make` returns, chained as it was made."""

    async def plan(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, extensions={FAULT: make})

    return plan


def caused(kind: type[httpx.TransportError], *causes: Exception) -> Plan:
    """Fail as httpx does, with httpcore's error and what the socket said behind it."""

    def make() -> Exception:
        chain = [kind(f"All connection attempts failed, {CANARY}"), *causes]
        for error, cause in itertools.pairwise(chain):
            error.__cause__ = cause
        return chain[0]

    return fails(make)


def not_connected(cause: Exception) -> Plan:
    return caused(httpx.ConnectError, httpcore.ConnectError(CANARY), cause)


def unresolved() -> Plan:
    return not_connected(socket.gaierror(-2, f"Name or service not known {CANARY}"))


def not_trusted() -> Plan:
    return not_connected(ssl.SSLCertVerificationError(1, f"certificate verify failed {CANARY}"))


def breaks_after(part: bytes, make: Callable[[], Exception], status: int = 200) -> Plan:
    """Send headers and `part` of the body, then break off."""

    async def parts() -> AsyncIterator[bytes]:
        yield part
        raise make()

    return streamed(status, lambda: Stream(parts))


async def hangs(_: httpx.Request) -> httpx.Response:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError


def hangs_after(part: bytes) -> Plan:
    """Send headers and `part` of the body, then nothing."""

    async def parts() -> AsyncIterator[bytes]:
        yield part
        await asyncio.Event().wait()

    return streamed(200, lambda: Stream(parts))


class Endless:
    """A body far above any cap; `sent` is how many bytes of it were taken.

    It does end, so that a proxy without a cap fails its test and not the machine.
    """

    CHUNK = b" " * 1_000_000
    CHUNKS = 24  # 20 are the most that may be held of one answer

    def __init__(self) -> None:
        self.sent = 0

    def stream(self) -> Stream:
        async def parts() -> AsyncIterator[bytes]:
            for _ in range(self.CHUNKS):
                self.sent += len(self.CHUNK)
                yield self.CHUNK

        return Stream(parts)
