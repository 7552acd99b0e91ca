"""Verifiers that misread the claims: properties 26 to 29."""

import contextlib
import fnmatch
import json
import math
import time
import unicodedata
from collections.abc import Callable
from typing import Any

from support import token_claim_properties as properties
from support.token_breaks_base import Break, Claims, Step, changing, verifiers
from support.token_forging import packed, unb64
from support.token_subject import TokenSubject
from toolbridge_proxy.settings import Settings
from toolbridge_proxy.tokens import Caller

FAR = 4_000_000_000  # the year 2096


def _is_number(value: object) -> bool:
    return type(value) in (int, float)


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and value.isspace()


def later(seconds: int) -> type[Step]:
    return changing(lambda claims, _: claims.update(exp=claims["exp"] + seconds))


def ignoring(name: str) -> type[Step]:
    return changing(lambda claims, _: claims.pop(name, None))


def earlier(name: str, seconds: int) -> type[Step]:
    return changing(lambda claims, _: claims.update({name: claims[name] - seconds}))


def filling(name: str, is_wrong: Callable[[Any], bool], value: Any) -> type[Step]:
    """Put `value` where the claim is wrong; a missing claim is None."""

    def change(claims: Claims, _: Settings) -> None:
        if is_wrong(claims.get(name)):
            claims[name] = value

    return changing(change)


def _good_at_its_expiry(claims: Claims, _: Settings) -> None:
    if claims["exp"] == time.time():
        claims["exp"] += 1


class Remembers(Step):
    """Never judges a token twice."""

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self._known: dict[str | None, Caller] = {}

    async def caller(self, authorization: str | None) -> Caller:
        if authorization not in self._known:
            self._known[authorization] = await super().caller(authorization)
        return self._known[authorization]


def crashing(crash: Callable[[Step, bytes, bytes], object]) -> type[Step]:
    """Return a verifier that does something unguarded with header and claims."""

    class Crashing(Step):
        async def caller(self, authorization: str | None) -> Caller:
            header, claims, _ = (authorization or "").removeprefix("Bearer ").split(".")
            crash(self, unb64(header), unb64(claims))
            return await super().caller(authorization)

    return Crashing


