"""Requests to the Go API: one pool, a deadline, at most one retry, a definite verdict."""

import asyncio
import itertools
import random
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from toolbridge_proxy.answers import Answer, judge
from toolbridge_proxy.errors import ToolFailure, lost_or
from toolbridge_proxy.logs import log
from toolbridge_proxy.metrics import Metrics
from toolbridge_proxy.settings import Settings
from toolbridge_proxy.signing import Signer
from toolbridge_proxy.tokens import Caller

POOL_SIZE = 200  # four times the requests that one small machine can work on at once
POOLS = 8  # a handful of connections each at the concurrency of one machine
KEEP_ALIVE_SECONDS = 30  # shorter than ingresses keep idle connections (60 s and more)
CONNECT_SECONDS = 4  # two attempts stay under 10 s
MAX_ANSWER_BYTES = 8 * 1024 * 1024  # a full page of 1,000 items of 8 KiB
MAX_ERROR_BYTES = 64 * 1024  # an error page is never relayed, a JSON error is short
RETRY_PAUSE_SECONDS = (0.05, 0.25)
RETRY_RATIO = 0.1  # of calls, so that an outage is not amplified
RETRY_BURST = 5.0  # lets a quiet proxy retry at all

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ApiRequest:
    """One request; `route` is the path's template for logs.

    `accept` takes the parsed answer and raises ValueError if it has another shape. `lost` is
    what the caller of a mutation is told when its answer is lost; None for what is safe to repeat.
    """

    method: str
    path: str
    route: str
    accept: Callable[[Any], Any]
    query: Pairs = ()
    headers: Pairs = ()
    body: bytes | None = None
    lost: str | None = None


@dataclass
class Call:
    """One tool call on its way: who, until when (monotonic seconds), and what it took."""

    caller: Caller
    deadline: float
    correlation_id: str
    retries: int = 1
    seconds: dict[str, float] = field(default_factory=dict)

    def remaining(self) -> float:
        """Seconds until the deadline."""
        return self.deadline - time.monotonic()

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add the time spent inside to `seconds[name]`."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - started


def make_transports(settings: Settings) -> list[httpx.AsyncHTTPTransport]:
    """Return several pools of connections: httpx looks through all of a pool for each request."""
    context = ssl.create_default_context(cafile=settings.upstream_ca_file)
    size = {"max_connections": POOL_SIZE, "max_keepalive_connections": POOL_SIZE}
    limits = httpx.Limits(**size, keepalive_expiry=KEEP_ALIVE_SECONDS)
    options: dict[str, Any] = {"verify": context, "limits": limits, "trust_env": False}
    return [httpx.AsyncHTTPTransport(**options) for _ in range(POOLS)]


