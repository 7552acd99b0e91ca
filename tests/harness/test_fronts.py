"""The fronts: what they let through, what they change, and what they do not accept."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from support.front_servers import HEALTHY, Backend
from toolbridge_harness.checks.edge import _outdated
from toolbridge_harness.fronts.edge import PUBLIC_NAME, PUBLIC_URL, EdgeFront, named_client
from toolbridge_harness.fronts.listener import Listener
from toolbridge_harness.fronts.round_robin import round_robin
from toolbridge_harness.fronts.tls import GOOD, TlsRelay, tls_relay

OLD = "TLS 1.0 and 1.1 alone"
BAD = (
    "an expired certificate",
    "a self-signed certificate",
    "a certificate for another host",
    "a certificate of another authority",
    OLD,
)


@asynccontextmanager
async def relayed(tmp_path: Path) -> AsyncIterator[tuple[TlsRelay, httpx.AsyncClient, Backend]]:
    """A relay before a backend, and a client that trusts its authority."""
    async with Backend() as backend, tls_relay(backend.address, "127.0.0.1") as relay:
        relay.write_authority(tmp_path / "ca.pem")
        context = ssl.create_default_context(cafile=tmp_path / "ca.pem")
        async with httpx.AsyncClient(verify=context, trust_env=False) as client:
            yield relay, client, backend


@asynccontextmanager
async def edged(
    backend: Backend, *, force_https: bool = True
) -> AsyncIterator[tuple[EdgeFront, httpx.AsyncClient]]:
    """An edge before a backend, and a client to which it is every https name."""
    front = EdgeFront(backend.address, force_https=force_https)
    async with front.listener, named_client(front.listener.address, front.authority) as client:
        yield front, client


def in_plain(front: EdgeFront) -> AbstractAsyncContextManager[httpx.AsyncClient]:
    """A client that comes to the edge's port without TLS."""
    return named_client(front.listener.address)


@pytest.mark.parametrize("what", BAD)
async def test_a_verifying_client_sends_nothing_to_a_bad_certificate(
    what: str, tmp_path: Path
) -> None:
    """And is served before and after, by the same relay."""
    async with relayed(tmp_path) as (relay, client, _):
        assert 200 == (await client.get(relay.url)).status_code
        before = relay.received
        await relay.present(what)
        with pytest.raises(httpx.ConnectError):
            await client.get(relay.url)
        assert before == relay.received
        await relay.present(GOOD)
        assert 200 == (await client.get(relay.url)).status_code
        assert relay.received > before


@pytest.mark.parametrize("what", BAD)
async def test_a_careless_client_is_served_with_a_bad_certificate(
    what: str, tmp_path: Path
) -> None:
    """So a check that meets a refusal met the client's, not a relay that serves nobody."""
    careless = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    careless.check_hostname, careless.verify_mode = False, ssl.CERT_NONE
    async with relayed(tmp_path) as (relay, _, backend):
        await relay.present(what)
        context = _outdated() if what == OLD else careless
        async with httpx.AsyncClient(verify=context, trust_env=False) as client:
            assert 200 == (await client.get(relay.url)).status_code

    assert 1 == len(backend.heads)


async def test_a_bad_certificate_is_bad_for_one_reason_each(tmp_path: Path) -> None:
    """The library's own words for what is wrong with it."""
    said = {}
    async with relayed(tmp_path) as (relay, _, _):
        context = ssl.create_default_context(cafile=tmp_path / "ca.pem")
        for what in BAD[:4]:
            await relay.present(what)
            with pytest.raises(ssl.SSLCertVerificationError) as caught:
                await asyncio.open_connection("localhost", relay.listener.port, ssl=context)
            said[what] = caught.value.verify_message

    assert "certificate has expired" == said[BAD[0]]
    assert "self-signed certificate" == said[BAD[1]]
    assert "Hostname mismatch" in said[BAD[2]]
    assert "unable to get local issuer certificate" == said[BAD[3]]


