"""A listening socket whose connections are plain or TLS, as it is decided for each."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

# Both ends are on this machine: a handshake takes milliseconds, also with both cores busy.
HANDSHAKE_SECONDS = 5.0
_BACKLOG = 100  # the default of asyncio's servers
_TLS_HANDSHAKE = b"\x16"  # ContentType.handshake (RFC 8446 section 5.1): no HTTP method begins so


class Listener:
    """Accepts connections on a free port of `host` and hands each to `handle`.

    `context` is that of the connections to come; None serves them in plain. `either` looks at the
    first byte, and serves in plain what does not begin a TLS handshake.
    """

    def __init__(
        self,
        handle: Handler,
        *,
        host: str = "127.0.0.1",
        context: ssl.SSLContext | None = None,
        either: bool = False,
    ) -> None:
        self.host, self.context = host, context
        self.accepted = 0
        """Connections that came, whatever became of them."""
        self._handle, self._either = handle, either
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: set[asyncio.Transport] = set()

    async def __aenter__(self) -> Self:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._socket = socket.create_server((self.host, 0), family=family, backlog=_BACKLOG)
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]
        self._accepting = asyncio.create_task(self._accept())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._accepting.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(self._accepting, *self._tasks, return_exceptions=True)
        self._socket.close()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return self.host, self.port

    async def drop(self) -> None:
        """Cut the open connections, so that the next request needs a new one."""
        for transport in list(self._open):
            transport.abort()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=HANDSHAKE_SECONDS)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(self._socket)
            self.accepted += 1
            task = asyncio.create_task(self._serve(connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: socket.socket) -> None:
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        try:
            transport = await self._opened(connection, protocol)
        except (OSError, TimeoutError):  # a handshake that fails is an SSLError: an OSError
            return
        self._open.add(transport)
        writer = asyncio.StreamWriter(transport, protocol, reader, asyncio.get_running_loop())
        try:
            with contextlib.suppress(OSError, EOFError, asyncio.LimitOverrunError):
                await self._handle(reader, writer)
                writer.close()
                async with asyncio.timeout(HANDSHAKE_SECONDS):  # a client may not read to the end
                    await writer.wait_closed()
        finally:
            self._open.discard(transport)
            transport.abort()

    async def _opened(
        self, connection: socket.socket, protocol: asyncio.Protocol
    ) -> asyncio.Transport:
        loop, context = asyncio.get_running_loop(), self.context
        seconds = None if context is None else HANDSHAKE_SECONDS
        try:
            if self._either and not await _begins_tls(connection):
                context = seconds = None
            transport, _ = await loop.connect_accepted_socket(
                lambda: protocol,
                connection,
                ssl=context,
                ssl_handshake_timeout=seconds,
                ssl_shutdown_timeout=seconds,
            )
        except BaseException:
            connection.close()
            raise
        return transport


async def _begins_tls(connection: socket.socket) -> bool:
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(connection, readable.set)
    try:
        await asyncio.wait_for(readable.wait(), HANDSHAKE_SECONDS)
    finally:
        loop.remove_reader(connection)
    return connection.recv(1, socket.MSG_PEEK) == _TLS_HANDSHAKE
