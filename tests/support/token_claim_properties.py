"""Properties 26 to 29: what the claims of an accepted token say, and that anything is judged."""

import asyncio
import itertools
import json
import math
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from support.fake_jwks import AUDIENCE, ISSUER, FakeIssuer, configured, rsa_key, verifying
from support.proxy_app import JWT_SECRET, TENANT, make_settings
from support.signing_property import Properties
from support.signing_strategies import near
from support.token_forging import (
    b64,
    good_claims,
    hmac_signature,
    hs256,
    packed,
    rsa_signature,
    unb64,
)
from support.token_strategies import (
    CLAIM_NAMES,
    HEADER_NAMES,
    MICRO,
    ODD_TEXTS,
    WAYS,
    YEAR,
    Spell,
    altered,
    any_json,
    encodings,
    harmless_json,
    json_spellings,
    json_texts,
    moments,
    near_tenants,
    tenant_ids,
)
from support.token_subject import TokenSubject, frozen, judge
from toolbridge_proxy.tokens import Caller, Denied

PROPERTIES = Properties()
_SETTINGS = make_settings()


def verdicts(subject: TokenSubject, token: str, times: list[float]) -> list[bool]:
    """Say whether one verifier lets the token in, at each of these times in turn."""
    verifier = subject.verifier(_SETTINGS, None)

    async def at(now: float) -> bool:
        with frozen(now):
            return isinstance(await judge(verifier, token), Caller)

    async def run() -> list[bool]:
        return [await at(now) for now in times]

    return asyncio.run(run())


pauses_between = st.lists(
    st.integers(0, 120 * MICRO) | st.integers(0, YEAR * MICRO), min_size=1, max_size=4
)


@PROPERTIES.add(26, moment=moments(("exp",), fractions=False), pauses=pauses_between)
def accepted_exactly_before_its_expiry(
    subject: TokenSubject, moment: tuple[int, dict[str, Any]], pauses: list[int]
) -> None:
    """Property 26: accepted exactly while now < exp, with no leeway; then never again."""
    now, dates = moment
    clock = [us / MICRO for us in itertools.accumulate([now, *pauses])]
    exp = dates["exp"]
    token = hs256(good_claims(exp=exp, iat=math.floor(min(clock[0], exp)) - 100))
    accepted = verdicts(subject, token, clock)

    assert [at < exp for at in clock] == accepted
    assert sorted(accepted, reverse=True) == accepted


