"""Bytes, or one HTTP/1.1 request and its answer, from one connection to another."""

import asyncio
import contextlib
import re
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

Address = tuple[str, int]
Rewrite = Callable[[bytes], bytes]

_CHUNK_BYTES = 65536
_HEAD_END = b"\r\n\r\n"
_CONNECTION = re.compile(rb"\r\n(?:connection|keep-alive):[^\r]*", re.IGNORECASE)
_BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


async def copy(
    reader: StreamReader, writer: StreamWriter, note: Callable[[int], None] | None = None
) -> None:
    """Pass on what comes until it ends; `note` is told the size of each piece."""
    while chunk := await reader.read(_CHUNK_BYTES):
        if note is not None:
            note(len(chunk))
        writer.write(chunk)
        await writer.drain()


async def until_either(*works: Coroutine[Any, Any, None]) -> None:
    """Run coroutines until the first of them ends, then end the others."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


@contextlib.asynccontextmanager
async def connected(
    address: Address, source: str | None = None
) -> AsyncIterator[tuple[StreamReader, StreamWriter]]:
    """Yield reader and writer of a connection to `address`, from the address `source`."""
    local = (source, 0) if source else None
    reader, writer = await asyncio.open_connection(*address, local_addr=local)
    with contextlib.closing(writer):
        yield reader, writer


def closing_after(head: bytes) -> bytes:
    """Return the head of a message with `Connection: close`, so that nothing follows it."""
    return _CONNECTION.sub(b"", head).removesuffix(b"\r\n") + b"Connection: close\r\n\r\n"


async def relay_one(
    head: bytes,
    client: tuple[StreamReader, StreamWriter],
    server: tuple[StreamReader, StreamWriter],
    rewrite: Rewrite = closing_after,
) -> None:
    """Send the request that begins with `head`, and its answer back with `rewrite` on its head."""

    async def answer() -> None:
        try:
            answered = await server[0].readuntil(_HEAD_END)
        except (EOFError, ConnectionError):
            client[1].write(_BAD_GATEWAY)
            return
        client[1].write(rewrite(answered))
        await copy(server[0], client[1])

    async def body() -> None:
        # A server may answer, and close, before it has read all: its answer is what counts.
        with contextlib.suppress(ConnectionError):
            await copy(client[0], server[1])
        await asyncio.Event().wait()  # who has sent all may still want the answer

    server[1].write(closing_after(head))
    await until_either(body(), answer())


async def request_head(reader: StreamReader) -> bytes:
    """Return a request's line and headers, with the blank line after them."""
    return await reader.readuntil(_HEAD_END)
