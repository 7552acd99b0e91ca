"""The served mock beside an empty ASGI application, and its memory under 100,000 requests.

Run `python benchmarks/mock_api.py`. Both servers are processes with the same uvicorn, event loop
and HTTP protocol classes, loaded in turn with the same requests over keep-alive connections: a
list of ten notes, each request signed for itself. Exit code 1 when the mock serves less than a
third of what the empty application serves, or its memory grows past the recorder's bound.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import secrets
import statistics
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httptools
import httpx
import psutil
import uvicorn

from toolbridge_contract.mock.protocol import RawProtocol
from toolbridge_contract.mock.recording import MAX_RECORDS
from toolbridge_contract.mock.server import bind, url_of
from toolbridge_contract.signing import tenant_headers
from toolbridge_contract.tokens import mint

GOAL = 1 / 3
NOTES = 10
CALLERS = 8
# Enough to keep a server busy while an answer is on its way; a proxy's pool is of this order.
CONNECTIONS = 16
TENANT = "bench"
SECRETS = {
    "TENANT_HEADER_SECRET": secrets.token_hex(32),
    "JWT_HS256_SECRET": secrets.token_hex(32),
}
# Timestamps differ by a millisecond each, so that no verdict is of use twice; the API takes 300 s.
OLDEST_MS = 200_000
# Past MAX_RECORDS each record replaces one of its size; what is left is the allocator's noise.
MAX_SLOPE_BYTES = 100


@dataclass(frozen=True)
class Server:
    """A server that runs; `process` is of psutil."""

    url: str
    process: Any

    @property
    def cpu_seconds(self) -> float:
        """CPU time used so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    @property
    def rss(self) -> int:
        """Resident memory in bytes."""
        return int(self.process.memory_info().rss)


