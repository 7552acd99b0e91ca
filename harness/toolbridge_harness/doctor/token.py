"""P7: the caller's token, decoded here; it is not sent anywhere for that."""

import time
from typing import Any

import jwt

from toolbridge_harness.doctor.model import Probe
from toolbridge_harness.tokens import claims_of

# A leeway of one minute is what issuers and verifiers usually allow each other.
LEEWAY_SECONDS = 60.0
ALGORITHMS = {"HS256", "RS256"}


def token_probe(token: str, now: float, inside: str | None, expected: str | None) -> Probe:
    """Judge a token at `now`, the deployment's time in seconds since 1970.

    `inside` is the proxy's own tenant id as diagnose shows it, `expected` the one configured here.
    """
    claims = claims_of(token)
    tenant = claims.get("tenant_id")
    wanted = inside if inside is not None else expected
    shown = tenant.encode("unicode_escape").decode() if isinstance(tenant, str) else None
    seen = {
        "expired": _number(claims.get("exp"), now + 1) <= now,
        "not_yet": max(_number(claims.get(c), 0) for c in ("nbf", "iat")) > now + LEEWAY_SECONDS,
        "problem": _problem(token, claims),
        "tenant": shown,
        "wanted": wanted.encode("unicode_escape").decode() if inside is None and wanted else wanted,
        "wanted_inside": inside is not None,
    }
    faults = [seen["expired"], seen["not_yet"], seen["problem"]]
    mismatch = bool(inside is not None and shown and shown != inside)
    return Probe(
        name="token",
        id="P7",
        sent="nothing: the token is decoded here",
        got=_described(token, claims, now, seen),
        expected=f"a valid JWT for tenant {wanted!r}" if wanted else "a valid JWT with a tenant",
        ok=not any(faults) and not mismatch,
        seen=seen,
    )


def _number(value: Any, default: float) -> float:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if plain else default


def _header(token: str) -> dict[str, Any]:
    try:
        return dict(jwt.get_unverified_header(token))
    except jwt.InvalidTokenError:
        return {}


def _problem(token: str, claims: dict[str, Any]) -> str | None:
    algorithm = _header(token).get("alg")
    if not claims:
        return "it cannot be read as a JWT"
    if algorithm not in ALGORITHMS:
        return f"alg is {algorithm!r}"
    absent = [name for name in ("sub", "exp", "tenant_id") if name not in claims]
    if absent:
        return f"it has no {', '.join(absent)}"
    odd = [name for name in ("sub", "tenant_id") if not isinstance(claims[name], str)]
    return f"{' and '.join(odd)} must be text" if odd else None


def _described(token: str, claims: dict[str, Any], now: float, seen: dict[str, Any]) -> str:
    if not claims:
        return str(seen["problem"])
    header = _header(token)
    left = _number(claims.get("exp"), now) - now
    tenant = claims.get("tenant_id")
    size = f" ({len(tenant)} characters)" if isinstance(tenant, str) else ""
    issued = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(_number(claims.get("iat"), 0) % 2**32))
    facts = [
        f"alg {header.get('alg')}, kid {header.get('kid')}, expires in {left:.0f} s",
        f"iat {issued if 'iat' in claims else None}, tenant_id {tenant!a}{size}",
    ]
    return ", ".join([*facts, *([seen["problem"]] if seen["problem"] else [])])
