"""Every kind of fault over a real socket against a real process."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import httpx
import pytest

from support.contract_server import (
    ServedMock,
    begin_session,
    count_notes,
    create,
    exchange,
    fresh_subject,
    raw_request,
    signed_headers,
    wait_for_requests,
)
from toolbridge_contract.control import Fault, MockControl


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


@pytest.mark.parametrize("commit", [False, True])
@pytest.mark.parametrize(
    "kind", ["answer", "reset", "truncate", "hang", "delay", "drip", "drip-body"]
)
async def test_an_operation_is_executed_only_with_commit(
    mock: ServedMock, control: MockControl, subject: str, kind: str, commit: bool
) -> None:
    """Whatever the client sees, the row is there exactly when the fault commits."""
    fault = {"caller": subject, "kind": kind, "seconds": 30, "times": 1, "commit": commit}
    fault |= {} if commit else {"body": "YWJj"}
    statuses = {"answer": 503, "reset": 0, "hang": 0, "delay": 0}
    statuses |= dict.fromkeys(("truncate", "drip", "drip-body"), 201 if commit else 503)

    async with httpx.AsyncClient(base_url=mock.url, timeout=10) as other:
        session = await begin_session(other, subject)
        await control.inject(Fault.from_json(fault))
        async with httpx.AsyncClient(base_url=mock.url, timeout=10) as client:
            leaving = asyncio.ensure_future(create(client, subject, session))
            await wait_for_requests(control, subject, 2)
            if kind in ("hang", "delay", "drip", "drip-body"):
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


async def _pieces(raw: socket.socket) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(raw.recv, 4096):
        yield piece


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


@pytest.mark.parametrize(("kind", "at_once"), [("drip", b""), ("drip-body", b"HTTP/1.1 200 OK")])
async def test_a_drip_comes_byte_by_byte(
    mock: ServedMock, control: MockControl, subject: str, kind: str, at_once: bytes
) -> None:
    """The header section at once or as slowly as the rest; whole in the end, then a close."""
    seconds = 0.02 if kind == "drip" else 0.1
    fault = {"caller": subject, "kind": kind, "status": 200, "body": "YWJj", "seconds": seconds}
    await control.inject(Fault.from_json(fault))
    start = time.monotonic()
    with socket.create_connection(mock.address, timeout=10) as raw:
        raw.sendall(raw_request(subject))
        pieces = [piece async for piece in _pieces(raw)]

    assert at_once in pieces[0]
    assert b"".join(pieces).startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"".join(pieces).endswith(b"\r\n\r\nabc")
    dripped = len(b"".join(pieces)) if kind == "drip" else len(b"abc")
    assert time.monotonic() - start >= seconds * dripped


async def test_an_api_that_is_down_refuses_and_comes_back(
    mock: ServedMock, control: MockControl, subject: str
) -> None:
    """Open connections are cut, new ones refused; then the same port answers, nothing is lost."""
    async with httpx.AsyncClient(base_url=mock.url, timeout=10) as client:
        session = await begin_session(client, subject)
        await create(client, subject, session)
        await control.inject(Fault(subject, kind="hang", methods=("GET",), path="/v1/tasks"))
        headers = signed_headers(subject, **session)
        hanging = asyncio.ensure_future(client.get("/v1/tasks", headers=headers))
        await wait_for_requests(control, subject, 3)
        try:
            await control.stop_listening()
            await control.stop_listening()
            with pytest.raises(httpx.ConnectError):
                await client.get("/healthz")
            with pytest.raises(httpx.TransportError):
                await hanging
        finally:
            await control.listen()

        assert 1 == await count_notes(client, subject, session)