async def test_presenting_another_certificate_cuts_open_connections(tmp_path: Path) -> None:
    """Otherwise a client would go on with the connection that it keeps alive."""
    async with relayed(tmp_path) as (relay, _, _):
        context = ssl.create_default_context(cafile=tmp_path / "ca.pem")
        reader, writer = await asyncio.open_connection(
            "localhost", relay.listener.port, ssl=context
        )
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(HEALTHY.encode())
        await relay.present(GOOD)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readexactly(1), 5)
        writer.transport.abort()


async def test_what_is_sent_in_plain_to_the_relay_is_counted(tmp_path: Path) -> None:
    """A client that falls back to plain http must not look as if it had sent nothing."""
    async with relayed(tmp_path) as (relay, client, _):
        await client.get(relay.url.replace("https", "http"))
        assert relay.received > 0


async def test_the_edge_adds_its_headers_and_replaces_made_up_ones() -> None:
    """X-Forwarded-For is appended to, as Fly does; an order to the edge goes no further."""
    async with Backend() as backend, edged(backend) as (_, client):
        made_up = {"Fly-Client-IP": "9.9.9.9", "x-forwarded-proto": "http"}
        made_up |= {"X-Forwarded-For": "8.8.8.8", "fly-force-instance-id": "abc"}
        answer = await client.get(f"{PUBLIC_URL}/x", headers=made_up)
        names = ("Fly-Client-IP", "X-Forwarded-Proto", "X-Forwarded-For", "Fly-Force-Instance-Id")
        seen = [backend.header(name) for name in names]

    assert [["127.0.0.1"], ["https"], ["8.8.8.8, 127.0.0.1"], []] == seen
    assert [PUBLIC_NAME] == backend.header("Host")
    assert answer.headers["fly-request-id"].endswith("-ord")


async def test_the_edge_passes_bodies_both_ways() -> None:
    """Larger than any buffer on the way."""
    body = "x" * 300_000
    async with Backend(body=body) as backend, edged(backend) as (_, client):
        answer = await client.post(PUBLIC_URL, content=body)

    assert body == answer.text
    assert [body.encode()] == backend.bodies


async def test_plain_http_is_redirected_and_reaches_nobody() -> None:
    """The same host and path, with https."""
    async with Backend() as backend, edged(backend) as (front, _), in_plain(front) as client:
        answer = await client.post(f"http://{PUBLIC_NAME}/mcp", content=b"{}")

    assert 301 == answer.status_code
    assert f"{PUBLIC_URL}/mcp" == answer.headers["location"]
    assert [] == backend.heads


async def test_without_force_https_the_edge_serves_plain_http() -> None:
    """And says so to the proxy."""
    async with (
        Backend() as backend,
        edged(backend, force_https=False) as (front, _),
        in_plain(front) as client,
    ):
        answer = await client.get(f"http://{PUBLIC_NAME}/")

    assert 200 == answer.status_code
    assert ["http"] == backend.header("X-Forwarded-Proto")


async def test_a_proxy_that_hangs_up_is_a_502_of_the_edge() -> None:
    """Not a connection that ends without a word."""

    async def hang_up(*_: object) -> None:
        """Answer nothing."""

    async with Listener(hang_up) as silent:
        front = EdgeFront(silent.address)
        async with front.listener, named_client(front.listener.address, front.authority) as client:
            assert 502 == (await client.get(PUBLIC_URL)).status_code


async def test_requests_go_to_the_servers_in_turn() -> None:
    """Also those of one client that would keep its connection."""
    async with (
        Backend("1") as first,
        Backend("2") as second,
        round_robin([first.address, second.address]) as front,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        answers = [(await client.post(front.url, content="b")).text for _ in range(4)]

    assert ["1", "2", "1", "2"] == answers
    assert {first.address: 2, second.address: 2} == front.served
    assert [b"b", b"b"] == first.bodies
