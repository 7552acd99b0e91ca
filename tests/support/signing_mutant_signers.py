"""Signers with one bug each: the reference with one step replaced, and nothing else changed."""

import base64
import hashlib
import hmac
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import structlog

from support.signing_strategies import NS_PER_MS, NS_PER_SECOND
from support.signing_subject import NAMES, SIGNATURE, TENANT, TIMESTAMP, Headers
from toolbridge_proxy.signing import Signer

log = structlog.get_logger()


class Steps(Signer):
    """The reference signer taken apart; unchanged, it signs as the reference does."""

    def __init__(self, tenant_id: str, secret: str, clock: Callable[[], int]) -> None:
        super().__init__(tenant_id, secret, clock)
        self._secret = secret

    def stamp(self, ns: int) -> str:
        return str(ns // NS_PER_MS)

    def tenant(self) -> str:
        return self._tenant_id

    def signed_tenant(self) -> str:
        return self.tenant()

    def message(self, tenant: str, stamp: str) -> str:
        return f"{tenant}:{stamp}"

    def key(self) -> bytes:
        return self._key

    def mac(self, message: bytes) -> str:
        return hmac.new(self.key(), message, hashlib.sha256).hexdigest()

    def headers(self) -> Headers:
        stamp = self.stamp(self._clock())
        signature = self.mac(self.message(self.signed_tenant(), stamp).encode())
        return [(TENANT, self.tenant()), (TIMESTAMP, stamp), (SIGNATURE, signature)]


def step(name: str, function: Callable[..., Any]) -> type[Steps]:
    """Return a signer one step of which is `function(self, ...)`."""
    return type(f"Other{name.title()}", (Steps,), {name: function})


def raw_mac(self: Steps, message: bytes) -> bytes:
    return hmac.digest(self.key(), message, hashlib.sha256)


def b64decoded(self: Steps) -> bytes:
    try:
        return base64.b64decode(self._secret, validate=True) or self._key
    except ValueError:
        return self._key


def naive_utc(self: Steps, ns: int) -> str:
    """What `datetime.utcnow().timestamp()` does: UTC's clock face read as local time."""
    moment = datetime.fromtimestamp(ns // NS_PER_SECOND, UTC).replace(tzinfo=None)
    return str(int(moment.timestamp()) * 1000 + ns % NS_PER_SECOND // NS_PER_MS)


class CachedTenMinutes(Steps):
    """M-S03: the triple is kept for ten minutes."""

    _made: tuple[int, Headers] | None = None

    def headers(self) -> Headers:
        now = self._clock()
        if self._made is None or not 0 <= now - self._made[0] < 600 * NS_PER_SECOND:
            self._clock, clock = (lambda: now), self._clock
            self._made = now, super().headers()
            self._clock = clock
        return self._made[1]


class WallAtStart(Steps):
    """M-S09: the wall clock is read once, then time since then is added."""

    def __init__(self, tenant_id: str, secret: str, clock: Callable[[], int]) -> None:
        super().__init__(tenant_id, secret, clock)
        self._wall: int | None = None
        self._started = time.monotonic_ns()

    def stamp(self, ns: int) -> str:
        self._wall = self._wall or ns
        return super().stamp(self._wall + time.monotonic_ns() - self._started)


class NeverBack(Steps):
    """M-S09 in its gentle form: a clock that is set back is not believed."""

    _latest = 0

    def stamp(self, ns: int) -> str:
        self._latest = max(self._latest, ns)
        return super().stamp(self._latest)


class SharedMac(Steps):
    """One HMAC object for all requests, never copied."""

    def __init__(self, tenant_id: str, secret: str, clock: Callable[[], int]) -> None:
        super().__init__(tenant_id, secret, clock)
        self._hmac = hmac.new(self._key, digestmod=hashlib.sha256)

    def mac(self, message: bytes) -> str:
        self._hmac.update(message)
        return self._hmac.hexdigest()


class Torn(Steps):
    """The timestamp goes through an attribute that all threads share."""

    def stamp(self, ns: int) -> str:
        self._stamp = super().stamp(ns)
        if threading.current_thread() is not threading.main_thread():
            time.sleep(0.0002)  # let another thread in between
        return self._stamp

    def message(self, tenant: str, stamp: str) -> str:
        return f"{tenant}:{self._stamp}"


class Appends(Steps):
    """The three headers are added to whatever is there."""

    def sign(self, headers: Iterable[tuple[str, str]]) -> Headers:
        return [*headers, *self.headers()]


class SetsDefault(Steps):
    """A header that is there already stays."""

    def sign(self, headers: Iterable[tuple[str, str]]) -> Headers:
        given = list(headers)
        there = {name.lower() for name, _ in given}
        return given + [pair for pair in self.headers() if pair[0].lower() not in there]


class CaseSensitive(Steps):
    """Only names in our own spelling are replaced."""

    def sign(self, headers: Iterable[tuple[str, str]]) -> Headers:
        return [pair for pair in headers if pair[0] not in NAMES] + self.headers()


class ReprLeak(Steps):
    """A dataclass, as it were."""

    def __repr__(self) -> str:
        return f"Signer(tenant_id={self._tenant_id!r}, secret={self._secret!r})"


class ErrorLeak(Steps):
    """Its error quotes what it was working with."""

    def headers(self) -> Headers:
        try:
            return super().headers()
        except OSError as failure:
            raise OSError(f"cannot sign with {self._key!r}") from failure


class LogsSecret(Steps):
    """The key in the log, for debugging."""

    def mac(self, message: bytes) -> str:
        log.debug("signing", key=self._key.hex())
        return super().mac(message)


class LogsSignature(Steps):
    """The whole signature in the log: whoever reads it can replay it."""

    def mac(self, message: bytes) -> str:
        signature = super().mac(message)
        log.debug("signature", signature=signature)
        return signature
