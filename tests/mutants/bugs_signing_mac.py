"""Proxies whose tenant headers are wrong, old, missing, or sent to somebody else."""

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import httpx

from mutants.table import mutant
from support import changed_calls
from support.patching import patch
from toolbridge_proxy import sessions, signing, tools, upstream

Pairs = list[tuple[str, str]]


def _clock(clock: Callable[[], int]) -> None:
    """Sign by another clock, which returns nanoseconds."""

    def make(original: Any) -> Any:
        def init(self: signing.Signer, tenant_id: str, secret: str) -> None:
            original(self, tenant_id, secret, clock)

        return init

    patch(signing.Signer, "__init__", make)


def _mac(make_mac: Callable[[bytes, bytes], bytes], write: Callable[[bytes], str]) -> None:
    """Compute and write the signature in another way."""

    def make(original: Any) -> Any:
        def headers(self: signing.Signer) -> Pairs:
            tenant, timestamp, (name, _) = original(self)
            message = f"{tenant[1]}:{timestamp[1]}".encode()
            return [tenant, timestamp, (name, write(make_mac(self._key, message)))]

        return headers

    patch(signing.Signer, "headers", make)


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, hashlib.sha256)


@mutant(
    "M-S01",
    "timestamps are in seconds",
    rows="SIG-03 SIG-17",
    cause="signing-unit",
)
def in_seconds() -> None:
    """As most timestamps are."""
    _clock(lambda: time.time_ns() // 1000)


@mutant(
    "M-S02",
    "timestamps are a float of milliseconds, cut to a whole number",
    rows="SIG-03 SIG-04",
    spared="equivalent: one millisecond less in one of some thousand instants, of 300,000 allowed",
)
def through_float() -> None:
    """int(time.time() * 1000)."""
    _clock(lambda: int(time.time() * 1000) * 1_000_000)


@mutant(
    "seconds-as-milliseconds",
    "timestamps are whole seconds, written in milliseconds",
    rows="SIG-03",
    cause="signing-unit",
)
def whole_seconds() -> None:
    """int(time.time()) * 1000: half a second late on average, which the Go API tolerates."""
    _clock(lambda: int(time.time()) * 1_000_000_000)


@mutant(
    "M-S05",
    "the signature is written in upper-case hex",
    rows="SIG-02 SIG-17",
    cause="signing-recomputed",
)
def upper_case() -> None:
    """The same number, in letters that the Go API compares."""
    _mac(_hmac, lambda mac: mac.hex().upper())


@mutant(
    "signature-base64",
    "the signature is written in base64",
    rows="SIG-02 SIG-17",
    cause="signing-recomputed",
)
def in_base64() -> None:
    """As webhooks often are."""
    _mac(_hmac, lambda mac: base64.b64encode(mac).decode())


@mutant(
    "M-S06",
    "the signature is a plain SHA-256 of secret and message",
    rows="SIG-02 SIG-17",
    cause="signing-recomputed",
)
def plain_hash() -> None:
    """A hash of the right length that is no HMAC."""
    _mac(lambda key, message: hashlib.sha256(key + message).digest(), bytes.hex)


@mutant(
    "signature-of-user",
    "the signature is over tenant, time and user",
    rows="SIG-02 SIG-17",
    cause="signing-recomputed",
)
def signs_more() -> None:
    """More is signed than the Go API knows of."""
    _mac(lambda key, message: _hmac(key, message + b":user"), bytes.hex)


def _signed_before(owner: Any, step: str) -> None:
    """Sign when `owner.step` begins, for all that follows in it."""
    early = ContextVar[Pairs | None]("early", default=None)
    signers: list[signing.Signer] = []

    def make_init(original: Any) -> Any:
        def init(self: signing.Signer, *given: Any) -> None:
            original(self, *given)
            signers.append(self)

        return init

    def make_step(original: Any) -> Any:
        async def begun(self: Any, *given: Any) -> Any:
            early.set(signers[0].headers())
            return await original(self, *given)

        return begun

    def make_sign(original: Any) -> Any:
        def sign(self: signing.Signer, headers: Pairs) -> Pairs:
            made = early.get()
            return original(self, headers) if made is None else [*headers, *made]

        return sign

    patch(signing.Signer, "__init__", make_init)
    patch(signing.Signer, "sign", make_sign)
    patch(owner, step, make_step)


@mutant(
    "M-S04",
    "requests are signed when they are built, before they wait for a connection",
    rows="SIG-05",
    cause="signing-queue",
)
def signed_when_built() -> None:
    """While the pool is full, signatures age in the queue."""
    _signed_before(upstream.Upstream, "_attempt")


@mutant(
    "signs-on-arrival",
    "requests are signed when the call comes in, not when they are sent",
    rows="SIG-05",
    cause="signing-when-sent",
)
def signed_on_arrival() -> None:
    """Whatever happens before the sending, a session above all, makes the signature older."""
    _signed_before(tools.Operate, "__call__")


@mutant(
    "M-S12",
    "redirects are followed, and every hop is signed",
    rows="SIG-07 RES-17",
    cause="errors-redirect",
)
def signs_for_anybody() -> None:
    """Signing lives in the transport, which does not look at the host."""

    def make(original: Any) -> Any:
        async def handle(self: Any, request: httpx.Request) -> httpx.Response:
            response: httpx.Response = await original(self, request)
            for _ in range(5):
                if response.status_code not in (301, 302, 303, 307, 308):
                    break
                url = request.url.join(response.headers["location"])
                await response.aclose()
                hop = httpx.Request(
                    "GET" if response.status_code < 307 else request.method,
                    url,
                    headers=[(n, v) for n, v in request.headers.multi_items() if n != "host"],
                    extensions=request.extensions,
                )
                response = await original(self, hop)
            return response

        return handle

    patch(httpx.AsyncHTTPTransport, "handle_async_request", make)


@mutant(
    "sessions-unsigned",
    "requests for a session are not signed",
    rows="SIG-01 SIG-17",
    cause="signing-every-request",
)
def unsigned_sessions() -> None:
    """Signing was added where objects are read and written."""
    plain = ContextVar[bool]("plain", default=False)

    def make_made(original: Any) -> Any:
        async def made(self: sessions.Sessions, *given: Any) -> Any:
            plain.set(True)  # in a task of its own, and so for it alone
            return await original(self, *given)

        return made

    def make_sign(original: Any) -> Any:
        def sign(self: signing.Signer, headers: Pairs) -> Pairs:
            return [*headers] if plain.get() else original(self, headers)

        return sign

    patch(sessions.Sessions, "_make", make_made)
    patch(signing.Signer, "sign", make_sign)


@mutant(
    "torn-triples",
    "time and signature of requests that are made at once can change places",
    rows="SIG-14",
    cause="signing-concurrent",
)
def torn_triples() -> None:
    """The signature is kept in the signer from one step to the next."""
    triple, kept = ContextVar[Pairs]("triple"), {"signature": ""}

    def make(original: Any) -> Any:
        async def exchange(self: upstream.Upstream, *given: Any) -> Any:
            triple.set(self._signer.headers())
            kept["signature"] = triple.get()[2][1]
            await asyncio.sleep(0.002)
            return await original(self, *given)

        return exchange

    def sign(self: signing.Signer, headers: Pairs) -> Pairs:
        tenant, timestamp, (name, _) = triple.get()
        return [*headers, tenant, timestamp, (name, kept["signature"])]

    changed_calls.exchanges(make)
    patch(signing.Signer, "sign", lambda _: sign)


@mutant(
    "debug-sub-sent",
    "every request names its user in X-Debug-Sub as well",
    rows="SIG-16 SES-02",
    cause="signing-no-violations",
)
def names_the_user() -> None:
    """Left over from a time without tokens; a Go API in development mode believes it."""
    changed_calls.headers(lambda pairs, call: [*pairs, ("X-Debug-Sub", call.caller.subject)])
