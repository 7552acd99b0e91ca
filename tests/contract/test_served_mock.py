"""The mock as a process: what comes over a real socket, the recorder, faults, the control port."""

import asyncio
import json
import re
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx
import pytest

from support.contract_server import (
    CONTROL_TOKEN,
    ServedMock,
    begin_session,
    exchange,
    fresh_subject,
    served_mock,
    signed_headers,
)
from toolbridge_contract.control import ControlError, Fault, MockControl


@pytest.fixture(scope="module")
def mock() -> Iterator[ServedMock]:
    with served_mock() as served:
        yield served


@pytest.fixture
async def control(mock: ServedMock) -> AsyncIterator[MockControl]:
    async with MockControl(mock.control_url, CONTROL_TOKEN) as client:
        yield client
        await client.clear_faults()
        await client.set_clock_offset(0)
        await client.shorten_sessions(None)


@pytest.fixture
async def client(mock: ServedMock) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=mock.url, timeout=10) as opened:
        yield opened


@pytest.fixture
def subject() -> str:
    return fresh_subject()


def raw_request(subject: str, target: str = "/v1/notes", *lines: str) -> bytes:
    headers = [f"{name}: {value}" for name, value in signed_headers(subject).items()]
    head = [f"GET {target} HTTP/1.1", "Host: api.test", "Connection: close", *headers, *lines]
    return ("\r\n".join(head) + "\r\n\r\n").encode()


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


async def test_a_fault_answers_instead_of_the_api(
    client: httpx.AsyncClient, control: MockControl, subject: str
) -> None:
    """Once, for its caller alone, with its status, headers and body; the record has the status."""
    fault = Fault(subject, ("POST",), "/v1/sync/.*", 1, "answer", 503, (("X-F", "1"),), b"busy")
    await control.inject(fault)

    answers = [
        await client.post("/v1/sync/sessions", headers=signed_headers(who))
        for who in (fresh_subject(), subject, subject)
    ]

    assert [answer.status_code for answer in answers] == [201, 503, 201]
    assert (answers[1].headers["X-F"], answers[1].text) == ("1", "busy")
    assert [record.status for record in await control.requests(subject)] == [503, 201]


@pytest.mark.parametrize("status", [204, 304, 599])
async def test_a_fault_of_any_status_is_framed(
    client: httpx.AsyncClient, control: MockControl, subject: str, status: int
) -> None:
    """204 and 304 have no content whatever the body; the connection goes on."""
    await control.inject(Fault(subject, times=1, status=status, body=b"x"))
    first = await client.post("/v1/sync/sessions", headers=signed_headers(subject))
    second = await client.post("/v1/sync/sessions", headers=signed_headers(subject))

    assert (status, 201) == (first.status_code, second.status_code)
    assert first.content == (b"x" if status == 599 else b"")


async def test_a_delay_answers_late(
    client: httpx.AsyncClient, control: MockControl, subject: str
) -> None:
    """The ordinary answer after the seconds asked for."""
    await control.inject(Fault(subject, kind="delay", seconds=0.3))
    start = time.monotonic()
    answer = await client.post("/v1/sync/sessions", headers=signed_headers(subject))

    assert answer.status_code == 201
    assert time.monotonic() - start >= 0.3


async def wait_for_requests(control: MockControl, subject: str, count: int) -> None:
    for _ in range(500):
        if len(await control.requests(subject)) >= count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"fewer than {count} requests of {subject} arrived")


async def create(
    client: httpx.AsyncClient, subject: str, session: dict[str, str]
) -> httpx.Response:
    return await client.post(
        "/v1/notes", json={"title": "T"}, headers=signed_headers(subject, **session)
    )


async def count_notes(client: httpx.AsyncClient, subject: str, session: dict[str, str]) -> int:
    answer = await client.get("/v1/notes", headers=signed_headers(subject, **session))
    return len(answer.json()["items"])


@pytest.mark.parametrize("commit", [False, True])
@pytest.mark.parametrize("kind", ["answer", "reset", "truncate", "hang", "delay"])
async def test_an_operation_is_executed_only_with_commit(
    mock: ServedMock, control: MockControl, subject: str, kind: str, commit: bool
) -> None:
    """Whatever the client sees, the row is there exactly when the fault commits."""
    fault = {"caller": subject, "kind": kind, "seconds": 30, "times": 1, "commit": commit}
    statuses = {"answer": 503, "reset": 0, "hang": 0, "delay": 0}
    statuses["truncate"] = 201 if commit else 503

    async with httpx.AsyncClient(base_url=mock.url, timeout=10) as other:
        session = await begin_session(other, subject)
        await control.inject(Fault.from_json(fault))
        async with httpx.AsyncClient(base_url=mock.url, timeout=10) as client:
            leaving = asyncio.ensure_future(create(client, subject, session))
            await wait_for_requests(control, subject, 2)
            if kind in ("hang", "delay"):
                leaving.cancel()
            (outcome,) = await asyncio.gather(leaving, return_exceptions=True)

        assert (kind == "answer") == isinstance(outcome, httpx.Response)
        assert int(commit) == await count_notes(other, subject, session)
        seen = [record.status for record in await control.requests(subject)]
        assert [201, statuses[kind], 200] == seen


async def test_a_reset_is_a_reset(mock: ServedMock, control: MockControl, subject: str) -> None:
    """The kernel reports ECONNRESET before any byte."""
    await control.inject(Fault(subject, kind="reset"))

    with pytest.raises(ConnectionResetError):
        exchange(mock.address, raw_request(subject))


