"""Proxies that believe too much of a TLS server, or misname what they refuse."""

import ssl
from collections.abc import Callable
from typing import Any

import httpx

from mutants.table import mutant
from support.patching import patch
from toolbridge_proxy import upstream
from toolbridge_proxy.errors import ToolFailure, lost_or

CERTIFICATE = "resilience-upstream-certificate"
CODE = "resilience-upstream-tls-code"
_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME


def _contexts(change: Callable[[ssl.SSLContext], None]) -> None:
    def make(original: Any) -> Any:
        def context(*given: Any, **options: Any) -> ssl.SSLContext:
            made: ssl.SSLContext = original(*given, **options)
            change(made)
            return made

        return context

    patch(ssl, "create_default_context", make)


@mutant("M-Q05", "any certificate is believed (verify=False)", rows="RES-26", cause=CERTIFICATE)
def believes_anybody() -> None:
    """Neither chain nor name."""

    def change(context: ssl.SSLContext) -> None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE

    _contexts(change)


@mutant(
    "tls-any-host",
    "a certificate for another host is believed",
    rows="RES-26",
    cause=CERTIFICATE,
)
def any_host() -> None:
    """The chain alone."""
    _contexts(lambda context: setattr(context, "check_hostname", False))


@mutant("tls-any-time", "an expired certificate is believed", rows="RES-26", cause=CERTIFICATE)
def any_time() -> None:
    """Chain and name, for ever."""

    def change(context: ssl.SSLContext) -> None:
        context.verify_flags |= _NO_CHECK_TIME

    _contexts(change)


@mutant("tls-old-versions", "TLS 1.0 is spoken when asked for", rows="RES-26", cause=CERTIFICATE)
def old_versions() -> None:
    """As old as the library can."""

    def change(context: ssl.SSLContext) -> None:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1

    _contexts(change)


@mutant(
    "tls-plain-fallback",
    "what fails over TLS is sent again in plain",
    rows="RES-26",
    cause=CERTIFICATE,
)
def plain_fallback() -> None:
    """To the same port."""

    def make(original: Any) -> Any:
        async def handle(self: Any, request: httpx.Request) -> httpx.Response:
            try:
                response: httpx.Response = await original(self, request)
            except httpx.ConnectError:
                request.url = request.url.copy_with(scheme="http")
                response = await original(self, request)
            return response

        return handle

    patch(httpx.AsyncHTTPTransport, "handle_async_request", make)


@mutant("tls-as-unreachable", "a failed handshake is unreachable", rows="RES-26", cause=CODE)
def as_unreachable() -> None:
    """Every failed connection is the same."""
    patch(upstream, "_connect_code", lambda _: lambda error: "upstream_unreachable")


@mutant(
    "tls-outcome-unknown",
    "a write that met a failed handshake is called outcome_unknown",
    rows="RES-26",
    cause=CODE,
)
def outcome_unknown() -> None:
    """As if something had been sent."""

    def make(original: Any) -> Any:
        def failure(error: Exception, answered: bool, lost: str | None) -> ToolFailure:
            found: ToolFailure = original(error, answered, lost)
            return lost_or(lost, found) if found.code == "upstream_tls" else found

        return failure

    patch(upstream, "_transport_failure", make)
