"""SIGTERM and SIGINT while calls are in flight: finished or failed cleanly, in bounded time."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from support.contract_caller import JWT_SECRET, TENANT
from support.contract_server import (
    CONTROL_TOKEN,
    ServedMock,
    begin_session,
    fresh_subject,
    served_mock,
    signed_headers,
    wait_for_requests,
)
from support.e2e_proxies import ProxyProcess, running_proxy
from support.proxy_app import Mcp
from toolbridge_contract.control import Fault, MockControl
from toolbridge_contract.tokens import mint

pytestmark = pytest.mark.e2e

SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
# 0 or the signal after SIGTERM; 130 is what a shell reports for Ctrl-C.
CLEAN = {signal.SIGTERM: {0, -signal.SIGTERM}, signal.SIGINT: {0, 130, -signal.SIGINT}}
# Ten ticks of the server's loop and then some: an end that waits for nothing.
AT_ONCE = 5.0
NOTE = {"title": "T", "content": "C"}


@dataclass
class Busy:
    """A proxy that a test fills with calls, and the Go API that holds them."""

    proxy: ProxyProcess
    mock: ServedMock
    control: MockControl
    subject: str
    http: httpx.AsyncClient

    async def call(self, tool: str, *, modern: bool = False) -> httpx.Response:
        """Call a tool; the whole HTTP answer matters here."""
        params = {"name": tool, "arguments": NOTE if tool == "create_note" else {}}
        token = mint(self.subject, TENANT, JWT_SECRET)
        return await Mcp(self.http, modern).post("tools/call", params, token=token)

    async def hold(self, *faults: Fault) -> None:
        """Let what comes next be held; the caller has a session by then."""
        await self.call("list_tasks")
        for fault in faults:
            await self.control.inject(fault)

    async def arrived(self, count: int) -> None:
        """Wait until `count` requests beyond the session's two have reached the Go API."""
        await wait_for_requests(self.control, self.subject, 2 + count)

    async def stored(self, uid: str) -> int:
        """Ask the Go API itself whether a note is there: 200 or 404."""
        async with httpx.AsyncClient(base_url=self.mock.url, trust_env=False) as api:
            session = await begin_session(api, self.subject)
            headers = signed_headers(self.subject, **session)
            return (await api.get(f"/v1/notes/{uid}", headers=headers)).status_code

    async def idle(self, sent: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection, use it for `sent`, and keep it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.proxy.port)
        if sent:
            writer.write(sent)
            await reader.readuntil(b'"}')
        return reader, writer


def result(answer: httpx.Response) -> Any:
    """Return the structured content of an answer."""
    assert 200 == answer.status_code, answer.text
    return answer.json()["result"]["structuredContent"]


@pytest.fixture(scope="module")
def mock() -> Iterator[ServedMock]:
    with served_mock() as mock:
        yield mock


@asynccontextmanager
async def busy(mock: ServedMock, seconds: float) -> AsyncIterator[Busy]:
    """Run a proxy with this upstream time-out."""
    with running_proxy(mock.url, TOOLBRIDGE_UPSTREAM_TIMEOUT_SECONDS=f"{seconds:g}") as proxy:
        async with (
            MockControl(mock.control_url, CONTROL_TOKEN) as control,
            httpx.AsyncClient(base_url=proxy.url, trust_env=False, timeout=30) as http,
        ):
            subject = fresh_subject()
            yield Busy(proxy, mock, control, subject, http)
            await control.clear_faults(subject)


