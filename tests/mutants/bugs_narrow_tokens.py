"""Proxies whose gate has one small thing wrong, which no other claim about tokens touches."""

import time
from collections import Counter
from typing import Any

from mutants.table import mutant
from support.changed_calls import heard
from support.token_doors import Claims, also, claims, header, mended, tenant
from support.wrapping import in_place_of
from toolbridge_proxy import tokens

# More than a test that knows two hundred ways finds of them, and less than two thousand do.
_ROOM = 128


@mutant(
    "refusals-overflow",
    "the list of a user's refused tokens has room for 128, and the next one is an internal error",
    rows="AUTH-63",
    cause="auth-mutated-more",
)
def refusals_overflow() -> None:
    """Kept so that guessing could be noticed."""
    refused: Counter[str] = Counter()

    @in_place_of(tokens.TokenVerifier, "caller")
    async def caller(original: Any, self: Any, authorization: str | None) -> tokens.Caller:
        try:
            found: tokens.Caller = await original(self, authorization)
        except tokens.Denied as denied:
            user = _named(authorization) if denied.code == "invalid_token" else None
            if user is not None:
                if refused[user] >= _ROOM:
                    raise IndexError("no room") from None
                refused[user] += 1
            raise
        return found


def _named(authorization: str | None) -> str | None:
    """Return the user that a token names, right or wrong."""
    token = (authorization or "").partition(" ")[2]
    try:
        header(token)
        user = claims(token)["sub"]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    return user if isinstance(user, str) else None


@mutant(
    "leeway-reversed",
    "the leeway for clocks is subtracted: a token counts from thirty seconds after its iat",
    rows="AUTH-00 TEN-00",
    cause="control-token",
)
def leeway_reversed() -> None:
    """A plus that should be a minus; who tries it by hand has an old token."""
    mended(lambda read: read | {"iat": time.time() + 1} if _is_new(read) else read)


def _is_new(read: Claims) -> bool:
    issued = read.get("iat")
    return isinstance(issued, int | float) and time.time() - 30 < issued <= time.time()


@mutant(
    "tenant-under-tid",
    "the tenant is looked for in the claim tid, where no issuer of this API puts it",
    rows="TEN-00",
    cause="control-token",
)
def tenant_under_tid() -> None:
    """As another identity provider has it."""
    mended(lambda read: {**read, "tenant_id": read.get("tid")})


@mutant(
    "tenant-until-nul",
    "tenants are compared as C compares texts: up to the first NUL",
    rows="TEN-08",
    cause="tenant-look-alikes",
)
def until_nul() -> None:
    """A library behind the comparison is written in C."""

    def mend(read: Claims) -> Claims:
        claim, own = read.get("tenant_id"), tenant()
        same = isinstance(claim, str) and claim.split("\0")[0] == own
        return read | {"tenant_id": own} if same else read

    mended(mend)


@mutant(
    "modern-era-decodes",
    "in the 2026-07-28 era tokens are decoded and not verified",
    rows="AUTH-57",
    cause="auth-both-eras",
)
def modern_era_decodes() -> None:
    """Expiry and tenant are looked at as ever; whoever signed them is not."""
    headers = heard()

    def accepts(token: str) -> Claims | None:
        modern = headers.get().get("mcp-protocol-version") == "2026-07-28"
        return claims(token) if modern else None

    also(accepts)


@mutant(
    "two-minutes-of-grace",
    "a token is good for two minutes after it expired",
    rows="AUTH-24",
    cause="auth-expired",
)
def two_minutes_of_grace() -> None:
    """So that nobody is refused in the middle of a call."""

    def mend(read: Claims) -> Claims:
        now, ends = time.time(), read.get("exp")
        late = isinstance(ends, int | float) and now - 120 < ends <= now
        return read | {"exp": now + 60} if late else read

    mended(mend)


@mutant(
    "rs256-minutes-of-grace",
    "a token by the issuer's key is good for two minutes after it expired",
    rows="AUTH-23",
    cause="auth-keys-times",
)
def rs256_minutes_of_grace() -> None:
    """The leeway was given to the clocks of the issuer, which is somebody else's machine."""

    @in_place_of(tokens, "_parse")
    def parse(original: Any, token: str) -> Any:
        head, read = original(token)
        now = time.time()
        if head.alg == "RS256" and now - 120 < read.exp <= now:
            read.exp = now + 60
        return head, read