def _read_or_empty(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _parse(step: Step, header: bytes, claims: bytes) -> None:
    """Read JSON with nothing but the usual error in mind."""
    with contextlib.suppress(ValueError):
        json.loads(header)


def _whole_exp(step: Step, header: bytes, claims: bytes) -> None:
    exp = _read_or_empty(claims).get("exp")
    if isinstance(exp, float) and not math.isnan(exp):
        int(exp)


def _look_up_alg(step: Step, header: bytes, claims: bytes) -> bool:
    return _read_or_empty(header).get("alg") in {"HS256", "RS256"}


def _split_kid(step: Step, header: bytes, claims: bytes) -> list[str]:
    kid: list[str] = _read_or_empty(header).get("kid", "").split()
    return kid


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError
    return dict(pairs)


def _any_unicode(raw: bytes) -> Any:
    return json.loads(raw, object_pairs_hook=_unique)


def _nothing(claims: Claims, settings: Settings) -> None:
    """Leave the claims as they were read."""


def _constants_dropped(raw: bytes) -> Any:
    return json.loads(raw.decode(), parse_constant=lambda _: 0, object_pairs_hook=_unique)


class IgnoresCrit(Step):
    """Does not know that an extension can be critical."""

    async def step(self, token: str) -> str | None:
        head, body, signature = token.split(".")
        header = json.loads(unb64(head))
        if "crit" not in header or not self.is_signed(f"{head}.{body}", signature):
            return None
        del header["crit"]
        return self.signed(unb64(body), packed(header))


def _substring(claims: Claims, settings: Settings) -> None:
    if isinstance(claims["aud"], str) and (settings.jwt_audience or "") in claims["aud"]:
        claims["aud"] = settings.jwt_audience


def _refuse_unknown(claims: Claims, settings: Settings) -> None:
    if any(name.startswith("x-") for name in claims):
        del claims["exp"]


def tenant(is_same: Callable[[Any, str], object]) -> type[Step]:
    """Return a verifier that compares the tenant in its own way; a missing claim is None."""

    def change(claims: Claims, settings: Settings) -> None:
        claims["tenant_id"] = (
            settings.tenant_id if is_same(claims.get("tenant_id"), settings.tenant_id) else "-"
        )

    return changing(change)


def of_text(fold: Callable[[str], str]) -> type[Step]:
    return tenant(lambda claim, ours: isinstance(claim, str) and fold(claim) == fold(ours))


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _ascii_only(text: str) -> str:
    return text.encode("ascii", "ignore").decode()


CRASHES = {
    "nested too deeply": (_parse, RecursionError),
    "infinite exp": (_whole_exp, OverflowError),
    "alg looked up": (_look_up_alg, TypeError),
    "kid split": (_split_kid, AttributeError),
}

BREAKS: tuple[Break, ...] = (
    *verifiers(
        properties.accepted_exactly_before_its_expiry,
        {
            "leeway of 61 s": later(61),
            "exp not checked": changing(lambda claims, _: claims.update(exp=FAR)),
            "good at its expiry": changing(_good_at_its_expiry),
            "expires a minute early": later(-60),
            "never judged twice": Remembers,
        },
    ),
    *verifiers(
        properties.not_accepted_before_its_time,
        {
            "nbf ignored": ignoring("nbf"),
            "iat ignored": ignoring("iat"),
            "leeway of 61 s for nbf": earlier("nbf", 61),
            "leeway of 61 s for iat": earlier("iat", 61),
            "nbf a minute late": earlier("nbf", -60),
        },
    ),
    *verifiers(
        properties.what_is_missing_is_judged,
        {
            "exp may be missing": filling("exp", lambda exp: exp is None, FAR),
            "sub may be missing": filling("sub", lambda sub: sub is None, "unknown"),
        },
    ),
    *verifiers(
        properties.any_json_at_any_position_is_judged,
        {
            "nbf of another type ignored": filling("nbf", lambda v: not _is_number(v), 0),
            "iat of another type ignored": filling("iat", lambda v: not _is_number(v), 0),
            "sub may be a number": filling("sub", _is_number, "5"),
            "sub may be a list": filling("sub", lambda sub: isinstance(sub, list), "a"),
            "iss not checked": changing(lambda c, s: c.update(iss=s.jwt_issuer)),
            "aud not checked": changing(lambda c, s: c.update(aud=s.jwt_audience)),
            "the last of two claims wins": changing(_nothing, always=True),
            "crit ignored": IgnoresCrit,
        },
    ),
    *verifiers(
        properties.each_odd_value_at_any_position_is_judged,
        {
            "exp may be null": filling("exp", lambda exp: exp is None, FAR),
            "exp may be a text": filling("exp", lambda exp: isinstance(exp, str), FAR),
            "exp may be true": filling("exp", lambda exp: exp is True, FAR),
            "sub may be empty": filling("sub", lambda sub: not sub and isinstance(sub, str), "x"),
            "sub may be blank": filling("sub", _is_blank, "x"),
            "aud by substring": changing(_substring),
            "NaN is zero": changing(_nothing, _constants_dropped, always=True),
        },
    ),
    *verifiers(
        properties.any_bytes_are_judged,
        {"claims in UTF-16 or with a BOM": changing(_nothing, _any_unicode, always=True)},
    ),
    *verifiers(
        properties.what_the_contract_does_not_name_is_free,
        {"unknown claims refused": changing(_refuse_unknown)},
    ),
    *verifiers(
        properties.only_the_very_tenant_is_let_in,
        {
            "by case": of_text(str.lower),
            "folded": of_text(str.casefold),
            "stripped": of_text(str.strip),
            "normalised": of_text(_nfkc),
            "in ASCII": of_text(_ascii_only),
            "up to a NUL": of_text(lambda text: text.split("\0")[0]),
            "by prefix": tenant(lambda claim, ours: str(claim).startswith(ours)),
            "a prefix of ours": tenant(lambda claim, ours: ours.startswith(str(claim))),
            "by membership": tenant(lambda claim, ours: ours in claim),
            "in a list": tenant(lambda claim, ours: claim == ours or claim == [ours]),
            "as text": tenant(lambda claim, ours: str(claim) == ours),
            "by pattern": tenant(lambda claim, ours: fnmatch.fnmatch(ours, str(claim))),
            "may be missing": tenant(lambda claim, ours: claim is None or claim == ours),
            "may be empty": tenant(lambda claim, ours: not claim or claim == ours),
            "not checked": tenant(lambda claim, ours: True),
            "must be lower case": tenant(lambda claim, ours: claim.lower() == ours),
        },
    ),
    *(
        Break(
            name,
            properties.each_odd_value_at_any_position_is_judged,
            TokenSubject(name, verifier=crashing(crash)),
            raises,
        )
        for name, (crash, raises) in CRASHES.items()
    ),
)