class Upstream:
    """The Go API, as one caller at a time sees it; its transports take turns.

    They are used without a client: nothing keeps cookies, follows redirects or reads the
    environment for a proxy.
    """

    def __init__(self, settings: Settings, metrics: Metrics, *transports: httpx.AsyncBaseTransport):
        self.timeout_seconds, self.retry_budget = settings.upstream_timeout_seconds, RETRY_BURST
        self._base_url, self.tenant_id = settings.go_api_base_url, settings.tenant_id
        self._signer = Signer(settings.tenant_id, settings.tenant_header_secret.get_secret_value())
        self._metrics, self._transports = metrics, transports
        self._turns = itertools.cycle(transports)
        # As many places as connections: whoever has one is sent at once, so that the
        # signature does not age in the pool's queue.
        self._places = asyncio.Semaphore(POOL_SIZE)

    async def close(self) -> None:
        """Close the connections."""
        for transport in self._transports:
            await transport.aclose()

    async def alive(self, seconds: float) -> bool:
        """Whether the Go API's liveness route answers 200 in time."""
        request = httpx.Request("GET", self._base_url + "/healthz")
        try:
            async with asyncio.timeout(seconds):
                response = await next(self._turns).handle_async_request(request)
        except (httpx.HTTPError, TimeoutError):
            return False
        await response.aclose()
        return response.status_code == httpx.codes.OK

    def earn_retry(self) -> None:
        """Count a call: each earns a tenth of a retry for the whole process, up to a burst."""
        self.retry_budget = min(RETRY_BURST, self.retry_budget + RETRY_RATIO)

    async def send(self, request: ApiRequest, call: Call, session: Pairs = ()) -> Answer:
        """Send, with at most one retry where it is safe; raises ToolFailure."""
        try:
            return await self._attempt(request, call, session)
        except ToolFailure as failure:
            pause = random.uniform(*RETRY_PAUSE_SECONDS)
            allowed = failure.repeatable and min(call.retries, self.retry_budget) >= 1
            if not allowed or pause >= call.remaining():
                raise
            self.retry_budget, call.retries = self.retry_budget - 1, call.retries - 1
        await asyncio.sleep(pause)
        return await self._attempt(request, call, session)

    async def _attempt(self, request: ApiRequest, call: Call, session: Pairs) -> Answer:
        try:
            async with asyncio.timeout(call.remaining()):
                await self._places.acquire()
        except TimeoutError:
            raise ToolFailure("busy") from None
        started = time.monotonic()
        entry: dict[str, Any] = {"status": None, "failure": "cancelled"}
        try:
            answer = await self._exchange(request, call, session)
            entry["status"] = answer.status
            judged = judge(answer, request.accept, request.lost)
            del entry["failure"]
            return judged
        except ToolFailure as failure:
            entry["failure"] = failure.code
            if failure.upstream_id not in (None, call.correlation_id):
                entry["upstream_correlation_id"] = failure.upstream_id
            raise
        finally:
            self._places.release()
            seconds = time.monotonic() - started
            labels = request.method, request.route, str(entry["status"] or "none")
            self._metrics.upstream.labels(*labels).observe(seconds)
            entry |= {"method": request.method, "route": request.route, "tenant_id": self.tenant_id}
            entry |= {"ms": round(seconds * 1000, 1), "correlation_id": call.correlation_id}
            (log.warning if "failure" in entry else log.info)("upstream_request", **entry)

    async def _exchange(self, request: ApiRequest, call: Call, session: Pairs) -> Answer:
        remaining = call.remaining()
        if remaining <= 0:
            raise ToolFailure("upstream_timeout")
        connect = min(CONNECT_SECONDS, 0.4 * self.timeout_seconds, 0.9 * remaining)
        response: httpx.Response | None = None
        try:
            async with asyncio.timeout(remaining):
                sent = httpx.Request(
                    request.method,
                    httpx.URL(self._base_url + request.path, params=request.query or None),
                    headers=self._signer.sign([*self._headers(request, call), *session]),
                    content=request.body,
                    extensions={"timeout": httpx.Timeout(None, connect=connect).as_dict()},
                )
                response = await next(self._turns).handle_async_request(sent)
                return await _read(response, request)
        except (httpx.TransportError, TimeoutError) as error:
            raise _transport_failure(error, response is not None, request.lost) from None
        finally:
            if response is not None:
                await response.aclose()

    def _headers(self, request: ApiRequest, call: Call) -> list[tuple[str, str]]:
        content_type = [("Content-Type", "application/json")] if request.body is not None else []
        return [
            ("Accept", "application/json"),
            ("Accept-Encoding", "identity"),  # a compressed answer could unfold to any size
            ("User-Agent", "toolbridge-proxy"),
            # The Go API compares the scheme case-sensitively.
            ("Authorization", f"Bearer {call.caller.token}"),
            ("X-Correlation-ID", call.correlation_id),
            *request.headers,
            *content_type,
        ]


async def _read(response: httpx.Response, request: ApiRequest) -> Answer:
    status, headers = response.status_code, response.headers
    cap = MAX_ANSWER_BYTES if response.is_success else MAX_ERROR_BYTES
    body = bytearray()
    async for chunk in response.aiter_raw():  # raw: what is compressed anyway is not JSON
        body += chunk
        if len(body) > cap:
            break
    if response.is_success and len(body) > cap:
        raise lost_or(request.lost, ToolFailure("response_too_large", status))
    kind, retry_after = headers.get("content-type", ""), headers.get("retry-after")
    return Answer(status, bytes(body[:cap]).strip(), kind, retry_after)


def _transport_failure(error: Exception, answered: bool, lost: str | None) -> ToolFailure:
    if isinstance(error, httpx.PoolTimeout):
        return ToolFailure("busy")
    if isinstance(error, httpx.ConnectTimeout):  # nothing was sent: as good as a refusal
        return ToolFailure("upstream_connect_timeout", repeatable=True)
    if isinstance(error, httpx.ConnectError):
        return ToolFailure(_connect_code(error), repeatable=True)
    code = "upstream_unreachable"
    if isinstance(error, TimeoutError):
        code = "upstream_timeout"
    # httpcore has one class for garbage and for no answer at all.
    elif answered or (isinstance(error, httpx.RemoteProtocolError) and "discon" not in str(error)):
        code = "upstream_bad_response"
    return lost_or(lost, ToolFailure(code, repeatable=True))


def _connect_code(error: BaseException) -> str:
    cause: BaseException | None = error
    for _ in range(10):  # chains are three or four long, and may be circular
        if isinstance(cause, socket.gaierror):
            return "upstream_dns"
        if isinstance(cause, ssl.SSLError):
            return "upstream_tls"
        cause = cause and (cause.__cause__ or cause.__context__)
    return "upstream_unreachable"
