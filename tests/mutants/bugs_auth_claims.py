"""Proxies that verify the signature, and misread what was signed."""

import time

from mutants.table import mutant
from support.token_doors import Claims, mended

# Long enough that whatever else is wrong with a token is noticed first.
_LATER = 600.0


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@mutant(
    "M-A09",
    "a token without exp never expires",
    rows="AUTH-26 AUTH-27",
    cause="auth-no-expiry",
)
def optional_expiry() -> None:
    """exp is checked where it is present."""

    def mend(claims: Claims) -> Claims:
        missing = claims.get("exp") is None
        return claims | {"exp": time.time() + _LATER} if missing else claims

    mended(mend)


@mutant(
    "M-A10",
    "exp is not verified",
    rows="AUTH-23 AUTH-24 AUTH-58",
    cause="auth-expired",
)
def unverified_expiry() -> None:
    """As `verify_exp=False`."""

    def mend(claims: Claims) -> Claims:
        over = _number(claims.get("exp")) and claims["exp"] <= time.time()
        return claims | {"exp": time.time() + _LATER} if over else claims

    mended(mend)


@mutant(
    "M-A11",
    "tokens are good for five minutes after they expired",
    rows="AUTH-24",
    cause="auth-expired",
)
def leeway() -> None:
    """The skew of the tenant headers, in the wrong place."""

    def mend(claims: Claims) -> Claims:
        exp = claims.get("exp")
        return claims | {"exp": claims["exp"] + 300} if _number(exp) else claims

    mended(mend)


@mutant(
    "M-A12",
    "nbf is ignored",
    rows="AUTH-29",
    cause="auth-not-yet-valid",
)
def ignored_start() -> None:
    """Tokens for tomorrow work today."""
    mended(lambda claims: {name: value for name, value in claims.items() if name != "nbf"})


@mutant(
    "M-A13",
    "a subject that is no string is turned into one",
    rows="AUTH-31 SES-04",
    cause="auth-subject",
)
def coerced_subject() -> None:
    """5 becomes "5", who may be somebody."""
    mended(lambda claims: claims | {"sub": str(claims["sub"])} if "sub" in claims else claims)
