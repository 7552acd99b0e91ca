"""An issuer's key set endpoint: publishes keys, fails as endpoints do, and keeps count."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

PATH = "/.well-known/jwks.json"
_HEAD_BYTES = 64 * 1024
_CHUNK = b" " * 64 * 1024
# A set of a hundred RSA keys has 60 KiB: nobody needs to read this much.
_ENDLESS_BYTES = 50 * 1024 * 1024
# No read time-out of a second or more ends this; 400 bytes, a small set, take over a minute.
_DRIP_SECONDS = 0.2


class Mode(StrEnum):
    """What the endpoint does; the value says it in a report."""

    KEYS = "the key set"
    REFUSED = "refused connections"
    HANGS = "no answer"
    STATUS_500 = "HTTP 500"
    HTML = "an HTML page with HTTP 200"
    EMPTY = "{} with HTTP 200"
    ENDLESS = "50 MB that do not end"
    REDIRECT = "a redirect to another host"
    SLOW = "the key set, one byte every 0.2 s"


@dataclass(frozen=True)
class Fetch:
    """One request that came: its target as sent, and its header fields in order."""

    target: str
    headers: tuple[tuple[str, str], ...]


@dataclass
class JwksServer:
    """The endpoint at `url`; `published` are JSON Web Keys, `fetches` what was asked so far.

    Everything is counted, whatever its path; while connections are refused nothing can be.
    """

    host: str
    elsewhere: str = ""
    """Where a redirect points to."""
    published: list[dict[str, Any]] = field(default_factory=list)
    fetches: list[Fetch] = field(default_factory=list)
    mode: Mode = Mode.KEYS

    def __post_init__(self) -> None:
        # Never listens: it keeps the port ours while connections are refused.
        self._held = _bound(self.host, 0)
        self._port: int = self._held.getsockname()[1]
        self._server: asyncio.Server | None = None
        self._answering: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The address of the key set."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self._port}{PATH}"

    async def behave(self, mode: Mode) -> None:
        """Do `mode` from now on; what was being answered is cut off."""
        self.mode = mode
        await self._close(listening=mode is not Mode.REFUSED)
        if self._server is None and mode is not Mode.REFUSED:
            bound = _bound(self.host, self._port)
            self._server = await asyncio.start_server(self._serve, sock=bound, limit=_HEAD_BYTES)

    async def stop(self) -> None:
        """Close the port."""
        await self._close(listening=False)
        self._held.close()

    async def _close(self, *, listening: bool) -> None:
        if self._server is not None and not listening:
            self._server.close()
            self._server = None
        answering = list(self._answering)
        for task in answering:
            task.cancel()
        await asyncio.gather(*answering, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering = asyncio.create_task(self._answer(reader, writer))
        self._answering.add(answering)
        answering.add_done_callback(self._answering.discard)
        with contextlib.suppress(OSError, EOFError, asyncio.LimitOverrunError):
            try:
                await asyncio.wait([answering])
            finally:
                writer.close()
            if not answering.cancelled():
                answering.result()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = (line.partition(":") for line in lines[1:] if line)
        headers = tuple((name, value.strip()) for name, _, value in fields)
        target = lines[0].partition(" ")[2].rpartition(" ")[0]
        self.fetches.append(Fetch(target, headers))
        head, body = self._content()
        if self.mode is Mode.HANGS:
            await reader.read()
        elif self.mode is Mode.ENDLESS:
            await _endless(writer, head)
        elif self.mode is Mode.SLOW:
            await _drip(writer, _framed(head, body))
        else:
            writer.write(_framed(head, body))
            await writer.drain()

    def _content(self) -> tuple[str, bytes]:
        """Return status and media type, and the body."""
        json_type = "\r\nContent-Type: application/json"
        if self.mode is Mode.STATUS_500:
            return f"500 Internal Server Error{json_type}", b'{"error":"try again later"}'
        if self.mode is Mode.HTML:
            return "200 OK\r\nContent-Type: text/html", b"<!doctype html><title>Sign in</title>"
        if self.mode is Mode.REDIRECT:
            return f"302 Found\r\nLocation: {self.elsewhere}", b""
        keys = {} if self.mode is Mode.EMPTY else {"keys": self.published}
        return f"200 OK{json_type}", json.dumps(keys).encode()


def _framed(head: str, body: bytes) -> bytes:
    length = f"Content-Length: {len(body)}\r\nConnection: close"
    return f"HTTP/1.1 {head}\r\n{length}\r\n\r\n".encode() + body


async def _drip(writer: asyncio.StreamWriter, content: bytes) -> None:
    for byte in content:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(_DRIP_SECONDS)


async def _endless(writer: asyncio.StreamWriter, head: str) -> None:
    writer.write(f'HTTP/1.1 {head}\r\nConnection: close\r\n\r\n{{"keys":['.encode())
    for _ in range(_ENDLESS_BYTES // len(_CHUNK)):
        writer.write(_CHUNK)
        await writer.drain()
    while True:  # until the client leaves
        await _drip(writer, b" ")


def _bound(host: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    return made


@contextlib.asynccontextmanager
async def serving(host: str) -> AsyncIterator[JwksServer]:
    """Serve a key set on a free port of `host`, which publishes no key yet."""
    server = JwksServer(host)
    try:
        await server.behave(Mode.KEYS)
        yield server
    finally:
        await server.stop()
