"""The tenant-header rule of the Go API, written a second time.

Nothing here is shared with any proxy: a common `sign()` would hide its own bug. The rules are
those observed on the wire (timestamps parsed by Go's `strconv.ParseInt(s, 10, 64)`, the MAC over
the header strings as received, lower-case hex, five minutes of skew either way).
"""

import enum
import hashlib
import hmac

from toolbridge_contract.mock.golang import parse_int

TENANT_HEADER = "X-TB-Tenant-ID"
TIMESTAMP_HEADER = "X-TB-Timestamp"
SIGNATURE_HEADER = "X-TB-Signature"

# The Go API accepts 299.9 s and refuses 300.2 s, past and future alike.
MAX_SKEW_SECONDS = 300.0

_NS_PER_MS = 1_000_000
_NS_PER_SECOND = 1_000_000_000
# Go's time.Duration is an int64 of nanoseconds; Time.Sub saturates at its bounds.
_DURATION_MAX = 2**63 - 1
_DURATION_MIN = -(2**63)


class Rejection(enum.Enum):
    """Why the Go API refuses a set of tenant headers; its answer never says which."""

    MISSING = "a tenant header is missing or empty"
    TIMESTAMP = "the timestamp is not a 64-bit decimal integer"
    SKEW = "the timestamp is more than 300 s from the server's clock"
    SIGNATURE = "the signature does not match"


def signature(tenant: str, timestamp: str, secret: str) -> str:
    """Return the lower-case hex HMAC-SHA256 of `tenant:timestamp`."""
    message = f"{tenant}:{timestamp}".encode("utf-8", "surrogateescape")
    return hmac.digest(secret.encode("utf-8", "surrogateescape"), message, hashlib.sha256).hex()


def tenant_headers(tenant_id: str, secret: str, timestamp_ms: int) -> dict[str, str]:
    """Return the three headers that a proxy sends for `tenant_id` at `timestamp_ms` (unix ms)."""
    timestamp = str(timestamp_ms)
    return {
        TENANT_HEADER: tenant_id,
        TIMESTAMP_HEADER: timestamp,
        SIGNATURE_HEADER: signature(tenant_id, timestamp, secret),
    }


def verify(
    tenant: str | None, timestamp: str | None, signature_hex: str | None, secret: str, now_ns: int
) -> Rejection | None:
    """Judge three header values as the Go API does at `now_ns` (unix ns); None is acceptance.

    Header bytes that are not UTF-8 come in as surrogate escapes, so the MAC sees the raw bytes.
    """
    if not tenant or not timestamp or not signature_hex:
        return Rejection.MISSING
    sent_ms = parse_int(timestamp)
    if not sent_ms.exact:
        return Rejection.TIMESTAMP
    if abs(_duration_seconds(now_ns - sent_ms.value * _NS_PER_MS)) > MAX_SKEW_SECONDS:
        return Rejection.SKEW
    expected = signature(tenant, timestamp, secret).encode()
    if not hmac.compare_digest(signature_hex.encode("utf-8", "surrogateescape"), expected):
        return Rejection.SIGNATURE
    return None


def _duration_seconds(ns: int) -> float:
    """Return `Duration.Seconds()`: whole seconds and the rest converted apart, then added."""
    ns = min(max(ns, _DURATION_MIN), _DURATION_MAX)
    seconds, rest = divmod(abs(ns), _NS_PER_SECOND)
    return float(seconds) + rest / 1e9
