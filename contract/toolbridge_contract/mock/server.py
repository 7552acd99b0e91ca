"""Serve the mock and its control port: two uvicorn servers in one event loop."""

import asyncio
import contextlib
import functools
import gc
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import uvicorn

from toolbridge_contract.mock.api import GoApi
from toolbridge_contract.mock.asgi import MockApp
from toolbridge_contract.mock.control_app import control_app
from toolbridge_contract.mock.door import CannotListen
from toolbridge_contract.mock.faults import Faults
from toolbridge_contract.mock.protocol import RawProtocol
from toolbridge_contract.mock.recording import Recorder

# An idle connection that the server closes may race a request; the real API keeps them longer
# than any check waits.
_KEEP_ALIVE_SECONDS = 120
# What is still open at the end has been aborted by then; this is the last resort.
_GRACE_SECONDS = 1
# Connections not yet accepted: a burst of a load test must queue, not be refused.
_BACKLOG = 2048
# Whatever comes on standard input is thrown away.
_READ_BYTES = 4096
# Nearly all objects of a request die by reference count; the default looks every 40 requests.
_GC_THRESHOLDS = (20_000, 20, 20)


@dataclass(frozen=True)
class ServeOptions:
    """Where and how to serve; port 0 lets the system choose; no control token, no control port.

    `until_eof` stops when standard input ends, as it does when whoever started this is gone.
    """

    tenant_secret: str
    jwt_secret: str
    control_token: str | None = None
    host: str = "127.0.0.1"
    port: int = 0
    control_port: int = 0
    tenant_scoped: bool = False
    clock_offset: float = 0.0
    rate_limit: bool = True
    until_eof: bool = False


class _Server(uvicorn.Server):
    """A server whose signals are handled by whoever runs two of them."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the sockets, and say so."""
        await super().startup(sockets=sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def abort(self) -> None:
        """Stop, cutting every open connection."""
        self.should_exit = True
        self._cut()

    async def shut(self) -> None:
        """Stop listening and cut every open connection, but go on."""
        for server in self.servers:
            server.close()
        self._cut()
        # The sockets are closed in the loop's next turn; only then are connections refused.
        await asyncio.sleep(0)

    async def reopen(self, host: str, port: int) -> None:
        """Listen again; raises CannotListen."""
        await super().startup(sockets=[bind(host, port)])

    def _cut(self) -> None:
        for connection in list(self.server_state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()


def bind(host: str, port: int) -> socket.socket:
    """Return a bound socket; raises CannotListen."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CannotListen(f"cannot listen on {host}:{port}: {reason}") from None
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(_BACKLOG)
    except OSError as error:
        bound.close()
        raise CannotListen(f"cannot listen on {host}:{port}: {error.strerror or error}") from None
    return bound


def url_of(host: str, bound: socket.socket) -> str:
    """Return the URL of a bound socket under the name it was asked for."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{bound.getsockname()[1]}"


def serve(options: ServeOptions) -> None:
    """Serve until SIGTERM or SIGINT; announce the URLs as one JSON line on standard output."""
    sockets = [bind(options.host, options.port)]
    try:
        if options.control_token:
            sockets.append(bind(options.host, options.control_port))
    except CannotListen:
        sockets[0].close()
        raise
    loop_factory = uvicorn.Config(app="", loop="uvloop").get_loop_factory()
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(_serve(options, sockets))


async def _serve(options: ServeOptions, sockets: list[socket.socket]) -> None:
    servers = _servers(options, sockets[0].getsockname()[1])
    # What lives as long as the process need not be looked at by every full collection.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if options.until_eof:
        loop.add_reader(sys.stdin.fileno(), _stop_at_eof, loop, stop)
    tasks = [
        asyncio.ensure_future(server.serve([bound]))
        for server, bound in zip(servers, sockets, strict=True)
    ]
    stopping = asyncio.ensure_future(stop.wait())
    listening = asyncio.ensure_future(_all_listening(servers))
    ends = [stopping, *tasks]
    await asyncio.wait([listening, *ends], return_when=asyncio.FIRST_COMPLETED)
    if listening.done():
        _announce([url_of(options.host, bound) for bound in sockets])
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    for waiter in (stopping, listening):
        waiter.cancel()
    for server in servers:
        server.abort()
    await asyncio.gather(*tasks)


def _stop_at_eof(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), _READ_BYTES):
        loop.remove_reader(sys.stdin.fileno())
        stop.set()


async def _all_listening(servers: list[_Server]) -> None:
    for server in servers:
        await server.listening.wait()


def _announce(urls: list[str]) -> None:
    line = {"url": urls[0], "control_url": urls[1] if len(urls) > 1 else None}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _servers(options: ServeOptions, port: int) -> list[_Server]:
    api = GoApi(
        tenant_secret=options.tenant_secret,
        jwt_secret=options.jwt_secret,
        clock_offset=options.clock_offset,
        tenant_scoped=options.tenant_scoped,
        rate_limit=options.rate_limit,
    )
    mock = MockApp(api, Recorder(), Faults())
    served = _Server(_config(mock, http=RawProtocol))
    mock.door.hang(served.shut, functools.partial(served.reopen, options.host, port))
    servers = [served]
    if options.control_token:
        servers.append(_Server(_config(control_app(mock, options.control_token))))
    return servers


def _config(app: Any, http: Any = "httptools") -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=http,
        ws="none",
        lifespan="off",
        interface="asgi3",
        proxy_headers=False,
        server_header=False,
        # The mock's Date follows its own clock.
        date_header=False,
        access_log=False,
        log_level="warning",
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
