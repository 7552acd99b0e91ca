"""A load balancer without affinity: each request goes to the next server, on its own connection."""

import asyncio
import re
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress

import uvicorn
from starlette.types import ASGIApp

_CONNECTION = re.compile(rb"\r\nconnection:[^\r]*", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
_CHUNK_BYTES = 65536


class RoundRobin:
    """An HTTP/1.1 relay; who refuses the connection has seen nothing, so the next one is asked."""

    def __init__(self, ports: list[int]) -> None:
        self.ports = list(ports)
        self.url = ""
        self.served: Counter[int] = Counter()
        self.refused = 0
        self._turn = 0

    def _next(self) -> int:
        self._turn += 1
        return self.ports[self._turn % len(self.ports)]

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        for _ in self.ports:
            port = self._next()
            try:
                streams = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                self.refused += 1
                continue
            self.served[port] += 1
            return streams
        raise ConnectionRefusedError("all servers refuse connections")

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one request on, and its answer back as it comes."""
        with suppress(ConnectionError, asyncio.IncompleteReadError), closing(writer):
            request = await _request(reader)
            upstream_reader, upstream_writer = await self._connect()
            with closing(upstream_writer):
                upstream_writer.write(request)
                while chunk := await upstream_reader.read(_CHUNK_BYTES):
                    writer.write(chunk)
                    await writer.drain()


async def _request(reader: asyncio.StreamReader) -> bytes:
    """Read one request and ask for a connection that ends with its answer, on both sides."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    body = await reader.readexactly(int(length[1])) if length else b""
    return _CONNECTION.sub(b"", head)[:-2] + b"Connection: close\r\n\r\n" + body


@asynccontextmanager
async def round_robin(ports: list[int]) -> AsyncIterator[RoundRobin]:
    """Listen on a free loopback port in front of servers on `ports`."""
    front = RoundRobin(ports)
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(front.relay(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    listener = await asyncio.start_server(connected, "127.0.0.1", 0)
    front.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield front
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Server(uvicorn.Server):
    """Leaves the signals to the test run, and says where it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then publish the port."""
        await super().startup(sockets)
        self.listening.set_result(self.servers[0].sockets[0].getsockname()[1])


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[int]:
    """Serve an application in this event loop; yields its port."""
    config = uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=1)
    server = _Server(config)
    task = asyncio.create_task(server.serve())
    try:
        yield await server.listening
    finally:
        server.should_exit = True
        await task
