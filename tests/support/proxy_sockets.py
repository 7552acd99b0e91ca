"""A Go API on a real socket that can misbehave below HTTP."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from support.proxy_upstream import SESSIONS, session_body

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def response(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """Return the bytes of an HTTP answer with a Content-Length."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


class Server:
    """Serves sessions well, and lets `behaviour` answer everything else."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.heads: list[str] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                await reader.readexactly(_content_length(head))
                self.heads.append(head)
                if head.startswith(f"POST {SESSIONS} "):
                    writer.write(response(json.dumps(session_body(1)).encode(), "201 Created"))
                else:
                    await self.behaviour(reader, writer)
                if writer.is_closing():
                    break
                await writer.drain()
        writer.close()

    @property
    def entity_heads(self) -> list[str]:
        """Heads of the requests that are not for sessions."""
        return [head for head in self.heads if SESSIONS not in head]


def _content_length(head: str) -> int:
    for line in head.lower().splitlines():
        if line.startswith("content-length:"):
            return int(line.partition(":")[2])
    return 0


@asynccontextmanager
async def raw_server(
    behaviour: Behaviour, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Server]:
    """Listen on a free loopback port."""
    server = Server(behaviour)
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with suppress(asyncio.CancelledError):
            await server.serve(reader, writer)
        writer.transport.abort()

    listener = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    port = listener.sockets[0].getsockname()[1]
    server.url = f"http{'s' if tls else ''}://127.0.0.1:{port}"
    try:
        yield server
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
