"""From an Authorization header to a caller, or a denial.

The checks before PyJWT close what it and its JSON parser accept but other parsers on the way
read differently, so that the token verified is the token the Go API sees (RFC 8725).
"""

import base64
import hashlib
import re
import time
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import jwt
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from toolbridge_proxy import strict_json
from toolbridge_proxy.jwks import Jwks, JwksUnavailableError
from toolbridge_proxy.settings import Settings

MAX_TOKEN_BYTES = 16 * 1024  # a token with hundreds of scopes has 8 KiB
MAX_TOKEN_DEPTH = 16  # claims are flat, or nested by two or three

_BEARER = re.compile(r"bearer ([A-Za-z0-9_\-.~+/=]+)", re.IGNORECASE)
# Something to see, and nothing that a terminal or a header would obey.
_SUBJECT = r"\A[^\x00-\x1f\x7f-\x9f]*[^\x00-\x1f\x7f-\x9f\s][^\x00-\x1f\x7f-\x9f]*\z"
# RFC 9068 section 2.1, RFC 7519 section 5.1; other types (logout+jwt, dpop+jwt) are not access.
_AccessType = Literal["jwt", "at+jwt", "application/at+jwt"]
# A NumericDate (RFC 7519 section 2); beyond the year 9999 it is in milliseconds.
_Date = Annotated[float, Field(le=253_402_300_799, allow_inf_nan=False)]


class _Header(BaseModel):
    model_config = ConfigDict(strict=True)
    alg: str
    kid: str = None  # type: ignore[assignment] # may be absent, not null
    typ: Annotated[_AccessType, BeforeValidator(lambda typ: str(typ).lower())] = "jwt"
    crit: Any = None
    b64: bool = True


class _Claims(BaseModel):
    model_config = ConfigDict(strict=True)
    sub: Annotated[str, Field(pattern=_SUBJECT)]
    exp: _Date
    nbf: _Date = 0
    iat: _Date = 0
    iss: str = None  # type: ignore[assignment] # may be absent, not null
    aud: str | list[str] = ""
    tenant_id: Any = None


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
        self._settings, self._jwks = settings, jwks
        # A secret left over beside a key set would be the weaker of two doors.
        one_door = jwks is None or settings.jwt_allow_both
        self._secret = settings.jwt_secret if one_door else None

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
        header, claims = _parse(token)
        # No extension is understood, so none may be critical (RFC 7515 section 4.1.11); an
        # unencoded payload is not a JWT (RFC 7797 section 7).
        if "crit" in header.model_fields_set or not header.b64:
            raise _invalid("critical_extension")
        key = await self._key(header)
        self._verify(token, key, header.alg)
        # Our own reading of the claims: PyJWT's lets repeated names through and cuts fractions.
        if not max(claims.nbf, claims.iat) <= time.time() < claims.exp:
            raise _invalid("expired_or_not_yet_valid")
        if claims.tenant_id != self._settings.tenant_id:
            raise Denied("forbidden_tenant", "tenant_mismatch")
        return Caller(claims.iss, claims.sub, token)

    async def _key(self, header: _Header) -> Any:
        if header.alg == "HS256" and self._secret is not None:
            return self._secret.get_secret_value()
        if header.alg != "RS256" or self._jwks is None:
            keyed = self._secret or self._jwks
            raise _invalid("algorithm_not_allowed" if keyed else "no_key_configured")
        try:
            key = await self._jwks.key(header.model_dump(exclude_unset=True))
        except JwksUnavailableError:
            raise _invalid("jwks_unavailable") from None
        if key is None:
            raise _invalid("unknown_key")
        return key

    def _verify(self, token: str, key: Any, algorithm: str) -> None:
        issuer, audience = self._settings.jwt_issuer, self._settings.jwt_audience
        checks = dict.fromkeys(("verify_exp", "verify_nbf", "verify_iat"), False)
        checks["verify_aud"] = audience is not None
        try:
            jwt.decode(token, key, [algorithm], checks, issuer=issuer, audience=audience)  # type: ignore[arg-type]
        except jwt.PyJWTError as failure:
            raise _invalid(type(failure).__name__) from None


def _parse(token: str) -> tuple[_Header, _Claims]:
    segments = token.split(".")
    if len(token) > MAX_TOKEN_BYTES or len(segments) != 3:
        raise _invalid("too_long_or_not_three_segments")
    header, claims, _ = (_decode(segment) for segment in segments)
    try:
        return (
            _Header.model_validate(strict_json.loads(header, max_depth=MAX_TOKEN_DEPTH)),
            _Claims.model_validate(strict_json.loads(claims, max_depth=MAX_TOKEN_DEPTH)),
        )
    except ValidationError as wrong:
        place = wrong.errors(include_input=False, include_url=False)[0]["loc"]
        raise _invalid(f"malformed_{place[0] if place else 'object'}") from None
    except strict_json.StrictJSONError:
        raise _invalid("malformed_json") from None


def _decode(segment: str) -> bytes:
    """Decode base64url in its one canonical spelling (RFC 7515 section 2)."""
    try:
        raw = base64.b64decode(segment + "=" * (-len(segment) % 4), b"-_", validate=True)
    except ValueError:
        raw = b""
    if not raw or base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != segment:
        raise _invalid("malformed_base64")
    return raw
