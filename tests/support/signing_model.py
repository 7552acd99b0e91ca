"""The Go API's tenant-header rule, exactly, for judging the verifier: shares no code with it.

Written from the standards: `strconv.ParseInt` digit by digit, HMAC from RFC 2104's definition,
the skew in whole nanoseconds (the float seconds that Go compares differ only beyond 300 s).
"""

import hashlib
from collections.abc import Iterable

BLOCK = 64  # bytes, of SHA-256
WINDOW_NS = 300 * 10**9
_DIGITS = b"0123456789"

ACCEPT, MISSING, TIMESTAMP, SKEW, SIGNATURE = "accept", "missing", "timestamp", "skew", "signature"


def raw(text: str) -> bytes:
    """Return a header value's bytes; those that are not UTF-8 are surrogate escapes in text."""
    return text.encode("utf-8", "surrogateescape")


def padded(key: bytes) -> bytes:
    """Return the key as HMAC uses it (RFC 2104 section 2): hashed when long, padded with NUL."""
    short = hashlib.sha256(key).digest() if len(key) > BLOCK else key
    return short.ljust(BLOCK, b"\0")


def mac(secret: str, message: str) -> str:
    """Return H(K xor opad, H(K xor ipad, message)) in lower-case hex."""
    key = padded(raw(secret))
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + raw(message)).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner).hexdigest()


def parse_int(text: bytes) -> int | None:
    """Return what `strconv.ParseInt(text, 10, 64)` returns, None for its errors."""
    sign = -1 if text[:1] == b"-" else 1
    digits = text[1:] if text[:1] in (b"+", b"-") else text
    if not digits:
        return None
    magnitude = 0
    for byte in digits:
        if byte not in _DIGITS:
            return None
        # Beyond int64 the exact size no longer matters, the remaining bytes do.
        magnitude = min(magnitude * 10 + _DIGITS.index(byte), 2**64)
    limit = 2**63 if sign < 0 else 2**63 - 1
    return sign * magnitude if magnitude <= limit else None


def verdict(
    tenant: str | None, timestamp: str | None, signature: str | None, secret: str, now_ns: int
) -> str:
    """Judge three header values: missing, then parse, then skew, then signature."""
    if not (tenant and timestamp and signature):
        return MISSING
    milliseconds = parse_int(raw(timestamp))
    if milliseconds is None:
        return TIMESTAMP
    if abs(now_ns - milliseconds * 10**6) > WINDOW_NS:
        return SKEW
    return ACCEPT if mac(secret, f"{tenant}:{timestamp}") == signature else SIGNATURE


def request_verdict(headers: Iterable[tuple[bytes, bytes]], secret: str, now_ns: int) -> str:
    """Judge header lines as received: the first of each name counts, outer blanks do not."""
    found: dict[bytes, str] = {}
    for name, value in headers:
        text = value.lstrip(b" \t").rstrip(b" \t").decode("utf-8", "surrogateescape")
        found.setdefault(name.lower(), text)
    tenant, timestamp = found.get(b"x-tb-tenant-id"), found.get(b"x-tb-timestamp")
    return verdict(tenant, timestamp, found.get(b"x-tb-signature"), secret, now_ns)