@SIGNALS
async def test_calls_in_flight_get_their_results(mock: ServedMock, number: signal.Signals) -> None:
    """Reads and writes of both eras end as if nothing had happened; each write is there once."""
    async with busy(mock, 20) as world:
        await world.hold(Fault(world.subject, kind="hang"))
        idle = [await world.idle(), await world.idle(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")]
        calls = [
            asyncio.create_task(world.call(tool, modern=modern))
            for modern in (False, True)
            for tool in ("create_note", "list_notes") * 2
        ]
        await world.arrived(len(calls))
        world.proxy.signal(number)
        async with asyncio.timeout(AT_ONCE):
            closed = [await reader.read() for reader, _ in idle]
        await world.proxy.refuses_connections()
        # Nothing is cut in the time in which a hasty shutdown would have cut it.
        assert set(calls) == (await asyncio.wait(calls, timeout=1))[1]
        await world.control.clear_faults(world.subject)
        answers = await asyncio.gather(*calls)
        code = await world.proxy.ended(AT_ONCE)
        recorded = (await world.control.requests(world.subject))[2:]
        made = [result(answer)["uid"] for answer in answers if "uid" in result(answer)]
        stored = [await world.stored(uid) for uid in made]
    for _, writer in idle:
        writer.close()

    assert [b"", b""] == closed
    assert (4, [200] * 4) == (len(set(made)), stored)
    assert [200] * 4 + [201] * 4 == sorted(request.status for request in recorded)
    assert ["close"] * 8 == [answer.headers["connection"] for answer in answers]
    assert code in CLEAN[number]
    assert 9 == len(world.proxy.events("tool_call"))
    assert "" == world.proxy.errors


@SIGNALS
async def test_calls_that_never_end_fail_cleanly(mock: ServedMock, number: signal.Signals) -> None:
    """The Go API stays silent: a definite error by the deadline, the exit within a second more."""
    async with busy(mock, 1) as world:
        await world.hold(
            Fault(world.subject, ("GET",), kind="hang"),
            Fault(world.subject, ("POST",), kind="hang", times=1, commit=True),
            Fault(world.subject, ("POST",), kind="hang"),
        )
        calls = []
        for tool in ("create_note", "create_note", "list_notes"):
            calls.append(asyncio.create_task(world.call(tool)))
            await world.arrived(len(calls))
        world.proxy.signal(number)
        started = time.monotonic()
        answers = await asyncio.gather(*calls)
        code = await world.proxy.ended(AT_ONCE)
        took = time.monotonic() - started
        await world.control.clear_faults(world.subject)
        errors = [result(answer)["error"] for answer in answers]
        stored = [await world.stored(error["uid"]) for error in errors[:2]]

    assert ["outcome_unknown", "outcome_unknown", "upstream_timeout"] == [e["code"] for e in errors]
    # Carried out and left alone: "unknown" is the truth for both.
    assert [200, 404] == stored
    assert code in CLEAN[number]
    assert took <= 1 + 1 + AT_ONCE / 2
    assert 4 == len(world.proxy.events("tool_call"))
    assert "" == world.proxy.errors


async def test_a_client_that_never_finishes_does_not_hold_the_exit(mock: ServedMock) -> None:
    """Half a body, then silence: cut off one second after the upstream time-out."""
    async with busy(mock, 1) as world:
        body = b"POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        halves = [
            await asyncio.open_connection("127.0.0.1", world.proxy.port) for _ in range(3)
        ]  # fmt: skip
        for _, writer in halves:
            writer.write(body + b'Content-Length: 100\r\n\r\n{"jsonrpc":')
            await writer.drain()
        # Answered on a later connection: what was sent before has been read by then.
        await world.call("health_check")
        world.proxy.signal(signal.SIGTERM)
        started = time.monotonic()
        code = await world.proxy.ended(2 + AT_ONCE)
        took = time.monotonic() - started
        ends = [await reader.read() for reader, _ in halves]
    for _, writer in halves:
        writer.close()

    assert code in CLEAN[signal.SIGTERM]
    assert took <= 1 + 1 + AT_ONCE / 2
    assert [True] * 3 == [end == b"" or end.startswith(b"HTTP/1.1 5") for end in ends]
    assert world.proxy.events("Shutting down")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (signal.SIGINT, signal.SIGINT),
        (signal.SIGTERM, signal.SIGINT),
        (signal.SIGTERM, signal.SIGTERM),
    ],
    ids=["ctrl-c twice", "term then ctrl-c", "term twice"],
)
async def test_a_second_signal_ends_it_at_once(
    mock: ServedMock, first: signal.Signals, second: signal.Signals
) -> None:
    """Whoever asks twice does not want to wait for the call that is still in flight."""
    async with busy(mock, 60) as world:
        await world.hold(Fault(world.subject, kind="hang"))
        call = asyncio.create_task(world.call("create_note"))
        await world.arrived(1)
        world.proxy.signal(first)
        await world.proxy.refuses_connections()
        assert world.proxy.process.poll() is None
        world.proxy.signal(second)
        code = await world.proxy.ended(AT_ONCE)
        [end] = await asyncio.gather(call, return_exceptions=True)

    assert code in CLEAN[first] | CLEAN[second]
    cut = isinstance(end, httpx.TransportError)
    assert cut or (isinstance(end, httpx.Response) and end.status_code == 500)
    assert world.proxy.events("Shutting down")
