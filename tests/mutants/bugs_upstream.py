"""Proxies whose HTTP client does too much, too little, or waits in the wrong way."""

import time
from contextvars import ContextVar
from typing import Any

import httpx

from mutants.table import mutant
from support.changed_calls import exchanges, headers
from support.patching import patch
from toolbridge_proxy import answers, app, edge, sessions, upstream
from toolbridge_proxy.errors import ToolFailure

# Longer than any run: what waits this long waits for ever.
_NEVER_SECONDS = 86400.0
# What failed so shortly before a deadline failed because of it.
_EARLY_SECONDS = 0.05


@mutant(
    "M-Q01",
    "a POST that times out is sent again",
    rows="RES-08 RES-07",
    cause="errors-write-timeout",
)
def retry_timeout() -> None:
    """Each attempt has a share of the call's deadline."""

    def make(original: Any) -> Any:
        async def attempt(self: Any, request: Any, call: Any, session: Any) -> Any:
            if request.method != "POST" or request.path == sessions.PATH:
                return await original(self, request, call, session)
            end = call.deadline
            call.deadline = share = min(end, time.monotonic() + self.timeout_seconds / 2.2)
            try:
                return await original(self, request, call, session)
            except ToolFailure:
                if time.monotonic() < share - _EARLY_SECONDS:
                    raise
            finally:
                call.deadline = end
            return await original(self, request, call, session)

        return attempt

    patch(upstream.Upstream, "_attempt", make)


@mutant("M-Q02", "nothing is ever timed out", rows="RES-04", cause="errors-upstream-silent")
def no_timeout() -> None:
    """Connecting is: the operating system does that by itself."""
    patch(upstream.Call, "remaining", lambda _: lambda self: _NEVER_SECONDS)


class _Following(httpx.AsyncBaseTransport):
    """A transport behind an ordinary client, which follows redirects."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        client = httpx.AsyncClient(transport=self._inner, trust_env=False)
        return await client.send(request, stream=True, follow_redirects=True)

    async def aclose(self) -> None:
        await self._inner.aclose()


@mutant(
    "M-Q04",
    "redirects are followed (follow_redirects=True)",
    rows="RES-17 SIG-07",
    cause="errors-redirect",
)
def follow_redirects() -> None:
    """A 302 makes a GET of a create; the signed headers go along unchanged."""

    def make(original: Any) -> Any:
        return lambda settings: [_Following(inner) for inner in original(settings)]

    patch(app, "make_transports", make)


@mutant(
    "M-Q06",
    "headers of the Go API's answers are passed on",
    rows="RES-20",
    cause="hygiene-upstream-headers",
)
def relay_headers() -> None:
    """All but those of the framing, as a reverse proxy does."""
    framing = (b"content-length", b"content-type", b"transfer-encoding", b"connection")
    relayed: ContextVar[list[tuple[bytes, bytes]]] = ContextVar("relayed")

    def make_read(original: Any) -> Any:
        async def read(response: httpx.Response, request: Any) -> Any:
            seen = response.headers.raw
            relayed.get()[:] = [(n, v) for n, v in seen if n.lower() not in framing]
            return await original(response, request)

        return read

    def make_call(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            relayed.set([])

            async def more(message: Any) -> None:
                if message["type"] == "http.response.start":
                    message["headers"] = [*message["headers"], *relayed.get()]
                await send(message)

            await original(self, scope, receive, more)

        return call

    patch(upstream, "_read", make_read)
    patch(edge.Edge, "__call__", make_call)


@mutant(
    "M-Q09",
    "a body that ends before its Content-Length is taken for whole",
    rows="RES-15",
    cause="resilience-cut-answer",
)
def truncated_is_whole() -> None:
    """As clients do that read until the connection is closed."""

    def make(original: Any) -> Any:
        async def read(response: httpx.Response, request: Any) -> Any:
            chunks = response.aiter_raw()

            async def until_closed() -> Any:
                try:
                    async for chunk in chunks:
                        yield chunk
                except httpx.RemoteProtocolError:
                    return

            patch(response, "aiter_raw", lambda _: until_closed)
            return await original(response, request)

        return read

    patch(upstream, "_read", make)


@mutant(
    "M-Q10",
    "while a request is upstream the event loop stands still",
    rows="RES-04 ERR-14",
    cause="errors-upstream-silent",
)
def blocking_client() -> None:
    """A client that blocks, in a handler that is async."""
    client = httpx.HTTPTransport(trust_env=False)

    async def exchange(self: Any, request: Any, call: Any, session: Any) -> answers.Answer:
        sent = httpx.Request(
            request.method,
            httpx.URL(self._base_url + request.path, params=request.query or None),
            headers=self._signer.sign([*self._headers(request, call), *session]),
            content=request.body,
            extensions={"timeout": httpx.Timeout(call.remaining()).as_dict()},
        )
        try:
            response = client.handle_request(sent)
            body = response.read()
        except httpx.TransportError as error:
            late = TimeoutError() if isinstance(error, httpx.ReadTimeout) else error
            raise upstream._transport_failure(late, False, request.lost) from None
        kind, retry_after = (response.headers.get(n) for n in ("content-type", "retry-after"))
        return answers.Answer(response.status_code, body, kind or "", retry_after)

    exchanges(lambda _: exchange)


@mutant(
    "M-Q14",
    "the library strips Authorization, and requests go upstream without it",
    rows="AUTH-00 SES-20",
    cause="run-strays",
)
def authorization_stripped() -> None:
    """As an upgrade of FastMCP could, which forwards headers by a list of its own."""
    headers(lambda pairs, call: [pair for pair in pairs if pair[0] != "Authorization"])
