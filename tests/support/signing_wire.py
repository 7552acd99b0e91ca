"""The proxy's client of the Go API with its wire cut: what it would send, at which instant."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from unittest import mock

import httpx

from support.signing_subject import Clock, Subject, configured
from toolbridge_proxy import upstream
from toolbridge_proxy.errors import ToolFailure
from toolbridge_proxy.metrics import Metrics
from toolbridge_proxy.tokens import Caller
from toolbridge_proxy.upstream import ApiRequest, Call, Upstream

TENANT, SECRET = "tenant-a", "tenant-header-secret-of-32-bytes-or-more"
TOKEN = "a.callers.token"
SESSION = (("X-Sync-Session", "session-1"), ("X-Sync-Epoch", "1"))
BASE = httpx.URL("http://go-api.internal:8081")

Answer = Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]

_metrics = Metrics()


@contextmanager
def signing_with(subject: Subject, clock: Clock) -> Iterator[None]:
    """Let the proxy sign with the subject's signer and this clock."""

    def make(tenant: str, secret: str) -> Any:
        return subject.signer(tenant, secret, clock)

    with mock.patch.object(upstream, "Signer", make):
        yield


@asynccontextmanager
async def connected(subject: Subject, clock: Clock, answer: Answer) -> AsyncIterator[Upstream]:
    """Yield the subject's client; each request goes to `answer` instead of the network."""
    settings = configured(TENANT, SECRET)
    assert settings is not None
    with signing_with(subject, clock):
        client = subject.upstream(settings, _metrics, httpx.MockTransport(answer))
    try:
        yield client
    finally:
        await client.close()


def get(path: str = "/v1/notes", headers: tuple[tuple[str, str], ...] = ()) -> ApiRequest:
    """Return a read that accepts whatever comes."""
    return ApiRequest("GET", path, "/v1/notes", lambda _: True, headers=headers)


async def send(client: Upstream, request: ApiRequest) -> None:
    """Send for one caller in a session; how it is answered does not matter."""
    call = Call(
        Caller(None, "alice", TOKEN), asyncio.get_running_loop().time() + 10, "c", retries=0
    )
    try:
        await client.send(request, call, SESSION)
    except ToolFailure:
        return


def answered(status: int = 200, **headers: str) -> httpx.Response:
    """Return an answer whose body is still to be read, as from a socket."""
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return httpx.Response(
        status,
        headers=[("Content-Type", "application/json"), *named],
        stream=httpx.ByteStream(b"{}"),
    )


def origin(url: httpx.URL) -> tuple[str, str, int | None]:
    """Return scheme, host and port (RFC 6454 section 4)."""
    default = {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, url.host.lower(), url.port or default
