"""What one request to the Go API is, byte by byte; when it is sent, again, and not at all."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from support.proxy_app import GO_API, make_settings
from support.scripted_upstream import Scripted, a_call, a_request, answer, upstream_of
from toolbridge_proxy import upstream
from toolbridge_proxy.errors import ToolFailure
from toolbridge_proxy.upstream import Call, make_transports

# Before the fixture of all tests here lets retries not wait.
PAUSE = upstream.RETRY_PAUSE_SECONDS

USUAL = [
    ("Accept", "application/json"),
    ("Accept-Encoding", "identity"),
    ("User-Agent", "toolbridge-proxy"),
    ("Authorization", "Bearer the.token.sent"),
    ("X-Correlation-ID", "the-correlation-id"),
]
TENANT_HEADERS = ["X-TB-Tenant-ID", "X-TB-Timestamp", "X-TB-Signature"]


def sent_headers(request: httpx.Request) -> list[tuple[str, str]]:
    """Return the headers as they go over the wire, without what HTTP itself needs."""
    pairs = [(name.decode(), value.decode()) for name, value in request.headers.raw]
    return [pair for pair in pairs if pair[0] not in ("Host", "Content-Length")]


async def test_a_request_has_these_headers_and_no_others() -> None:
    """Names as in the Go API's documentation; the session's and the tenant's come last."""
    transport = Scripted(answer())
    session = (("X-Sync-Session", "s"), ("X-Sync-Epoch", "1"))
    await upstream_of(transport).send(a_request(headers=(("If-Match", "3"),)), a_call(), session)
    *headers, tenant, timestamp, signature = sent_headers(transport.requests[0])
    assert [*USUAL, ("If-Match", "3"), *session] == headers
    assert TENANT_HEADERS == [tenant[0], timestamp[0], signature[0]]


async def test_a_request_with_a_body_says_that_it_is_json() -> None:
    """Method, path, query and body arrive unchanged."""
    transport = Scripted(answer())
    changes = {"method": "POST", "query": (("limit", "5"), ("q", "a b")), "body": b'{"a":1}'}
    await upstream_of(transport).send(a_request(**changes), a_call())
    (request,) = transport.requests
    url = f"{GO_API}/v1/x?limit=5&q=a+b"
    assert ("POST", url, b'{"a":1}') == (request.method, str(request.url), request.content)
    assert [*USUAL, ("Content-Type", "application/json")] == sent_headers(request)[:-3]


async def test_a_request_without_a_body_has_no_query_either() -> None:
    """No question mark, no content."""
    transport = Scripted(answer())
    await upstream_of(transport).send(a_request(), a_call())
    (request,) = transport.requests
    assert (f"{GO_API}/v1/x", b"") == (str(request.url), request.content)


