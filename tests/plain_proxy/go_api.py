"""The Go API: one request at a time, signed when it is sent, with a definite verdict."""

import asyncio
import ssl
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import aiohttp
import certifi
from yarl import URL

from plain_proxy import journal, strict_json
from plain_proxy.bearer import Caller
from plain_proxy.failures import MAX_DEPTH, UNDECIDED, Failure, from_answer
from plain_proxy.settings import Settings
from plain_proxy.signing import tenant_headers

PLACES = 256  # requests at a time; one small machine cannot work on more
CONNECT_SECONDS = 5  # then a host is taken to be gone
MAX_ANSWER_BYTES = 8 * 1024 * 1024  # a page of 1,000 objects of 8 KiB
MAX_ERROR_BYTES = 64 * 1024  # a JSON error is short, a page is not relayed
MAX_FIELD_BYTES = 128 * 1024  # odd, and legal


@dataclass(frozen=True)
class Wish:
    """A request to make; `route` is its path for logs, `lost` what is told if no answer comes.

    `lost` is empty for what changes nothing.
    """

    method: str
    route: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    lost: str = ""


@dataclass
class Errand:
    """One tool call on its way: who, until when (the loop's seconds), and what it took."""

    caller: Caller
    deadline: float
    correlation_id: str
    seconds: dict[str, float]


