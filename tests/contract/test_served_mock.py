"""The mock as a process: what comes over a real socket, the recorder, faults, the control port."""

import asyncio
import json
import re
import signal
import socket
import time
from datetime import datetime

import httpx
import pytest

from support.contract_server import (
    CONTROL_TOKEN,
    ServedMock,
    begin_session,
    exchange,
    fresh_subject,
    raw_request,
    served_mock,
    signed_headers,
    wait_for_requests,
)
from toolbridge_contract.control import Fault, MockControl


async def test_an_item_is_made_and_listed(client: httpx.AsyncClient, subject: str) -> None:
    """The core answers; the server adds Date and Content-Length and no Server."""
    session = await begin_session(client, subject)
    made = await client.post(
        "/v1/notes", json={"title": "T"}, headers=signed_headers(subject, **session)
    )
    listed = await client.get("/v1/notes", headers=signed_headers(subject, **session))

    assert (made.status_code, listed.status_code) == (201, 200)
    assert [made.json()] == listed.json()["items"]
    assert len(made.content) == int(made.headers["Content-Length"])
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT", made.headers["Date"])
    assert "Server" not in made.headers


async def test_large_answers_are_chunked(client: httpx.AsyncClient, subject: str) -> None:
    """From about 2 KB, as net/http does."""
    session = await begin_session(client, subject)
    for size, chunked in ((1500, False), (5000, True), (300_000, True)):
        answer = await client.post(
            "/v1/notes", json={"t": "x" * size}, headers=signed_headers(subject, **session)
        )
        assert answer.json()["payload"]["t"] == "x" * size
        assert ("Transfer-Encoding" in answer.headers, "Content-Length" in answer.headers) == (
            chunked,
            not chunked,
        )


def test_headers_go_out_in_gos_spelling(mock: ServedMock, subject: str) -> None:
    """Canonical case, one Allow line per method, a length of 0."""
    received = exchange(mock.address, raw_request(subject).replace(b"GET", b"PUT", 1))

    assert received.startswith(b"HTTP/1.1 405 ")
    assert received.count(b"\r\nAllow: ") == 2
    assert received.endswith(b"Connection: close\r\nContent-Length: 0\r\n\r\n")


async def test_the_recorder_keeps_case_order_and_repeats(
    mock: ServedMock, control: MockControl, subject: str
) -> None:
    """Header names as sent, raw target, body, time and status."""
    before = time.time() * 1000
    lines = ("x-TB-weird: 1", "X-Tb-Weird: 2", "if-match: abc")
    received = exchange(mock.address, raw_request(subject, "/v1/notes?limit=%31&a", *lines))
    (record,) = await control.requests(subject)

    assert received.startswith(b"HTTP/1.1 428 ")
    assert (
        record.method,
        record.target,
        record.body,
        record.status,
    ) == ("GET", "/v1/notes?limit=%31&a", b"", 428)
    assert record.headers[-3:] == [("x-TB-weird", "1"), ("X-Tb-Weird", "2"), ("if-match", "abc")]
    assert [name for name, _ in record.headers[:3]] == ["Host", "Connection", "Authorization"]
    assert before <= record.received_ms <= time.time() * 1000
    assert record.violations == ["If-Match does not parse: 'abc'"]


async def test_violations_are_recorded_and_the_answer_stays_gos(
    client: httpx.AsyncClient, control: MockControl, subject: str
) -> None:
    """A bad signature is 401 without a reason; the record has it."""
    headers = signed_headers(subject)
    headers["X-TB-Signature"] = headers["X-TB-Signature"].upper()
    answer = await client.get("/v1/notes", headers=headers)
    (record,) = await control.requests(subject)

    assert answer.text == "Unauthorized: invalid tenant headers\n"
    assert record.violations == ["tenant headers: the signature is upper-case hex"]


TWO_LENGTHS = (
    b"POST /v1/notes HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx"
)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"GET /v1/notes HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n", b"400"),
        (b"GET /v1/notes HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n", b"400"),
        (b"GET /v1/notes HTTP/1.1\r\nConnection: close\r\n\r\n", b"400"),
        (b"GET /healthz HTTP/1.0\r\n\r\n", b"200"),
        (TWO_LENGTHS, b"400"),
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\nExpect: foo\r\n\r\n", b"417"),
        (b"GET http://a/healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", b"200"),
    ],
)
async def test_odd_http_is_answered_as_net_http_does(
    mock: ServedMock, control: MockControl, raw: bytes, status: bytes
) -> None:
    """Refusals close the connection, and every request is recorded, the malformed too."""
    seen = await control.stats()
    received = exchange(mock.address, raw)

    assert received.startswith(b"HTTP/1.1 " + status)
    (record,) = await control.requests(after=seen["recorded"])
    assert int(status) == record.status


def test_requests_in_one_segment_are_answered_in_order(mock: ServedMock, subject: str) -> None:
    """Pipelined, with a chunked body and a wait for 100 between them."""
    begin = raw_request(subject, "/v1/sync/sessions", "Transfer-Encoding: chunked")
    begin = begin.replace(b"GET", b"POST", 1).replace(b"Connection: close\r\n", b"")
    health = b"GET /healthz HTTP/1.1\r\nHost: a\r\n"
    received = exchange(
        mock.address,
        begin
        + b"5\r\nhello\r\n0\r\n\r\n"
        + health
        + b"Expect: 100-continue\r\n\r\n"
        + raw_request(subject),
    )

    found = re.findall(rb"HTTP/1.1 (\d+) ", received)
    assert [b"201", b"200", b"428"] == [status for status in found if status != b"100"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_at_once_with_hanging_connections(number: signal.Signals) -> None:
    """With code 0 and nothing on standard error; a graceful wait would never end."""
    subject = fresh_subject()
    with served_mock() as served:
        async with MockControl(served.control_url, CONTROL_TOKEN) as control:
            await control.inject(Fault(kind="hang"))
            with socket.create_connection(served.address, timeout=10) as hanging:
                hanging.sendall(raw_request(subject))
                await wait_for_requests(control, subject, 1)
                start = time.monotonic()
                code = await asyncio.to_thread(served.stop, number)
                took = time.monotonic() - start
        assert served.process.stderr is not None
        assert (code, served.process.stderr.read()) == (0, "")
    # 0.2 s where it was measured; the rest is for a busy machine.
    assert took < 5.0


def test_options_reach_the_api() -> None:
    """A clock offset shows in serverTime; without a control token no control port is opened."""
    with served_mock(
        "--clock-offset", "-3600", "--no-rate-limit", TOOLBRIDGE_MOCK_CONTROL_TOKEN=None
    ) as served:
        info = json.loads(
            exchange(
                served.address,
                b"GET /v1/sync/info HTTP/1.0\r\n\r\n",
            ).partition(b"\r\n\r\n")[2]
        )
        shown = datetime.fromisoformat(info["serverTime"][:26] + "+00:00").timestamp()
        assert 3590 < time.time() - shown < 3620
        assert served.control_url is None