@pytest.mark.parametrize(
    ("deadline", "remaining", "connect"), [(30, 20.0, 4), (5, 20.0, 2.0), (30, 2.0, 1.8)]
)
async def test_a_connection_is_waited_for_only_so_long(
    deadline: int, remaining: float, connect: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four seconds, two fifths of a call's deadline, nine tenths of what is left of it."""
    transport, call = Scripted(answer()), a_call()
    monkeypatch.setattr(call, "remaining", lambda: remaining)
    await upstream_of(transport, upstream_timeout_seconds=deadline).send(a_request(), call)
    timeouts = {"connect": connect, "read": None, "write": None, "pool": None}
    assert timeouts == transport.requests[0].extensions["timeout"]


def remains(call: Call, monkeypatch: pytest.MonkeyPatch, *seconds: float) -> None:
    """Let the call have these seconds left, one reading after the other."""
    readings = iter(seconds)
    monkeypatch.setattr(call, "remaining", lambda: next(readings))


async def test_with_no_time_left_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the place comes at the deadline; with a second left it is sent."""
    transport, late, early = Scripted(answer()), a_call(), a_call()
    remains(late, monkeypatch, 5.0, 0.0)
    with pytest.raises(ToolFailure) as failed:
        await upstream_of(transport).send(a_request(), late)
    assert ("upstream_timeout", []) == (failed.value.code, transport.requests)
    remains(early, monkeypatch, 5.0, 1.0)
    await upstream_of(transport).send(a_request(), early)
    assert 1 == len(transport.requests)


async def test_the_deadline_holds_for_the_place_and_for_the_exchange(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each gets what is left of the call."""
    delays, call, timeout = list[float | None](), a_call(), asyncio.timeout

    def noted(delay: float | None) -> asyncio.Timeout:
        delays.append(delay)
        return timeout(delay)

    monkeypatch.setattr("toolbridge_proxy.upstream.asyncio.timeout", noted)
    remains(call, monkeypatch, 5.0, 4.0)
    await upstream_of(Scripted(answer())).send(a_request(), call)
    assert [5.0, 4.0] == delays


async def test_without_a_place_it_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Definite, and not repeated: nothing was sent."""
    monkeypatch.setattr(upstream, "POOL_SIZE", 0)
    transport, call = Scripted(answer()), a_call(seconds=0)
    with pytest.raises(ToolFailure) as failed:
        await upstream_of(transport).send(a_request(), call)
    assert ("busy", False, []) == (failed.value.code, failed.value.repeatable, transport.requests)


async def test_a_retry_costs_one_of_the_calls_and_one_of_all() -> None:
    """The second request has the same session and the same body as the first."""
    transport, call = Scripted(answer(503), answer()), a_call(retries=2)
    api = upstream_of(transport)
    await api.send(a_request(body=b"{}"), call, (("X-Sync-Session", "s"),))
    assert (1, 4.0) == (call.retries, api.retry_budget)
    sessions = [(r.headers["X-Sync-Session"], r.content) for r in transport.requests]
    assert [("s", b"{}")] * 2 == sessions


@pytest.mark.parametrize(
    ("status", "retries", "budget", "left", "requests"),
    [
        (503, 1, 1.0, 5.0, 2),
        (503, 0, 5.0, 5.0, 1),
        (503, 1, 0.9, 5.0, 1),
        (400, 1, 5.0, 5.0, 1),
        (503, 1, 5.0, 0.0, 1),
    ],
)
async def test_a_retry_needs_a_cause_a_budget_and_time(
    status: int,
    retries: int,
    budget: float,
    left: float,
    requests: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One whole retry of the call's and of everybody's, and more time than the pause takes."""
    transport, call = Scripted(answer(status)), a_call(retries=retries)
    api = upstream_of(transport)
    api.retry_budget = budget
    remains(call, monkeypatch, 5.0, 5.0, left, 5.0, 5.0)
    with pytest.raises(ToolFailure):
        await api.send(a_request(), call)
    assert requests == len(transport.requests)


def test_a_retry_pauses_for_50_to_250_milliseconds() -> None:
    """So that what failed may be over, and callers do not come back all at once."""
    assert (0.05, 0.25) == PAUSE


@pytest.mark.parametrize(("before", "after"), [(5.0, 5.0), (4.95, 5.0), (1.0, 1.1)])
def test_each_call_earns_a_tenth_of_a_retry(before: float, after: float) -> None:
    """Up to five, which a new proxy has."""
    api = upstream_of(Scripted(answer()))
    assert 5.0 == api.retry_budget
    api.retry_budget = before
    api.earn_retry()
    assert after == pytest.approx(api.retry_budget)


async def test_transports_take_turns_and_all_are_closed() -> None:
    """Three requests on two transports."""
    first, second = Scripted(answer()), Scripted(answer())
    api = upstream_of(first, second)
    for _ in range(3):
        await api.send(a_request(), a_call())
    await api.close()
    assert (2, 1) == (len(first.requests), len(second.requests))
    assert (1, 1) == (first.closed, second.closed)


@pytest.mark.parametrize(
    ("planned", "alive"),
    [
        (answer(200), True),
        (answer(204), False),
        (answer(503), False),
        (httpx.ConnectError("refused"), False),
        (TimeoutError(), False),
    ],
    ids=repr,
)
async def test_the_go_api_is_alive_when_healthz_answers_200(
    planned: httpx.Response | Exception, alive: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked without a token, for as long as the caller says."""
    transport, delays, timeout = Scripted(planned), list[float | None](), asyncio.timeout

    def noted(delay: float | None) -> asyncio.Timeout:
        delays.append(delay)
        return timeout(delay)

    monkeypatch.setattr("toolbridge_proxy.upstream.asyncio.timeout", noted)
    assert alive is await upstream_of(transport).alive(1.5)
    (request,) = transport.requests
    assert ("GET", f"{GO_API}/healthz") == (request.method, str(request.url))
    assert ([], [1.5]) == (sent_headers(request), delays)


def test_there_are_eight_pools_of_two_hundred_connections(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Idle ones are kept for thirty seconds, and no proxy of the environment is used."""
    authority = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(authority))
    settings = make_settings(upstream_ca_file=authority)  # reads the file, too
    made: list[dict[str, Any]] = []
    trusted: list[dict[str, Any]] = []
    context = ssl.create_default_context()

    def trust(**options: Any) -> ssl.SSLContext:
        trusted.append(options)
        return context

    monkeypatch.setattr(ssl, "create_default_context", trust)
    monkeypatch.setattr(httpx, "AsyncHTTPTransport", lambda **options: made.append(options))
    make_transports(settings)
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=200, keepalive_expiry=30)
    assert [{"verify": context, "limits": limits, "trust_env": False}] * 8 == made
    assert [{"cafile": authority}] == trusted
