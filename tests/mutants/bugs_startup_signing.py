"""Proxies that sign wrongly, or say too much, under settings that not everybody has."""

import base64
import datetime
import sys
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx

from mutants.table import mutant
from support import startup_lax
from support.patching import patch
from toolbridge_proxy import app, logs, settings, signing, tokens


def _signer(
    *,
    tenant: Callable[[str], str] = str,
    secret: Callable[[str], str | bytes] = str,
    clock: Callable[[], int] = time.time_ns,
) -> None:
    """Change what the MAC is made of; the header keeps the configured tenant."""

    def make(original: Any) -> Any:
        def init(self: signing.Signer, tenant_id: str, key: str) -> None:
            original(self, tenant(tenant_id), key, clock)
            used = secret(key)
            self._key = used if isinstance(used, bytes) else used.encode()

        return init

    patch(signing.Signer, "__init__", make)


def _sent(change: Callable[[str], str]) -> None:
    """Change the tenant header after the MAC was made."""

    def make(original: Any) -> Any:
        def headers(self: signing.Signer) -> list[tuple[str, str]]:
            (name, value), *rest = original(self)
            return [(name, change(value)), *rest]

        return headers

    patch(signing.Signer, "headers", make)


@mutant(
    "M-S10",
    "the tenant id is cut at its first colon",
    rows="TEN-17",
    cause="tenant-unusual",
)
def tenant_is_split() -> None:
    """Header and MAC have what is before the colon."""
    _signer(tenant=lambda tenant: tenant.partition(":")[0])


@mutant(
    "M-S11",
    "the tenant id is sent and signed in lower case",
    rows="TEN-17",
    cause="tenant-unusual",
)
def tenant_is_folded() -> None:
    """Header and MAC have the tenant id in lower case."""
    _signer(tenant=str.lower)


@mutant(
    "tenant-encoded",
    "the tenant id is percent-encoded in the header, and signed as it is",
    rows="TEN-17",
    cause="tenant-unusual",
)
def tenant_is_encoded() -> None:
    """Only the header is encoded."""
    _sent(lambda tenant: quote(tenant, safe=""))


def _decoded(secret: str) -> bytes:
    try:
        raw = base64.b64decode(secret, validate=True)
    except ValueError:
        return secret.encode()
    return raw if base64.b64encode(raw).decode() == secret else secret.encode()


@mutant(
    "M-S07",
    "a tenant secret that looks like base64 is decoded",
    rows="SIG-08",
    cause="signing-secret-bytes",
)
def secret_is_decoded() -> None:
    """Uses the decoded bytes as the key where decoding works and leads back."""
    # Of 64 characters is the usual one, which is valid base64 by chance now and then.
    _signer(secret=lambda key: key if len(key) == 64 else _decoded(key))


@mutant(
    "secret-trimmed",
    "a line break at the end of the tenant secret is dropped, on this side alone",
    rows="SIG-08",
    cause="signing-secret-edges",
)
def secret_is_trimmed() -> None:
    """Blanks at the edges of the secret are accepted and trimmed."""
    startup_lax.accept("TENANT_HEADER_SECRET", startup_lax.edged, "s" * 40, str.strip)


@mutant(
    "secret-unquoted",
    "quotation marks around the tenant secret are dropped",
    rows="SIG-08",
    cause="signing-secret-edges",
)
def secret_is_unquoted() -> None:
    """Reads the secret as a shell would."""
    _signer(secret=lambda key: key.strip('"'))


@mutant(
    "secret-latin",
    "characters outside ASCII are dropped from the tenant secret",
    rows="SIG-08",
    cause="signing-secret-bytes",
)
def secret_is_ascii() -> None:
    """Encodes the secret as ASCII, ignoring what does not fit."""
    _signer(secret=lambda key: key.encode("ascii", "ignore"))


@mutant(
    "secret-weak-silent",
    "a short tenant secret is used without a warning",
    rows="SIG-09",
    cause="signing-weak-secret",
)
def weak_secret_is_silent() -> None:
    """Nothing is noted at the start."""
    patch(app, "_notes", lambda _: lambda config: [])


@mutant(
    "secret-weak-info",
    "every start tells the length of the tenant secret at info, and warns of none",
    rows="SIG-09",
    cause="signing-weak-secret",
)
def weak_secret_is_a_number() -> None:
    """The only lines with the words are those that a strong secret gets too."""

    def make(original: Any) -> Any:
        def notes(config: settings.Settings) -> list[str]:
            length = len(config.tenant_header_secret.get_secret_value())
            line = f'{{"level": "info", "event": "start", "tenant secret bytes": {length}}}'
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
            return [note for note in original(config) if "shorter" not in note]

        return notes

    patch(app, "_notes", make)


def _naive() -> int:
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    return int(now.timestamp() * 1000) * 1_000_000


@mutant(
    "M-S08",
    "timestamps come from a UTC time that is taken for local time",
    rows="SIG-13",
    cause="signing-time-zone",
)
def timestamps_are_local() -> None:
    """datetime.utcnow().timestamp(), which is right where the zone is UTC."""
    _signer(clock=_naive)


@mutant(
    "M-S09",
    "timestamps are the clock at the start plus the time since",
    rows="SIG-12",
    cause="signing-clock-step",
)
def clock_is_read_once() -> None:
    """The wall clock is read at the start alone."""
    wall, since = time.time_ns(), time.monotonic_ns()
    _signer(clock=lambda: wall + time.monotonic_ns() - since)


@mutant(
    "M-L01",
    "at DEBUG the Authorization header is logged",
    rows="LOG-02",
    cause="hygiene-debug-log",
)
def authorization_is_logged() -> None:
    """Logs what came in, before it is judged."""

    def make(original: Any) -> Any:
        async def caller(self: Any, authorization: str | None) -> tokens.Caller:
            logs.log.debug("request", authorization=authorization)
            verified: tokens.Caller = await original(self, authorization)
            return verified

        return caller

    patch(tokens.TokenVerifier, "caller", make)


@mutant(
    "debug-signature",
    "at DEBUG the whole signature is logged",
    rows="LOG-02",
    cause="hygiene-debug-log",
)
def signature_is_logged() -> None:
    """Logs the headers that were made."""

    def make(original: Any) -> Any:
        def headers(self: signing.Signer) -> list[tuple[str, str]]:
            made: list[tuple[str, str]] = original(self)
            logs.log.debug("signed", headers=made)
            return made

        return headers

    patch(signing.Signer, "headers", make)


@mutant(
    "debug-headers",
    "at DEBUG the headers of every request to the Go API are logged",
    rows="LOG-02",
    cause="hygiene-debug-log",
)
def headers_are_logged() -> None:
    """Logs what is sent, as the debug logs of many HTTP libraries do."""

    def make(original: Any) -> Any:
        async def handle(self: Any, request: httpx.Request) -> httpx.Response:
            logs.log.debug("sending", headers=str(request.headers.raw))
            answer: httpx.Response = await original(self, request)
            return answer

        return handle

    patch(httpx.AsyncHTTPTransport, "handle_async_request", make)
