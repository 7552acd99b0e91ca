"""The key set endpoint of the checks: what each mode does on the wire, and what is counted."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from toolbridge_harness.jwks_server import PATH, JwksServer, Mode, serving

KEY = {"kty": "RSA", "kid": "a"}


@pytest.fixture
async def server() -> AsyncIterator[JwksServer]:
    async with serving("127.0.0.1") as server:
        server.published = [KEY]
        yield server


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
        yield client


async def test_keys_are_published_and_fetches_counted(
    server: JwksServer, client: httpx.AsyncClient
) -> None:
    """Every path is answered and kept, with its header fields."""
    answer = await client.get(server.url, headers={"X-A": "1"})
    await client.get(server.url + "?kid=a")

    assert {"keys": [KEY]} == answer.json()
    assert [PATH, PATH + "?kid=a"] == [fetch.target for fetch in server.fetches]
    assert ("x-a", "1") in [(name.lower(), value) for name, value in server.fetches[0].headers]


@pytest.mark.parametrize(
    ("mode", "status", "body"),
    [
        (Mode.STATUS_500, 500, '{"error":"try again later"}'),
        (Mode.HTML, 200, "<!doctype html><title>Sign in</title>"),
        (Mode.EMPTY, 200, "{}"),
        (Mode.REDIRECT, 302, ""),
    ],
)
async def test_an_outage_that_answers(
    server: JwksServer, client: httpx.AsyncClient, mode: Mode, status: int, body: str
) -> None:
    """No key is in any of them; the redirect goes where it was told."""
    server.elsewhere = "http://127.0.0.1:9/jwks.json"
    await server.behave(mode)
    answer = await client.get(server.url)

    assert (status, body) == (answer.status_code, answer.text)
    location = server.elsewhere if mode is Mode.REDIRECT else None
    assert location == answer.headers.get("location")


async def test_a_refused_connection_and_the_same_address_again(
    server: JwksServer, client: httpx.AsyncClient
) -> None:
    """The port stays the server's own while nothing listens there."""
    url = server.url
    for _ in range(3):
        await server.behave(Mode.REFUSED)
        with pytest.raises(httpx.ConnectError):
            await client.get(url)
        await server.behave(Mode.KEYS)
        assert {"keys": [KEY]} == (await client.get(url)).json()
    assert 3 == len(server.fetches)


@pytest.mark.parametrize("mode", [Mode.HANGS, Mode.SLOW])
async def test_what_does_not_end_is_cut_by_the_next_mode(
    server: JwksServer, client: httpx.AsyncClient, mode: Mode
) -> None:
    """No answer is complete before, and none keeps the server from stopping."""
    await server.behave(mode)
    asking = asyncio.create_task(client.get(server.url))
    async with asyncio.timeout(5):
        while not server.fetches:
            await asyncio.sleep(0.01)
    assert not asking.done()

    await server.behave(Mode.KEYS)

    with pytest.raises(httpx.RemoteProtocolError):
        await asking


async def test_an_answer_without_end(server: JwksServer, client: httpx.AsyncClient) -> None:
    """More than anybody should read, in a few moments."""
    await server.behave(Mode.ENDLESS)
    received = 0
    async with client.stream("GET", server.url) as answer:
        async for chunk in answer.aiter_raw():
            received += len(chunk)
            if received > 50 * 1024 * 1024:
                break
    assert 200 == answer.status_code


async def test_a_client_that_sends_nonsense_or_leaves(
    server: JwksServer, client: httpx.AsyncClient
) -> None:
    """It harms nobody and is not counted."""
    host, port = httpx.URL(server.url).host, httpx.URL(server.url).port
    for sent in (b"", b"x" * 100_000, b"GET / HTTP/1.1\r\n"):
        _, writer = await asyncio.open_connection(host, port)
        writer.write(sent)
        writer.close()
    await client.get(server.url)

    assert [PATH] == [fetch.target for fetch in server.fetches]
