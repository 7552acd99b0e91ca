"""From an Authorization header to a caller, or a refusal (RFC 6750, RFC 7519, RFC 8725)."""

import base64
import hashlib
import re
import time
from dataclasses import dataclass
from typing import Any

import jwt

from plain_proxy import strict_json
from plain_proxy.settings import Settings

MAX_TOKEN_BYTES = 16 * 1024  # hundreds of scopes take 8 KiB
MAX_TOKEN_DEPTH = 8  # claims are flat, or nested by two or three
LAST_DATE = 253_402_300_799  # the year 9999; what is later is in milliseconds
ACCESS_TYPES = ("jwt", "at+jwt", "application/at+jwt")  # RFC 7519 section 5.1, RFC 9068

_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Caller:
    """Who calls, and with which token."""

    subject: str
    token: str

    @property
    def alias(self) -> str:
        """The same for the same person in every line of the log, and not the person."""
        return hashlib.sha256(self.subject.encode()).hexdigest()[:12]


class Refusal(Exception):
    """The caller is not let in; `code` is for the caller, `reason` for the log alone."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code)
        self.code, self.reason = code, reason


def identify(authorization: str | None, settings: Settings) -> Caller:
    """Return the caller; raises Refusal: unauthenticated, invalid_token, forbidden_tenant."""
    if authorization is None:
        raise Refusal("unauthenticated", "no_token")
    match = _BEARER.fullmatch(authorization)
    if match is None or len(match[1]) > MAX_TOKEN_BYTES:
        raise _invalid("not_a_bearer_token")
    token = match[1]
    _check_header(_object(token.split(".")[0]))
    _check_signature(token, settings.jwt_secret)
    claims = _object(token.split(".")[1])
    _check_times(claims)
    _check_names(claims, settings)
    if claims.get("tenant_id") != settings.tenant:
        raise Refusal("forbidden_tenant", "other_tenant")
    return Caller(claims["sub"], token)


def _invalid(reason: str) -> Refusal:
    return Refusal("invalid_token", reason)


def _object(segment: str) -> dict[str, Any]:
    """Decode one segment, which has one spelling only, to the JSON object it is."""
    try:
        raw = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
        value = strict_json.parse(raw, MAX_TOKEN_DEPTH)
    except ValueError:
        raise _invalid("malformed") from None
    if not isinstance(value, dict) or _spelled(raw) != segment:
        raise _invalid("malformed")
    return value


def _spelled(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _check_header(header: dict[str, Any]) -> None:
    if header.get("alg") != "HS256":
        raise _invalid("algorithm_not_allowed")
    # No extension is understood, so none may be critical; RFC 7797 forbids b64 in a JWT.
    if "crit" in header or header.get("b64", True) is not True:
        raise _invalid("critical_extension")
    kind, key_id = header.get("typ", "JWT"), header.get("kid", "")
    if not isinstance(kind, str) or kind.lower() not in ACCESS_TYPES or not isinstance(key_id, str):
        raise _invalid("not_an_access_token")


def _check_signature(token: str, secret: bytes | None) -> None:
    if secret is None:
        raise _invalid("no_key_configured")
    signature = token.split(".")[2]
    try:
        jwt.PyJWS().decode(token, secret, algorithms=["HS256"])
        raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    except (jwt.PyJWTError, ValueError):
        raise _invalid("bad_signature") from None
    if _spelled(raw) != signature:
        raise _invalid("malformed")


def _check_times(claims: dict[str, Any]) -> None:
    now = time.time()
    for name, default in (("exp", None), ("nbf", 0), ("iat", 0)):
        value = claims.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or value > LAST_DATE:
            raise _invalid(f"malformed_{name}")
        if value > now if name != "exp" else value <= now:
            raise _invalid("expired" if name == "exp" else "not_yet_valid")


def _check_names(claims: dict[str, Any], settings: Settings) -> None:
    subject, audience = claims.get("sub"), claims.get("aud")
    if not isinstance(subject, str) or not subject.strip() or _CONTROL.search(subject):
        raise _invalid("malformed_sub")
    if settings.issuer is not None and claims.get("iss") != settings.issuer:
        raise _invalid("other_issuer")
    listed = audience if isinstance(audience, list) else [audience]
    if not all(isinstance(name, str) for name in listed) and audience is not None:
        raise _invalid("malformed_aud")
    if settings.audience is not None and settings.audience not in listed:
        raise _invalid("other_audience")