async def test_a_truncated_answer_promises_more_than_it_sends(
    mock: ServedMock, control: MockControl, subject: str
) -> None:
    """Status and part of the body arrive, then a close."""
    await control.inject(Fault(subject, kind="truncate", status=200, body=b'{"items":['))
    received = exchange(mock.address, raw_request(subject))
    head, _, body = received.partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200 ")
    assert body == b'{"items":['
    assert b"content-length: 1034" in head.lower()


async def test_a_cleared_hang_is_answered(
    client: httpx.AsyncClient, control: MockControl, subject: str
) -> None:
    """The ordinary answer comes once the fault is cleared, though it was spent."""
    await control.inject(Fault(subject, kind="hang", times=1))
    hanging = asyncio.ensure_future(
        client.post("/v1/sync/sessions", headers=signed_headers(subject))
    )
    await wait_for_requests(control, subject, 1)
    (record,) = await control.requests(subject)
    assert (record.status, hanging.done()) == (0, False)
    await control.clear_faults(subject)

    assert (await hanging).status_code == 201


async def test_sessions_are_dropped_for_one_caller_or_all(
    client: httpx.AsyncClient, control: MockControl
) -> None:
    """As when the upstream restarts."""
    ann, bob = fresh_subject(), fresh_subject()
    sessions = {who: await begin_session(client, who) for who in (ann, bob)}

    async def statuses() -> list[int]:
        return [
            (await client.get("/v1/notes", headers=signed_headers(w, **s))).status_code
            for w, s in sessions.items()
        ]

    assert await control.drop_sessions(ann) == 1
    assert await control.drop_sessions("nobody") == 0
    assert await statuses() == [428, 200]
    assert await control.drop_sessions() >= 1
    assert await statuses() == [428, 428]


async def test_a_wipe_from_another_device(
    client: httpx.AsyncClient, control: MockControl, subject: str
) -> None:
    """The session is gone, the rows too, and the epoch is one more."""
    session = await begin_session(client, subject)
    await create(client, subject, session)

    assert await control.wipe(subject) == 2
    answer = await client.get("/v1/notes", headers=signed_headers(subject, **session))
    assert answer.status_code == 428
    session = await begin_session(client, subject)
    assert (session["X-Sync-Epoch"], await count_notes(client, subject, session)) == ("2", 0)


async def test_the_clock_and_the_lifetime_are_set(
    client: httpx.AsyncClient, control: MockControl, subject: str
) -> None:
    """An offset of 301 s refuses a good signature, and shows in Date; sessions live as told."""
    await control.shorten_sessions(0)
    session = await begin_session(client, subject)
    answer = await client.get("/v1/notes", headers=signed_headers(subject, **session))
    assert answer.status_code == 428

    await control.set_clock_offset(-400)
    answer = await client.post("/v1/sync/sessions", headers=signed_headers(subject))
    shown = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    assert answer.text == "Unauthorized: invalid tenant headers\n"
    assert 390 < time.time() - shown < 410


async def test_many_records_come_in_pages(
    client: httpx.AsyncClient, control: MockControl, subject: str
) -> None:
    """More than one page of them, each once, in order."""
    headers = signed_headers(subject)
    for _ in range(1100):
        await client.get("/healthz", headers=headers)
    records = await control.requests(subject)

    assert len(records) == 1100
    assert sorted({record.seq for record in records}) == [record.seq for record in records]
    assert records[1050:] == await control.requests(subject, after=records[1049].seq)
    assert (await control.stats())["dropped"] == 0


async def test_the_control_port_refuses_a_wrong_token(mock: ServedMock) -> None:
    """In one line that says what to do and shows no token."""
    async with MockControl(mock.control_url, "wrong-token") as stranger:
        with pytest.raises(ControlError) as refusal:
            await stranger.stats()

    assert "refuses the token: it must equal TOOLBRIDGE_MOCK_CONTROL_TOKEN" in str(refusal.value)
    assert "wrong-token" not in str(refusal.value)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/inject", b'{"kind":"explode"}', 400),
        ("/wipe", b"{}", 400),
        ("/wipe", b'{"caller":"\\u0000"}', 400),
        ("/set_clock_offset", b'{"seconds":"x"}', 400),
        ("/set_clock_offset", b'{"seconds":1e300}', 400),
        ("/requests", b"[]", 400),
        ("/requests", b"{", 400),
        ("/explode", b"{}", 404),
    ],
)
async def test_the_control_port_refuses_what_is_wrong(
    mock: ServedMock, path: str, body: bytes, status: int
) -> None:
    """Never with a 500."""
    headers = {"Authorization": f"Bearer {CONTROL_TOKEN}"}
    async with httpx.AsyncClient(base_url=mock.control_url) as raw:
        answer = await raw.post(path, content=body, headers=headers)

    assert status == answer.status_code


async def test_a_mock_that_is_not_there_is_one_line(mock: ServedMock) -> None:
    """The line has the address."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        async with MockControl(url, CONTROL_TOKEN) as client:
            with pytest.raises(ControlError, match=f"{url} cannot be reached: ") as refusal:
                await client.stats()

    assert "\n" not in str(refusal.value)


async def test_a_port_that_is_no_control_port_is_named(mock: ServedMock) -> None:
    """The API's own port answers 404."""
    async with MockControl(mock.url, CONTROL_TOKEN) as client:
        with pytest.raises(ControlError, match="HTTP 404; is this the control port of a mock"):
            await client.stats()


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
