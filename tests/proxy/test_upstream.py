"""The way to the Go API, on real sockets: what breaks there, and what must not leak."""

import asyncio
import gzip
import json
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from support.proxy_app import Mcp, make_settings, running, token
from support.proxy_sockets import Behaviour, Server, raw_server, response
from support.proxy_upstream import ITEM, UID
from toolbridge_proxy import upstream
from toolbridge_proxy.errors import ToolFailure
from toolbridge_proxy.metrics import Metrics
from toolbridge_proxy.tokens import Caller
from toolbridge_proxy.upstream import ApiRequest, Call, Upstream

GOOD = response(json.dumps(ITEM).encode())


@asynccontextmanager
async def against(
    behaviour: Behaviour, tls: ssl.SSLContext | None = None, **settings: Any
) -> AsyncIterator[tuple[Mcp, Server]]:
    """Run the proxy in front of a server that behaves like this."""
    async with raw_server(behaviour, tls) as server:
        changes = {"go_api_base_url": server.url, "upstream_timeout_seconds": 2} | settings
        async with running(make_settings(**changes)) as mcp:
            yield mcp, server


def writes(*chunks: bytes, close: bool = False) -> Behaviour:
    async def behaviour(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for chunk in chunks:
            writer.write(chunk)
        if close:
            await writer.drain()
            writer.close()

    return behaviour


async def good(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(GOOD)


async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def silence(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n")
    for _n in range(200):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


BREAKAGES = {
    "reset": (reset, "upstream_unreachable", 2),
    "closed": (writes(close=True), "upstream_unreachable", 2),
    "truncated": (writes(GOOD[:-10], close=True), "upstream_bad_response", 2),
    "not HTTP": (writes(b"hello\r\n\r\n", close=True), "upstream_bad_response", 2),
    "bad chunk": (
        writes(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
            close=True,
        ),
        "upstream_bad_response",
        2,
    ),
    "silence": (silence, "upstream_timeout", 1),
    "drip": (drip, "upstream_timeout", 1),
    "endless": (
        writes(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n"
            b"\r\n",
            *[b" " * 1_000_000] * 17,
        ),
        "response_too_large",
        1,
    ),
    "gzip bomb": (
        writes(response(gzip.compress(b" " * 50_000_000), "200 OK", "Content-Encoding: gzip")),
        "upstream_bad_response",
        1,
    ),
}


@pytest.mark.parametrize("name", BREAKAGES)
async def test_a_broken_exchange_has_its_code_within_the_deadline(name: str) -> None:
    """A read says what happened; a mutation, sent once, says that it cannot know."""
    behaviour, code, attempts = BREAKAGES[name]
    started = time.monotonic()
    async with against(behaviour, upstream_timeout_seconds=0.8) as (mcp, server):
        read = await mcp.error("get_note", uid=UID)
        reads = len(server.entity_heads)
        write = await mcp.error("archive_note", uid=UID)
        assert (code, attempts) == (read["code"], reads)
        assert ("outcome_unknown", 1) == (write["code"], len(server.entity_heads) - reads)
    assert time.monotonic() - started < 4


async def test_a_refused_connection_is_definite_and_recovers() -> None:
    """Nothing was sent, so even a mutation has a definite code; the next call works again."""
    async with raw_server(good) as server:
        url = server.url
    async with running(make_settings(go_api_base_url=url)) as mcp:
        codes = [(await mcp.error(t, uid=UID))["code"] for t in ("get_note", "delete_note")]
        health = await mcp.post("tools/call", {"name": "health_check", "arguments": {}})
    assert ["upstream_unreachable"] * 2 == codes
    assert health.status_code == 200


async def test_a_name_that_does_not_resolve_is_told_apart() -> None:
    """upstream_dns, for reads and mutations."""
    async with running(
        make_settings(go_api_base_url="http://no-such-host.invalid.internal")
    ) as mcp:
        codes = [(await mcp.error(t, uid=UID))["code"] for t in ("get_note", "delete_note")]
    assert ["upstream_dns"] * 2 == codes


@pytest.mark.parametrize("trusted", [True, False])
async def test_only_a_trusted_certificate_is_talked_to(trusted: bool, tmp_path: Path) -> None:
    """With the CA of TOOLBRIDGE_UPSTREAM_CA_FILE it works; else upstream_tls and nothing sent."""
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    extra = {"upstream_ca_file": ca_file} if trusted else {}
    async with against(good, tls, **extra) as (mcp, server):
        result = await mcp.call("get_note", uid=UID)
        code = result["structuredContent"].get("error", {}).get("code")
        assert (None if trusted else "upstream_tls", 2 if trusted else 0) == (
            code,
            len(server.heads),
        )


async def test_a_redirect_is_not_followed() -> None:
    """Neither token nor signature reaches the other place."""
    async with raw_server(good) as other:
        moved = response(b"", "307 Temporary Redirect", f"Location: {other.url}/v1/notes")
        async with against(writes(moved)) as (mcp, _):
            codes = [(await mcp.error(t, uid=UID))["code"] for t in ("get_note", "delete_note")]
        assert (["upstream_redirect"] * 2, []) == (codes, other.heads)


async def test_cookies_of_one_caller_are_not_sent_for_the_next() -> None:
    """The Go API's Set-Cookie is forgotten, and not handed to the caller either."""
    cookie = response(json.dumps(ITEM).encode(), "200 OK", "Set-Cookie: sid=A; Path=/", "X-Evil: 1")
    async with against(writes(cookie)) as (mcp, server):
        first = await mcp.post(
            "tools/call", {"name": "get_note", "arguments": {"uid": UID}}, token=token("a")
        )
        await mcp.call("get_note", token=token("b"), uid=UID)
        await mcp.http.get("/readyz")
        assert server.heads[-1].startswith("GET /healthz ")
        assert [head for head in server.heads if "cookie" in head.lower()] == []
    assert not {"set-cookie", "x-evil"} & first.headers.keys()


async def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP_PROXY would see every token."""
    async with raw_server(good) as canary:
        for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy"):
            monkeypatch.setenv(name, canary.url)
        async with against(good) as (mcp, server):
            await mcp.call("get_note", uid=UID)
        assert (0, 2) == (len(canary.heads), len(server.heads))


async def test_a_path_prefix_of_the_base_url_is_kept() -> None:
    """https://host/api/ and a path make one path."""
    async with raw_server(good) as server:
        url = f"{server.url}/api/"
        async with running(make_settings(go_api_base_url=url)) as mcp:
            await mcp.error("get_note", uid=UID)
        assert server.heads[0].startswith("POST /api/v1/sync/sessions HTTP/1.1")


async def test_who_waits_for_a_place_is_signed_when_it_has_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With one place, the second request's timestamp is that of its own sending."""
    monkeypatch.setattr(upstream, "POOL_SIZE", 1)
    held = asyncio.Event()

    async def slow(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await held.wait()
        writer.write(GOOD)

    async with against(slow, upstream_timeout_seconds=5) as (mcp, server):
        first = asyncio.create_task(mcp.call("get_note", uid=UID))
        while not server.entity_heads:
            await asyncio.sleep(0.01)
        second = asyncio.create_task(mcp.call("get_note", uid=UID))
        await asyncio.sleep(0.3)
        released = time.time_ns() // 1_000_000
        held.set()
        await asyncio.gather(first, second)
        stamps = [int(_header(head, "x-tb-timestamp")) for head in server.entity_heads]
    assert stamps[0] < released <= stamps[1]


async def test_without_a_place_before_the_deadline_the_proxy_is_busy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`busy` is definite for mutations too: nothing was sent."""
    monkeypatch.setattr(upstream, "POOL_SIZE", 0)
    async with against(silence, upstream_timeout_seconds=0.2) as (mcp, server):
        errors = [
            await mcp.error(tool, uid=UID) for tool in ("get_note", "delete_note", "archive_note")
        ]
    assert (["busy"] * 3, []) == ([error["code"] for error in errors], server.entity_heads)


def _header(head: str, name: str) -> str:
    lines = [line.partition(":") for line in head.splitlines()]
    return next(value.strip() for key, _, value in lines if key.lower() == name)


async def test_the_retry_budget_is_a_tenth_of_the_calls() -> None:
    """A thousand failing calls earn a hundred retries, beside the burst of five."""

    class Unavailable(httpx.AsyncBaseTransport):
        requests = 0

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            self.requests += 1
            return httpx.Response(503, stream=httpx.ByteStream(b""))

    transport = Unavailable()
    api = Upstream(make_settings(), Metrics(), transport)
    request = ApiRequest("GET", "/x", "/x", lambda data: data)
    for _ in range(1000):
        api.earn_retry()
        call = Call(Caller(None, "alice", "t"), time.monotonic() + 5, "c")
        with pytest.raises(ToolFailure, match="upstream_unavailable"):
            await api.send(request, call)
    assert 1100 <= transport.requests <= 1105


async def test_an_outage_is_not_amplified() -> None:
    """Fifty calls against a dead service cost at most ten retries."""
    unavailable = response(b"{}", "503 Service Unavailable")
    async with against(writes(unavailable)) as (mcp, server):
        for _ in range(50):
            await mcp.error("get_note", uid=UID)
        assert 50 < len(server.entity_heads) <= 60
