"""The control port and its client."""

import socket
import time
from email.utils import parsedate_to_datetime

import httpx
import pytest

from support.contract_server import (
    CONTROL_TOKEN,
    ServedMock,
    begin_session,
    count_notes,
    create,
    fresh_subject,
    signed_headers,
)
from toolbridge_contract.control import ControlError, MockControl


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
        ("/listen", b"{}", 400),
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
