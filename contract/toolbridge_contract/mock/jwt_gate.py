"""The JWT gate: golang-jwt v5 with one HMAC secret, as observed; RS256 by keys it is given.

HS256, HS384 and HS512 pass with the same secret; exp is optional and nbf honoured, without
leeway; iat, iss, aud, typ, kid and crit are not looked at. PyJWT is stricter in some of these and
laxer in others, so the token is taken apart here. What the API does with an issuer's key set was
not observed: RS256 counts by the key that kid names, and is refused while there are none.
"""

import base64
import binascii
import functools
import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from jwt import PyJWK, PyJWTError

from toolbridge_contract.mock import gojson
from toolbridge_contract.mock.messages import Refused, text_answer

_SCHEME = "Bearer "
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*\Z")
_HASHES = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}
_NS_PER_SECOND = 1_000_000_000
# A proxy sends the same token many times; callers of one run number hundreds.
_CACHED_TOKENS = 4096


class Verified(NamedTuple):
    """What a correctly signed token says; times are unix seconds, None is absent."""

    subject: str
    expires: float | None
    not_before: float | None


class JwtGate:
    """Turns an Authorization value into the subject, or refuses with 401."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode("utf-8", "surrogateescape")
        self._public: dict[str, RSAPublicKey] = {}
        self._verified = functools.lru_cache(maxsize=_CACHED_TOKENS)(self._verify)

    def trust(self, keys: Sequence[Any]) -> None:
        """Take RS256 tokens by these JSON Web Keys too (RFC 7517 §4); ValueError for other keys."""
        self._public |= dict(map(_named_key, keys))
        self._verified.cache_clear()

    def subject(self, authorization: str | None, now_ns: int) -> str:
        """Return the `sub` of an acceptable token; raises Refused with the one 401 text."""
        token = None
        if authorization is not None and authorization.startswith(_SCHEME):
            token = self._verified(authorization[len(_SCHEME) :])
        if token is None or not _in_time(token, now_ns):
            raise Refused(text_answer(401, "unauthorized"))
        return token.subject

    def _verify(self, token: str) -> Verified | None:
        parts = token.split(".")
        if len(parts) != 3:
            return None
        header, claims = _json_part(parts[0]), _json_part(parts[1])
        signature = _bytes_part(parts[2])
        if header is None or claims is None or signature is None:
            return None
        signed = f"{parts[0]}.{parts[1]}".encode()
        return _claims(claims) if self._is_signed(header, signed, signature) else None

    def _is_signed(self, header: dict[str, Any], signed: bytes, signature: bytes) -> bool:
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm == "RS256" and isinstance(kid, str) and kid in self._public:
            try:
                self._public[kid].verify(signature, signed, PKCS1v15(), SHA256())
            except InvalidSignature:
                return False
            return True
        digest = _HASHES.get(algorithm) if isinstance(algorithm, str) else None
        if digest is None:
            return False
        return hmac.compare_digest(hmac.digest(self._secret, signed, digest), signature)


def _named_key(entry: Any) -> tuple[str, RSAPublicKey]:
    try:
        key = PyJWK(entry, "RS256").key
    except (PyJWTError, AttributeError):
        key = None
    if not isinstance(key, RSAPublicKey) or not isinstance(entry.get("kid"), str):
        raise ValueError("a key must be a public RSA key with a kid")
    return entry["kid"], key


def _claims(claims: dict[str, Any]) -> Verified | None:
    subject = claims.get("sub")
    times = [_numeric_date(claims, name) for name in ("exp", "nbf")]
    if not gojson.is_text(subject) or not subject or "invalid" in times:
        return None
    expires, not_before = (None if isinstance(time, str) else time for time in times)
    return Verified(subject, expires, not_before)


def _numeric_date(claims: dict[str, Any], name: str) -> float | str | None:
    """Return MapClaims.parseNumericDate: 0 counts as absent, anything but a number is invalid."""
    if name not in claims:
        return None
    value = gojson.as_number(claims[name])
    if value is None:
        return "invalid"
    # int64(float64) of something too large is the smallest int64 on amd64: long expired.
    if abs(value) >= 2**63:
        return float(-(2**63))
    return value or None


def _in_time(token: Verified, now_ns: int) -> bool:
    """Compare as golang-jwt does: dates cut to whole seconds, the clock not."""
    if token.expires is not None and now_ns >= int(token.expires // 1) * _NS_PER_SECOND:
        return False
    return token.not_before is None or now_ns >= int(token.not_before // 1) * _NS_PER_SECOND


def _json_part(part: str) -> dict[str, Any] | None:
    raw = _bytes_part(part)
    if raw is None:
        return None
    try:
        return gojson.decode_whole(raw)
    except gojson.InvalidJson:
        return None


def _bytes_part(part: str) -> bytes | None:
    """Decode unpadded base64url; spare bits in the last character are let through, as in Go."""
    if _BASE64URL.match(part) is None:
        return None
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        return None


@functools.lru_cache(maxsize=_CACHED_TOKENS)
def unverified_subject(authorization: str) -> str:
    """Return the `sub` that an Authorization value claims, "" when it names none."""
    parts = authorization[len(_SCHEME) :].split(".")
    if len(parts) != 3 or authorization[: len(_SCHEME)].lower() != _SCHEME.lower():
        return ""
    raw = _bytes_part(parts[1])
    try:
        claims = json.loads(raw or b"null")
    except (ValueError, RecursionError):
        return ""
    subject = claims.get("sub") if isinstance(claims, dict) else None
    return subject if isinstance(subject, str) else ""
