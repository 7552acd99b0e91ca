"""From an Authorization header to a caller, or a denial.

The checks before PyJWT close what it and its JSON parser accept but other parsers on the way
read differently, so that the token verified is the token the Go API sees (RFC 8725).
"""

import base64
import hashlib
import math
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import jwt
import structlog

from toolbridge_proxy import strict_json
from toolbridge_proxy.jwks import Jwks, JwksUnavailableError
from toolbridge_proxy.settings import Settings

log = structlog.get_logger()

MAX_TOKEN_BYTES = 16 * 1024  # a token with hundreds of scopes has 8 KiB
MAX_TOKEN_DEPTH = 16  # claims are flat, or nested by two or three
# An expiry further away is a unit mistake (milliseconds), not a policy.
MAX_LIFETIME_SECONDS = 100 * 365 * 86400
# RFC 9068 section 2.1, RFC 7519 section 5.1; other types (logout+jwt, dpop+jwt) are not access.
ACCESS_TOKEN_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})

_BEARER = re.compile(r"bearer ([A-Za-z0-9_\-.~+/=]+)", re.IGNORECASE)
_SEGMENT = re.compile(r"[A-Za-z0-9_-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Caller:
    """Who calls: `issuer` and `subject` name the principal, `token` is what goes upstream."""

    issuer: str | None
    subject: str
    token: str

    @property
    def fingerprint(self) -> str:
        """Name of the principal in logs: the same for the same person, not the person."""
        return hashlib.sha256(f"{self.issuer}\n{self.subject}".encode()).hexdigest()[:16]


class Denied(Exception):
    """The caller is not let in; `reason` is for the log alone."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code)
        self.code, self.reason = code, reason


def _invalid(reason: str) -> Denied:
    return Denied("invalid_token", reason)


class TokenVerifier:
    """Verifies HS256 or RS256 tokens for one tenant, with zero leeway."""

    def __init__(self, settings: Settings, jwks: Jwks | None) -> None:
        self._settings = settings
        self._keys: dict[str, Callable[[dict[str, Any]], Awaitable[Any]]] = {}
        # A secret left over beside a key set would be the weaker of two doors.
        if settings.jwt_secret is not None and (jwks is None or settings.jwt_allow_both):
            secret = settings.jwt_secret.get_secret_value()

            async def shared(_: dict[str, Any]) -> Any:
                return secret

            self._keys["HS256"] = shared
        if jwks is not None:
            self._keys["RS256"] = jwks.key

    @property
    def has_keys(self) -> bool:
        """Whether any token can be accepted at all."""
        return bool(self._keys)

    async def caller(self, authorization: str | None) -> Caller:
        """Return the caller that `authorization` proves; raises Denied.

        Codes: unauthenticated (nothing sent), invalid_token, forbidden_tenant.
        """
        if authorization is None:
            raise Denied("unauthenticated", "no_token")
        bearer = _BEARER.fullmatch(authorization)
        if bearer is None:
            raise _invalid("not_a_bearer_token")
        token = bearer[1]
        header, claims = _split(token)
        _check_header(header)
        key = await self._key(header)
        _check_types(claims)
        self._verify(token, key, header["alg"])
        # Decoded by our own parser: PyJWT's would let a repeated claim through.
        if claims.get("tenant_id") != self._settings.tenant_id:
            raise Denied("forbidden_tenant", "tenant_mismatch")
        return Caller(claims.get("iss"), claims["sub"], token)

    async def _key(self, header: dict[str, Any]) -> Any:
        if not self._keys:
            raise _invalid("no_key_configured")
        find = self._keys.get(header["alg"])
        if find is None:
            raise _invalid("algorithm_not_allowed")
        try:
            key = await find(header)
        except JwksUnavailableError:
            raise _invalid("jwks_unavailable") from None
        if key is None:
            raise _invalid("unknown_key")
        return key

    def _verify(self, token: str, key: Any, algorithm: str) -> None:
        issuer, audience = self._settings.jwt_issuer, self._settings.jwt_audience
        try:
            jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                issuer=issuer,
                audience=audience,
                leeway=0,
                options={"require": ["exp", "sub"], "verify_aud": audience is not None},
            )
        except jwt.PyJWTError as failure:
            raise _invalid(type(failure).__name__) from None


def _split(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    if len(token) > MAX_TOKEN_BYTES:
        raise _invalid("too_long")
    segments = token.split(".")
    if len(segments) != 3:
        raise _invalid("not_three_segments")
    header, claims, _ = (_decode(segment) for segment in segments)
    try:
        parsed = [strict_json.loads(raw, max_depth=MAX_TOKEN_DEPTH) for raw in (header, claims)]
    except strict_json.StrictJSONError:
        raise _invalid("malformed_json") from None
    if not all(isinstance(part, dict) for part in parsed):
        raise _invalid("not_an_object")
    return parsed[0], parsed[1]


def _decode(segment: str) -> bytes:
    """Decode base64url in its one canonical spelling (RFC 7515 section 2)."""
    if not _SEGMENT.fullmatch(segment):
        raise _invalid("malformed_base64")
    try:
        raw = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except ValueError:
        raise _invalid("malformed_base64") from None
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != segment:
        raise _invalid("malformed_base64")
    return raw


def _check_header(header: dict[str, Any]) -> None:
    if not isinstance(header.get("alg"), str):
        raise _invalid("algorithm_not_allowed")
    # No extension is understood here, so none may be critical (RFC 7515 section 4.1.11);
    # an unencoded payload is not a JWT (RFC 7797 section 7).
    if "crit" in header or header.get("b64", True) is not True:
        raise _invalid("critical_extension")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in ACCESS_TOKEN_TYPES:
        raise _invalid("token_type")
    if not isinstance(header.get("kid", ""), str):
        raise _invalid("malformed_kid")


def _check_types(claims: dict[str, Any]) -> None:
    for name in ("exp", "nbf", "iat"):
        if name in claims and not _is_date(claims[name]):
            raise _invalid(f"malformed_{name}")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject.strip() or _CONTROL.search(subject):
        raise _invalid("malformed_sub")
    if not isinstance(claims.get("iss", ""), str):
        raise _invalid("malformed_iss")
    audience = claims.get("aud", "")
    audiences = audience if isinstance(audience, list) else [audience]
    if not all(isinstance(item, str) for item in audiences):
        raise _invalid("malformed_aud")
    if "exp" in claims and claims["exp"] > time.time() + MAX_LIFETIME_SECONDS:
        raise _invalid("implausible_exp")
    if "exp" in claims and claims["exp"] <= claims.get("iat", -math.inf):
        raise _invalid("exp_before_iat")


def _is_date(value: object) -> bool:
    """Whether `value` is a NumericDate (RFC 7519 section 2)."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