class GoApi:
    """The one client; it keeps no cookies and no connections, and follows no redirects."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._places = asyncio.Semaphore(PLACES)
        self._http = _client(settings)

    async def close(self) -> None:
        """Close the client."""
        await self._http.close()

    async def healthy(self, seconds: float) -> bool:
        """Whether GET /healthz is answered with 200 within `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                url = URL(f"{self.settings.base_url}/healthz", encoded=True)
                async with self._http.get(url, allow_redirects=False) as response:
                    return response.status == 200
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False

    async def ask(self, wish: Wish, errand: Errand) -> Any:
        """Return the JSON of a 2xx answer; raises Failure for all else."""
        try:
            async with asyncio.timeout_at(errand.deadline):
                await self._places.acquire()
        except TimeoutError:
            raise Failure("busy") from None
        https = self.settings.base_url.startswith("https:")
        trail = SimpleNamespace(phase="start", status=None, https=https)
        started = time.monotonic()
        try:
            async with asyncio.timeout_at(errand.deadline):
                return await self._exchange(wish, errand, trail)
        except (aiohttp.ClientError, OSError, TimeoutError) as fault:
            raise _undecided(wish, trail, Failure(_code(fault, trail))) from None
        finally:
            self._places.release()
            self._note(wish, errand, trail, time.monotonic() - started)

    async def _exchange(self, wish: Wish, errand: Errand, trail: SimpleNamespace) -> Any:
        url = URL(self.settings.base_url + wish.path, encoded=True)
        if wish.query:
            url = URL(f"{url}?{urlencode(wish.query)}", encoded=True)
        headers = {
            "Authorization": f"Bearer {errand.caller.token}",
            "X-Correlation-ID": errand.correlation_id,
            **tenant_headers(self.settings.tenant, self.settings.tenant_secret),
            **wish.headers,
        }
        if wish.body is not None:
            headers["Content-Type"] = "application/json"
        async with self._http.request(
            wish.method,
            url,
            data=wish.body,
            headers=headers,
            allow_redirects=False,
            trace_request_ctx=trail,
        ) as response:
            trail.phase, trail.status = "answered", response.status
            trail.upstream_id = response.headers.get("X-Correlation-ID")
            return await _read(response, wish, trail)

    def _note(self, wish: Wish, errand: Errand, trail: SimpleNamespace, seconds: float) -> None:
        name = "session" if wish.route.startswith("/v1/sync") else "upstream"
        errand.seconds[name] = errand.seconds.get(name, 0.0) + seconds
        other = getattr(trail, "upstream_id", None)
        journal.info(
            "upstream_request",
            method=wish.method,
            route=wish.route,
            status=trail.status or f"none_{trail.phase}",
            ms=round(seconds * 1000, 1),
            tenant_id=self.settings.tenant,
            correlation_id=errand.correlation_id,
            upstream_correlation_id=None if other == errand.correlation_id else other,
        )


def _client(settings: Settings) -> aiohttp.ClientSession:
    # The bundle and not the system's store, which the environment can point elsewhere.
    tls = settings.tls or ssl.create_default_context(cafile=certifi.where())
    client = aiohttp.ClientSession(
        # One connection per request: none can be closed just as a request is sent on it.
        connector=aiohttp.TCPConnector(limit=0, force_close=True, use_dns_cache=False, ssl=tls),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        skip_auto_headers=("Content-Type",),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        trace_configs=[_phases()],
        auto_decompress=False,
        max_line_size=MAX_FIELD_BYTES,
        max_field_size=MAX_FIELD_BYTES,
    )
    # It repeats PUT and DELETE otherwise, and has no other way to say so.
    client._retry_connection = False
    return client


def _phases() -> aiohttp.TraceConfig:
    """Note on the trail how far a request has come."""

    def phase(name: str) -> Any:
        async def note(_: object, context: SimpleNamespace, __: object) -> None:
            if context.trace_request_ctx is not None:
                context.trace_request_ctx.phase = name

        return note

    config = aiohttp.TraceConfig()
    config.on_dns_resolvehost_start.append(phase("dns"))
    config.on_dns_resolvehost_end.append(phase("connect"))
    config.on_connection_create_end.append(phase("sent"))
    return config


async def _read(response: aiohttp.ClientResponse, wish: Wish, trail: SimpleNamespace) -> Any:
    good = 200 <= response.status < 300
    cap = MAX_ANSWER_BYTES if good else MAX_ERROR_BYTES
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > cap:
            break
    if not good:
        failure = from_answer(response.status, bytes(body), response.headers.get("Retry-After"))
        raise _undecided(wish, trail, failure) if response.status in UNDECIDED else failure
    if len(body) > cap:
        raise _undecided(wish, trail, Failure("response_too_large", status=response.status))
    try:
        if response.content_type != "application/json" or "Content-Encoding" in response.headers:
            raise ValueError
        return strict_json.parse(bytes(body), MAX_DEPTH)
    except ValueError:
        raise _undecided(wish, trail, bad_response(response.status)) from None


def bad_response(status: int | None = None) -> Failure:
    """Return the failure of an answer with an unexpected shape."""
    return Failure("upstream_bad_response", status=status)


def _undecided(wish: Wish, trail: SimpleNamespace, failure: Failure) -> Failure:
    """Return the failure, or outcome_unknown for a change that may have happened."""
    if wish.lost and trail.phase in ("sent", "answered"):
        return Failure("outcome_unknown", wish.lost, failure.status)
    return failure


def _code(fault: Exception, trail: SimpleNamespace) -> str:
    late = isinstance(fault, TimeoutError)
    if trail.phase in ("sent", "answered"):
        if late:
            return "upstream_timeout"
        garbage = isinstance(fault, aiohttp.ClientResponseError | aiohttp.ClientPayloadError)
        return "upstream_bad_response" if garbage else "upstream_unreachable"
    if isinstance(fault, aiohttp.ClientConnectorDNSError) or (late and trail.phase == "dns"):
        return "upstream_dns"
    tls = (aiohttp.ClientSSLError, aiohttp.ClientConnectorCertificateError, ssl.SSLError)
    # Accepted, and dropped before anything was sent: that was the handshake.
    dropped = isinstance(getattr(fault, "os_error", None), ConnectionResetError)
    if isinstance(fault, tls) or (dropped and trail.https):
        return "upstream_tls"
    return "upstream_connect_timeout" if late else "upstream_unreachable"
