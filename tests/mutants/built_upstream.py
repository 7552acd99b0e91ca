"""Correct proxies that call the Go API in another way."""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx

from mutants.table import variant
from support.patching import patch
from toolbridge_proxy import operations, sessions, signing, tools, upstream
from toolbridge_proxy.errors import ToolFailure


@variant("session-per-request", "a sync session of its own for every call (C-03)")
def session_per_request() -> None:
    """Nothing is kept."""

    async def get(self: Any, call: Any) -> sessions.Session:
        made: sessions.Session = await self._make((None, str(time.time_ns())), call)
        return made

    patch(sessions.Sessions, "_get", lambda _: get)
    patch(sessions.Sessions, "_forget", lambda _: lambda *arguments: None)


@variant("session-per-token", "a sync session for every token, not for every person (C-03)")
def session_per_token() -> None:
    """A fresh token begins a fresh session."""
    patch(sessions, "_principal", lambda _: lambda call: (call.caller.issuer, call.caller.token))


@variant("session-margin", "a sync session is renewed ten minutes before its end (C-03)")
def session_margin() -> None:
    """Far from any difference of clocks."""
    patch(sessions, "MARGIN_SECONDS", lambda _: 600)


@variant("float-clock", "timestamps are int(time.time() * 1000) (C-04)")
def float_clock() -> None:
    """Off by a millisecond now and then."""

    def make(original: Any) -> Any:
        def init(self: Any, tenant_id: str, secret: str) -> None:
            original(self, tenant_id, secret, lambda: int(time.time() * 1000) * 1_000_000)

        return init

    patch(signing.Signer, "__init__", make)


def _built(change: Any) -> None:
    """Let `change(request)` return the request that is sent upstream."""

    def make(original: Any) -> Any:
        return lambda *given: change(original(*given))

    patch(tools, "build", make)


@variant("if-match-quoted", "If-Match is an entity tag in quotes (C-05)")
def if_match_quoted() -> None:
    """As RFC 9110 section 13.1.1 writes it; the Go API takes both."""

    def change(request: upstream.ApiRequest) -> upstream.ApiRequest:
        return replace(request, headers=tuple((n, f'"{v}"') for n, v in request.headers))

    _built(change)


@variant("never-retries", "nothing is ever sent again (C-06)")
def never_retries() -> None:
    """The caller decides."""
    patch(upstream, "RETRY_BURST", lambda _: 0.0)


@variant("retries-late", "its one retry comes after half a second (C-06)")
def retries_late() -> None:
    """Within the deadline of the call."""
    patch(upstream, "RETRY_PAUSE_SECONDS", lambda _: (0.4, 0.5))


@variant("cursors-opaque", "a cursor is passed on as it is, encoded (C-07)")
def cursors_opaque() -> None:
    """The Go API knows what it gave out."""
    listing = operations.OPERATIONS["list"]

    def arguments(entity: Any) -> Any:
        cursor = operations._optional(str, "Where to go on.")
        return {**listing.arguments(entity), "cursor": cursor}

    operations.OPERATIONS["list"] = replace(listing, arguments=arguments)


@variant("epoch-told", "a wipe is told as epoch_mismatch, and the next call succeeds (C-10)")
def epoch_told() -> None:
    """The caller should know that everything is gone."""

    def make(original: Any) -> Any:
        async def in_session(self: Any, request: Any, call: Any) -> Any:
            try:
                return await original(self, request, call)
            except ToolFailure as failure:
                failure.session_lost = failure.session_lost and failure.status != 409
                raise

        return in_session

    patch(sessions.Sessions, "_in_session", make)


def _sent_headers(change: Any) -> None:
    """Let `change(headers)` return the header lines of each upstream request."""

    def make(original: Any) -> Any:
        return lambda self, headers: change(original(self, headers))

    patch(signing.Signer, "sign", make)


@variant("lower-case-upstream", "names of upstream headers are in lower case")
def lower_case_upstream() -> None:
    """As HTTP/2 libraries write them."""
    _sent_headers(lambda headers: [(name.lower(), value) for name, value in headers])


@variant("upstream-order", "upstream headers come in another order")
def upstream_order() -> None:
    """The tenant headers first."""
    _sent_headers(lambda headers: headers[::-1])


@variant("upstream-more", "upstream requests say more: another agent, any type, a trace")
def upstream_more() -> None:
    """As tracing and other HTTP libraries do."""
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    other = {"User-Agent": "python-httpx", "Accept": "*/*"}

    def change(headers: Any) -> Any:
        return [*((n, other.get(n, v)) for n, v in headers), ("traceparent", trace)]

    _sent_headers(change)


@variant("upstream-anew", "a new connection for every upstream request")
def upstream_anew() -> None:
    """Nothing to be closed under it."""
    limits = {"max_connections": upstream.POOL_SIZE, "max_keepalive_connections": 0}
    patch(httpx, "Limits", lambda made: lambda **_: made(**limits))


@variant("bodies-escaped", "upstream bodies are sorted JSON in ASCII, with blanks")
def bodies_escaped() -> None:
    """The same value for any parser."""
    patch(operations, "_json", lambda _: lambda value: json.dumps(value, sort_keys=True).encode())


@variant("bodies-chunked", "upstream bodies are sent in chunks, without a Content-Length")
def bodies_chunked() -> None:
    """As libraries send what they read from a stream."""

    async def parts(body: bytes) -> AsyncIterator[bytes]:
        yield body[:7]
        yield body[7:]

    def make(original: Any) -> Any:
        def request(*given: Any, content: bytes | None = None, **more: Any) -> Any:
            return original(*given, content=content and parts(content), **more)

        return request

    patch(httpx, "Request", make)


@variant("defaults-sent", "defaults are sent too, and the query in another order")
def defaults_sent() -> None:
    """includeDeleted=false says what its absence says."""

    def change(request: upstream.ApiRequest) -> upstream.ApiRequest:
        if request.method != "GET":
            return request
        query = httpx.QueryParams([("includeDeleted", "false")]).merge(request.query)
        return replace(request, query=tuple(reversed(query.multi_items())))

    _built(change)


@variant("uids-by-the-api", "creates carry no uid: the Go API chooses it")
def uids_by_the_api() -> None:
    """So a lost create can only be looked for in the list."""
    creation = operations.OPERATIONS["create"]

    def body(entity: Any, given: Any) -> Any:
        return operations._payload(entity.create, given)

    operations.OPERATIONS["create"] = replace(creation, body=body)
    text = (
        "Outcome unknown: the Go API may or may not have created it. Read the list back first, "
        "and act on what is there."
    )

    def change(request: upstream.ApiRequest) -> upstream.ApiRequest:
        without = request.method == "POST" and request.route == request.path
        return replace(request, lost=text) if without else request

    _built(change)