@PROPERTIES.add(
    27,
    moment=st.sampled_from([("nbf",), ("iat",), ("nbf", "iat")]).flatmap(
        lambda names: moments(names, fractions=False)
    ),
)
def not_accepted_before_its_time(subject: TokenSubject, moment: tuple[int, dict[str, Any]]) -> None:
    """Property 27: accepted only if neither nbf nor iat is later than now; and if so, accepted."""
    now, dates = moment
    absent = {"nbf": ..., "iat": ...}
    token = hs256(good_claims(**absent | dates | {"exp": now // MICRO + 20 * YEAR}))

    assert [max(dates.values()) <= now / MICRO] == verdicts(subject, token, [now / MICRO])


GOOD_HEADER = {"typ": "JWT", "kid": "k1"}
GOOD_CLAIMS = {"iss": ISSUER, "aud": AUDIENCE, "jti": "1"}


def signed_as(alg: str, header: bytes, claims: bytes) -> str:
    """Sign any two byte strings with the right key."""
    signing_input = f"{b64(header)}.{b64(claims)}"
    if alg == "HS256":
        signature = hmac_signature(signing_input, JWT_SECRET.encode())
    else:
        signature = rsa_signature(signing_input, rsa_key(0))
    return f"{signing_input}.{b64(signature)}"


def examine(subject: TokenSubject, how: str, tokens: list[str]) -> list[Caller | Denied]:
    """Return the verdicts of a fresh verifier, with keys configured as `how` says."""

    async def run() -> list[Caller | Denied]:
        async with verifying(subject, configured(how)) as verifier:
            return [await judge(verifier, token) for token in tokens]

    with FakeIssuer({"k1": 0}):
        return asyncio.run(run())


def check_all(subject: TokenSubject, alg: str, pairs: list[tuple[bytes, bytes]]) -> None:
    """Fail if a header with claims gets no verdict, or is accepted against the contract."""
    tokens = [signed_as(alg, *pair) for pair in pairs]
    for token, found in zip(tokens, examine(subject, "both", tokens), strict=True):
        if isinstance(found, Denied):
            assert found.code in ("invalid_token", "forbidden_tenant")
        else:
            check_contract(token, found)


def strictly(raw: bytes) -> Any:
    """Read JSON as RFC 8259 means it, or fail."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(pairs) == len({name for name, _ in pairs}), "a name is there twice"
        return dict(pairs)

    def not_finite(text: str) -> None:
        raise AssertionError(f"{text} is not JSON")

    try:
        value = json.loads(raw.decode(), object_pairs_hook=unique, parse_constant=not_finite)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except ValueError as failure:
        raise AssertionError(f"not JSON: {failure}") from failure
    return value


def is_date(value: object) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))


def check_contract(token: str, caller: Caller) -> None:
    """Fail unless header and claims hold what the contract says of an accepted token."""
    header, claims = (strictly(unb64(part)) for part in token.split(".")[:2])

    assert dict is type(header) is type(claims)
    assert header.get("alg") in ("HS256", "RS256")
    assert "crit" not in header
    assert header.get("b64", True) is True
    assert type(claims.get("sub")) is str
    assert claims["sub"].strip()
    assert type(claims.get("tenant_id")) is str
    assert claims["tenant_id"] == TENANT
    assert is_date(claims.get("exp"))
    assert all(is_date(claims[name]) for name in ("nbf", "iat") if name in claims)
    assert type(claims.get("iss")) is str
    assert claims["iss"] == ISSUER
    audience = claims.get("aud")
    assert AUDIENCE in ([audience] if type(audience) is str else audience or [])
    assert Caller(ISSUER, claims["sub"], token) == caller


def everywhere(
    alg: str, value: str, way: str = WAYS[0], spell: Spell = json.dumps, other: str = "y"
) -> list[tuple[bytes, bytes]]:
    """Return headers and claims with the value at one position each, and for the whole."""
    header, claims = GOOD_HEADER | {"alg": alg}, good_claims(**GOOD_CLAIMS)
    whole = value.encode("utf-8", "surrogatepass")
    pairs = [(packed(header), whole), (whole, packed(claims)), (whole, whole)]
    in_claims = [altered(claims, name, value, way, spell) for name in (*CLAIM_NAMES, other)]
    in_header = [altered(header, name, value, way, spell) for name in (*HEADER_NAMES, other)]
    # PyJWT understands b64 alone, so crit may name it; the contract lets nothing be critical.
    in_header.append(altered(header | {"b64": True}, "crit", value, way, spell))
    pairs += [(packed(header), one) for one in in_claims]
    return pairs + [(one, packed(claims)) for one in in_header]


algorithms = st.sampled_from(["HS256", "HS256", "RS256"])


@PROPERTIES.add(
    28,
    share=0.5,
    alg=algorithms,
    value=json_texts,
    way=st.sampled_from(WAYS),
    spell=json_spellings,
    other=st.text(max_size=5),
)
def any_json_at_any_position_is_judged(
    subject: TokenSubject, alg: str, value: str, way: str, spell: Spell, other: str
) -> None:
    """Property 28: any value at any position gets a verdict; accepted, all types hold."""
    check_all(subject, alg, everywhere(alg, value, way, spell, other))


@PROPERTIES.add(28)
def each_odd_value_at_any_position_is_judged(subject: TokenSubject) -> None:
    """Property 28, for the values that are known to be read in different ways."""
    pairs = [pair for value in ODD_TEXTS for pair in everywhere("HS256", value)]

    check_all(subject, "HS256", pairs)


@PROPERTIES.add(28, alg=algorithms, encode=encodings, data=st.data())
def any_bytes_are_judged(
    subject: TokenSubject, alg: str, encode: Callable[[bytes], bytes], data: st.DataObject
) -> None:
    """Property 28, for encodings and for bytes that are no text."""
    header, claims = packed(GOOD_HEADER | {"alg": alg}), packed(good_claims(**GOOD_CLAIMS))
    junk = data.draw(st.binary(max_size=20))
    cut = data.draw(st.integers(0, len(claims)))
    broken = claims[:cut] + junk + claims[cut:]

    check_all(
        subject,
        alg,
        [(encode(header), claims), (header, encode(claims)), (header, broken), (junk, claims)],
    )


@PROPERTIES.add(28, share=0.1, alg=algorithms)
def what_is_missing_is_judged(subject: TokenSubject, alg: str) -> None:
    """Property 28, for claims and header parameters that are not there."""
    header, claims = GOOD_HEADER | {"alg": alg}, good_claims(**GOOD_CLAIMS)
    pairs = [(packed(header), altered(claims, name, "", "missing", str)) for name in claims]
    pairs += [(altered(header, name, "", "missing", str), packed(claims)) for name in header]

    check_all(subject, alg, pairs)


@PROPERTIES.add(28, name=st.text(min_size=1, max_size=8), value=harmless_json)
def what_the_contract_does_not_name_is_free(subject: TokenSubject, name: str, value: Any) -> None:
    """Property 28, its control: a claim that the contract does not name may hold any JSON."""
    token = hs256(good_claims(**GOOD_CLAIMS | {f"x-{name}": value}))

    assert [Caller(ISSUER, "alice", token)] == examine(subject, "secret", [token])


@PROPERTIES.add(
    29,
    share=0.3,
    tenant=tenant_ids,
    spell=json_spellings,
    cut=st.integers(0, 128),
    data=st.data(),
)
def only_the_very_tenant_is_let_in(
    subject: TokenSubject, tenant: str, spell: Spell, cut: int, data: st.DataObject
) -> None:
    """Property 29: let in exactly if the claim is a string of the configured code points."""
    drawn = data.draw(st.lists(st.one_of(near(tenant), tenant_ids, any_json), max_size=3))
    claims = [*near_tenants(tenant, cut), *drawn]
    texts = [_claims_text(claim, spell) for claim in claims]
    verifier = subject.verifier(make_settings(tenant_id=tenant), None)

    async def run() -> list[Caller | Denied]:
        raw = [text.encode("utf-8", "surrogatepass") for text in texts]
        return [await judge(verifier, hs256(one)) for one in raw]

    for claim, text, found in zip(claims, texts, asyncio.run(run()), strict=True):
        assert (type(claim) is str and claim == tenant) == isinstance(found, Caller), repr(claim)
        if isinstance(found, Denied) and _is_json(text):
            assert found.code == "forbidden_tenant"


def _claims_text(tenant: Any, spell: Spell) -> str:
    """Return claims with this tenant, as JSON that may not be valid; `...` leaves it out."""
    claims = json.dumps(good_claims(tenant_id=...))
    if tenant is ...:
        return claims
    text = spell(tenant) if isinstance(tenant, str) else json.dumps(tenant)
    return f'{claims[:-1]},"tenant_id":{text}}}'


def _is_json(text: str) -> bool:
    """Say whether the token is well-formed, so that only the tenant can be why it is refused."""
    try:
        strictly(text.encode())
    except (UnicodeEncodeError, AssertionError):
        return False
    return True
