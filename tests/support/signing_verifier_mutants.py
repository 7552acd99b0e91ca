"""Verifiers that are too lenient or too strict: a mock with one would hide a broken proxy."""

import hmac
from collections.abc import Callable

from support.signing_subject import Subject, Verify
from toolbridge_contract import signing
from toolbridge_contract.signing import Rejection

_NS_PER_MS = 10**6
_NS_PER_SECOND = 10**9


def _loose(change: Callable[[str, str, str], tuple[str, str, str]]) -> Verify:
    """Return a verifier that tidies the three values before it judges them."""

    def verify(
        tenant: str | None, timestamp: str | None, signed: str | None, secret: str, now_ns: int
    ) -> Rejection | None:
        if tenant is None or timestamp is None or signed is None:
            return Rejection.MISSING
        return signing.verify(*change(tenant, timestamp, signed), secret, now_ns)

    return verify


def _window(inside: Callable[[int, int], bool]) -> Verify:
    """Return a verifier whose window is `inside(sent ns, now ns)`."""

    def verify(
        tenant: str | None, timestamp: str | None, signed: str | None, secret: str, now_ns: int
    ) -> Rejection | None:
        first = signing.verify(tenant, timestamp, signed, secret, now_ns)
        if first in (Rejection.MISSING, Rejection.TIMESTAMP):
            return first
        sent = int(timestamp or "") * _NS_PER_MS
        if not inside(sent, now_ns):
            return Rejection.SKEW
        # At its own instant the skew cannot be what it is refused for.
        return signing.verify(tenant, timestamp, signed, secret, sent)

    return verify


def _python_int(
    tenant: str | None, timestamp: str | None, signed: str | None, secret: str, now_ns: int
) -> Rejection | None:
    """Parse as Python does: blanks, underscores and every script's digits."""
    if not (tenant and timestamp and signed):
        return Rejection.MISSING
    try:
        sent = int(timestamp)
    except ValueError:
        return Rejection.TIMESTAMP
    if abs(now_ns - sent * _NS_PER_MS) > 300 * _NS_PER_SECOND:
        return Rejection.SKEW
    expected = signing.signature(tenant, timestamp, secret)
    return None if hmac.compare_digest(expected.encode(), signed.encode()) else Rejection.SIGNATURE


def _signature_first(
    tenant: str | None, timestamp: str | None, signed: str | None, secret: str, now_ns: int
) -> Rejection | None:
    if tenant and timestamp and signed:
        expected = signing.signature(tenant, timestamp, secret)
        if expected != signed:
            return Rejection.SIGNATURE
    return signing.verify(tenant, timestamp, signed, secret, now_ns)


def _prefix(
    tenant: str | None, timestamp: str | None, signed: str | None, secret: str, now_ns: int
) -> Rejection | None:
    """Compare as many digits as there are."""
    if tenant and timestamp and signed:
        expected = signing.signature(tenant, timestamp, secret)
        if len(signed) >= 32 and expected.startswith(signed[:64]):
            signed = expected
    return signing.verify(tenant, timestamp, signed, secret, now_ns)


def _no_empty(
    tenant: str | None, timestamp: str | None, signed: str | None, secret: str, now_ns: int
) -> Rejection | None:
    """Take an empty header for a value."""
    if None in (tenant, timestamp, signed) or timestamp == "":
        return Rejection.MISSING
    return signing.verify(tenant or ":", timestamp, signed or ":", secret, now_ns)


def _seconds_apart(sent: int, now: int) -> int:
    return abs(now // _NS_PER_SECOND - sent // _NS_PER_SECOND)


VERIFIERS = (
    Subject("any case of hex", verify=_loose(lambda t, ts, s: (t, ts, s.lower()))),
    Subject("blanks cut", verify=_loose(lambda t, ts, s: (t.strip(), ts.strip(), s.strip()))),
    Subject("tenant in lower case", verify=_loose(lambda t, ts, s: (t.lower(), ts, s))),
    Subject("number re-spelled", verify=_loose(lambda t, ts, s: (t, ts.lstrip("+0") or "0", s))),
    Subject("first digits", verify=_prefix),
    Subject("Python's int", verify=_python_int),
    Subject("empty is a value", verify=_no_empty),
    Subject("signature first", verify=_signature_first),
    Subject("no window", verify=_window(lambda sent, now: True)),
    Subject("past only", verify=_window(lambda sent, now: now - sent <= 300 * _NS_PER_SECOND)),
    Subject("future only", verify=_window(lambda sent, now: sent - now <= 300 * _NS_PER_SECOND)),
    Subject("whole seconds", verify=_window(lambda sent, now: _seconds_apart(sent, now) <= 300)),
    Subject(
        "five minutes and a bit", verify=_window(lambda s, n: abs(n - s) <= 301 * _NS_PER_SECOND)
    ),
    Subject(
        "five minutes less a bit", verify=_window(lambda s, n: abs(n - s) <= 299 * _NS_PER_SECOND)
    ),
)