@contextlib.asynccontextmanager
async def running(*command: str) -> AsyncIterator[Server]:
    """Run a Python command that announces its URL as a JSON line, until the block ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, env=os.environ | SECRETS, stdout=asyncio.subprocess.PIPE
    )
    try:
        if process.stdout is None:
            raise RuntimeError("the server has no standard output")
        url = json.loads(await process.stdout.readline())["url"]
        yield Server(url, psutil.Process(process.pid))
    finally:
        process.terminate()
        await process.wait()


def serve_empty() -> None:
    """Serve an application that does nothing, framed as the mock is."""

    async def empty(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    config = uvicorn.Config(
        empty,
        http=RawProtocol,
        loop="uvloop",
        ws="none",
        lifespan="off",
        interface="asgi3",
        proxy_headers=False,
        server_header=False,
        date_header=False,
        access_log=False,
        log_level="warning",
    )
    bound = bind("127.0.0.1", 0)
    sys.stdout.write(json.dumps({"url": url_of("127.0.0.1", bound)}) + "\n")
    sys.stdout.flush()
    uvicorn.Server(config).run([bound])


class Caller:
    """One user with a session and ten notes, as the proxy would speak for them."""

    def __init__(self, number: int) -> None:
        token = mint(f"bench-{number}", TENANT, SECRETS["JWT_HS256_SECRET"])
        self._headers = {"Authorization": f"Bearer {token}"}

    def headers(self, age_ms: int = 0) -> dict[str, str]:
        """Return the headers of one request, signed `age_ms` ago."""
        now_ms = time.time_ns() // 1_000_000 - age_ms
        return self._headers | tenant_headers(TENANT, SECRETS["TENANT_HEADER_SECRET"], now_ms)

    async def stock(self, client: httpx.AsyncClient) -> None:
        """Begin a session and create the notes."""
        session = await client.post("/v1/sync/sessions", headers=self.headers())
        found = session.raise_for_status().json()
        self._headers |= {"X-Sync-Session": found["id"], "X-Sync-Epoch": str(found["epoch"])}
        for number in range(NOTES):
            note = {"title": f"Note {number}", "content": "Some words to list.", "tags": ["a"]}
            answer = await client.post("/v1/notes", json=note, headers=self.headers())
            answer.raise_for_status()


def requests(callers: list[Caller], count: int) -> Iterator[bytes]:
    """Yield signed lists of ten notes, as the proxy sends them."""
    for number, caller in zip(range(count), itertools.cycle(callers), strict=False):
        headers = {
            "Host": "go-api.internal",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "toolbridge-proxy",
            "X-Correlation-ID": f"bench-{number:09d}",
            **caller.headers(age_ms=number % OLDEST_MS),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        yield f"GET /v1/notes?limit={NOTES} HTTP/1.1\r\n{lines}\r\n".encode()


class Connection(asyncio.Protocol):
    """Sends one request after the other; `finished` is set when there are no more."""

    def __init__(self, todo: Iterator[bytes]) -> None:
        self._todo = todo
        self._parser = httptools.HttpResponseParser(self)
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = transport
        self._next()

    def _next(self) -> None:
        request = next(self._todo, None)
        if request is not None:
            # BaseTransport to asyncio; that of a connection can write.
            self._transport.write(request)  # type: ignore[attr-defined]
        elif not self.finished.done():
            self.finished.set_result(None)
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Go on, or fail at an answer that is not 200."""
        status = self._parser.get_status_code()
        if status == 200:
            self._next()
        elif not self.finished.done():
            self.finished.set_exception(RuntimeError(f"answered {status}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail if there was more to do."""
        if not self.finished.done():
            self.finished.set_exception(exc or ConnectionError("the server closed"))


async def drive(server: Server, todo: list[bytes]) -> float:
    """Send all requests over the connections; return the seconds that it took."""
    url = httpx.URL(server.url)
    shared = iter(todo)
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    opened = [
        await loop.create_connection(lambda: Connection(shared), url.host, url.port or 80)
        for _ in range(CONNECTIONS)
    ]
    await asyncio.gather(*(connection.finished for _, connection in opened))
    return time.perf_counter() - started


@dataclass(frozen=True)
class Round:
    """What one server did in one round: per second, and server and client CPU per request."""

    rate: float
    server_us: float
    client_us: float


async def measure(server: Server, todo: list[bytes]) -> Round:
    """Load one server once."""
    server_before, client_before = server.cpu_seconds, time.process_time()
    seconds = await drive(server, todo)
    to_us = 1e6 / len(todo)
    return Round(
        len(todo) / seconds,
        (server.cpu_seconds - server_before) * to_us,
        (time.process_time() - client_before) * to_us,
    )


async def throughput(
    mock: Server, empty: Server, callers: list[Caller], rounds: int, count: int
) -> float:
    """Load both in turn, print the table, and return the median of the ratios."""
    pairs = []
    write = sys.stdout.write
    write(f"{'round':>6} {'mock/s':>8} {'empty/s':>8} {'ratio':>6}   CPU µs a request\n")
    for number in range(rounds + 1):
        todo = list(requests(callers, count))
        # Which goes first alternates, so that neither always meets the warmer machine.
        order = [mock, empty] if number % 2 else [empty, mock]
        found = {server.url: await measure(server, todo) for server in order}
        ours, theirs = found[mock.url], found[empty.url]
        if number == 0:  # warm-up
            continue
        pairs.append((ours, theirs))
        write(
            f"{number:>6} {ours.rate:>8.0f} {theirs.rate:>8.0f} {ours.rate / theirs.rate:>6.2f}"
            f"   mock {ours.server_us:.0f}, empty {theirs.server_us:.0f},"
            f" client {ours.client_us:.0f} and {theirs.client_us:.0f}\n"
        )
    ratio = statistics.median(ours.rate / theirs.rate for ours, theirs in pairs)
    cpu = statistics.median(theirs.server_us / ours.server_us for ours, theirs in pairs)
    verdict = "met" if ratio >= GOAL else "MISSED"
    write(f"median ratio {ratio:.2f} (goal {GOAL:.2f}: {verdict}); by server CPU {cpu:.2f}\n\n")
    return ratio


async def memory(mock: Server, callers: list[Caller], total: int) -> float:
    """Record `total` requests, print the memory, and return bytes per request once full."""
    step = max(total // 10, 1)
    points = [(0, mock.rss)]
    for number in range(1, 11):
        await drive(mock, list(requests(callers, step)))
        points.append((number * step, mock.rss))
    for recorded, rss in points:
        sys.stdout.write(f"{recorded:>8} requests recorded: {rss / 2**20:>6.1f} MiB\n")
    # Twice the bound, so that the allocator has settled too.
    full = [point for point in points if point[0] >= 2 * MAX_RECORDS]
    slope = statistics.linear_regression(*zip(*full, strict=True)).slope
    verdict = "bounded" if slope <= MAX_SLOPE_BYTES else "GROWING"
    sys.stdout.write(f"slope past {full[0][0]}: {slope:.0f} bytes a request: {verdict}\n")
    return slope


async def run(options: argparse.Namespace) -> int:
    """Run both benchmarks; return the exit code."""
    callers = [Caller(number) for number in range(CALLERS)]
    serve = ("-m", "toolbridge_contract", "serve", "--no-rate-limit")
    async with running(*serve) as mock, running(__file__, "--serve-empty") as empty:
        async with httpx.AsyncClient(base_url=mock.url) as client:
            for caller in callers:
                await caller.stock(client)
        slope = await memory(mock, callers, options.recorded)
        sys.stdout.write("\n")
        ratio = await throughput(mock, empty, callers, options.rounds, options.requests)
    return 0 if ratio >= GOAL and slope <= MAX_SLOPE_BYTES else 1


def main() -> int:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="rounds after the warm-up")
    parser.add_argument("--requests", type=int, default=4000, help="to each server in a round")
    parser.add_argument("--recorded", type=int, default=100_000, help="for the memory")
    parser.add_argument("--serve-empty", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.recorded < 4 * MAX_RECORDS:
        parser.error(f"--recorded: at least {4 * MAX_RECORDS}, for a slope past the bound")
    if options.serve_empty:
        serve_empty()
        return 0
    factory = uvicorn.Config(app="", loop="uvloop").get_loop_factory()
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(run(options))


if __name__ == "__main__":
    sys.exit(main())
