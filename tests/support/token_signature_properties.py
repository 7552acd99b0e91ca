"""Properties 30 and 31: the signature, and its algorithm and key."""

import asyncio
from dataclasses import dataclass
from functools import cache
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from support import signing_model
from support.fake_jwks import (
    ALLOWED,
    ATTACKER,
    AUDIENCE,
    ELSEWHERE,
    ISSUER,
    FakeIssuer,
    configured,
    jwk,
    rsa_key,
    verifying,
)
from support.proxy_app import JWT_SECRET, make_settings
from support.signing_property import Properties
from support.signing_strategies import near, secrets
from support.token_forging import (
    b64,
    good_claims,
    hmac_signature,
    hs256,
    packed,
    public_key_spellings,
    rs256,
    rsa_signature,
    unb64,
)
from support.token_strategies import changed_tokens, key_ids, respelled_and_signed
from support.token_subject import TokenSubject, judge
from support.token_watch import io_watched
from toolbridge_proxy.tokens import Caller, Denied

PROPERTIES = Properties()
KEYS = {"k1": 0, "k2": 1}


@dataclass
class Seen:
    """The verdicts on some tokens, and what was read or asked for on the way to them."""

    verdicts: list[Caller | Denied]
    elsewhere: list[str]


def examine(subject: TokenSubject, how: str, tokens: list[str]) -> Seen:
    """Have a fresh verifier judge the tokens while the issuer publishes KEYS."""

    async def run() -> Seen:
        async with verifying(subject, configured(how)) as verifier:
            with io_watched() as touched:
                verdicts = [await judge(verifier, token) for token in tokens]
        return Seen(verdicts, touched)

    with FakeIssuer(dict(KEYS)) as issuer:
        seen = asyncio.run(run())
        return Seen(seen.verdicts, seen.elsewhere + issuer.strays)


def bound(**changes: Any) -> dict[str, Any]:
    return good_claims(iss=ISSUER, aud=AUDIENCE, **changes)


@cache
def pairs_of_good_tokens(alg: str) -> tuple[str, str]:
    """Return two tokens of different callers."""
    if alg == "HS256":
        return hs256(bound(sub="alice")), hs256(bound(sub="bob", x="?>~"))
    alice, bob = bound(sub="alice"), bound(sub="bob", x="?>~")
    return rs256(alice, rsa_key(0), "k1"), rs256(bob, rsa_key(0), "k1")


@PROPERTIES.add(30, alg=st.sampled_from(["HS256", "RS256"]), swap=st.booleans(), data=st.data())
def no_changed_token_is_accepted(
    subject: TokenSubject, alg: str, swap: bool, data: st.DataObject
) -> None:
    """Property 30: a token of which anything is changed is refused, its spelling included."""
    good, other = reversed(pairs_of_good_tokens(alg)) if swap else pairs_of_good_tokens(alg)
    changed = data.draw(changed_tokens(good, other))
    assume(changed not in (good, other))

    before, after = examine(subject, "both", [good, changed]).verdicts

    assert isinstance(before, Caller)
    assert isinstance(after, Denied)


@PROPERTIES.add(30, spelled=respelled_and_signed(JWT_SECRET.encode()))
def a_token_has_one_spelling(subject: TokenSubject, spelled: tuple[str, bool]) -> None:
    """Property 30: what is not canonical base64url is refused although it is signed as it is."""
    token, canonical = spelled
    verifier = subject.verifier(make_settings(), None)

    assert canonical == isinstance(asyncio.run(judge(verifier, token)), Caller)


@PROPERTIES.add(30, real=secrets, data=st.data())
def no_other_secret_signs(subject: TokenSubject, real: str, data: st.DataObject) -> None:
    """Property 30: a signature made with another secret, however near, is refused."""
    assume(real == real.strip() and not (real[0] == "<" and real[-1] == ">"))
    edges = st.sampled_from([real[:-1], real[:32], real.lower(), f"{real}\n", f" {real}", ""])
    other = data.draw(st.one_of(near(real), edges, secrets)).encode("utf-8", "surrogatepass")
    verifier = subject.verifier(make_settings(jwt_secret=real), None)
    same = signing_model.padded(real.encode()) == signing_model.padded(other)
    good, forged = hs256(good_claims(), secret=real.encode()), hs256(good_claims(), secret=other)

    assert isinstance(asyncio.run(judge(verifier, good)), Caller)
    assert same == isinstance(asyncio.run(judge(verifier, forged)), Caller)


@cache
def hmac_keys() -> dict[str, bytes]:
    """Return the shared secret, and what a confused or careless verifier takes for it."""
    guesses = {"empty": b"", "a file's text": b"Linux\n", "k": b"k", "null": b"\0" * 32}
    return {"secret": JWT_SECRET.encode()} | public_key_spellings(rsa_key(0)) | guesses


# How a token is signed: the method, the digest, and the key's name or number.
Method = tuple[str, str, Any]


def methods(alg: object, bits: str) -> list[Method]:
    """Return every way to sign with the algorithm's digest, some with another, and two not to."""
    by_hmac: list[Method] = [("hmac", digest_of(alg), name) for name in hmac_keys()]
    by_rsa: list[Method] = [
        (how, digest_of(alg), number) for how in ("rsa", "pss") for number in (0, 1, ATTACKER)
    ]
    others: list[Method] = [("hmac", bits, "secret"), ("rsa", bits, 0)]
    return [*by_hmac, *by_rsa, *others, ("unsigned", "", ""), ("unsigned", "", "AAAA")]


# One that may be right, one that could be, and one that is nonsense.
ALGORITHMS: st.SearchStrategy[tuple[Any, ...]] = st.tuples(
    st.sampled_from(["HS256", "RS256"]),
    st.sampled_from(["HS384", "HS512", "RS384", "RS512", "PS256", "PS512", "ES256", "none"]),
    st.one_of(
        st.sampled_from(["None", "NONE", "nOnE", "none ", "none\0", "\u0274one", ""]),
        st.sampled_from(["hs256", "rs256", "HS256 ", "HS1", "EdDSA", "ES256K", "dir", "A256GCM"]),
        st.sampled_from([None, ["HS256"], {}, 5, True, ["RS256", "none"]]),
        st.text(max_size=6),
    ),
)


def digest_of(alg: object) -> str:
    """Return the digest's length that the name of an algorithm says, if it says one."""
    return alg[2:] if isinstance(alg, str) and alg[2:] in ("256", "384", "512") else "256"


@cache
def _hints() -> list[dict[str, Any]]:
    attacker = jwk(ATTACKER, "k1")
    away: list[dict[str, Any]] = [
        {name: url}
        for name in ("jku", "x5u")
        for url in (
            ELSEWHERE,
            "http://127.0.0.1:1/",
            "http://169.254.169.254/",
            "file:///etc/hosts",
        )
    ]
    return [
        {},
        {},
        {},
        {"jwk": attacker},
        {"jwk": attacker},
        {"jwk": {"kty": "oct", "k": ""}},
        {"x5c": ["AA=="]},
        *away,
    ]


HINTS = st.deferred(lambda: st.sampled_from(_hints()))


def signature(signing_input: str, method: Method) -> bytes:
    """Sign by the method, whatever the header says."""
    how, bits, key = method
    if how == "hmac":
        return hmac_signature(signing_input, hmac_keys()[key], bits)
    if how == "unsigned":
        return unb64(key)
    return rsa_signature(signing_input, rsa_key(key), bits, pss=how == "pss")


def is_good(how: str, alg: object, method: Method, kid: str | None) -> bool:
    """Say whether algorithm, signature and key fit together and the settings allow them."""
    if not isinstance(alg, str) or alg not in ALLOWED[how]:
        return False
    if alg == "HS256":
        return method == ("hmac", "256", "secret")
    return kid in KEYS and method == ("rsa", "256", KEYS[kid])


@PROPERTIES.add(
    31,
    share=0.5,
    how=st.sampled_from(sorted(ALLOWED)),
    algs=ALGORITHMS,
    bits=st.sampled_from(["256", "384", "512"]),
    kid=st.one_of(st.sampled_from(["k1", "k1", "k2", None]), key_ids),
    hint=HINTS,
)
def algorithm_and_key_must_fit(
    subject: TokenSubject,
    how: str,
    algs: tuple[Any, ...],
    bits: str,
    kid: str | None,
    hint: dict[str, Any],
) -> None:
    """Property 31: accepted exactly if an allowed algorithm was used with its own kind of key.

    No key id and no hint in the header makes it read or ask anything but the key set's URL.
    """
    tried = [(alg, method) for alg in algs for method in methods(alg, bits)]
    seen = examine(subject, how, [made(alg, method, kid, hint) for alg, method in tried])

    for (alg, method), verdict in zip(tried, seen.verdicts, strict=True):
        assert is_good(how, alg, method, kid) == isinstance(verdict, Caller), (alg, method)
    assert [] == seen.elsewhere


def made(alg: Any, method: Method, kid: str | None, hint: dict[str, Any]) -> str:
    """Return a good token but for its header and how it is signed."""
    header = {"alg": alg} | ({} if kid is None else {"kid": kid}) | hint
    signing_input = f"{b64(packed(header))}.{b64(packed(bound()))}"
    return f"{signing_input}.{b64(signature(signing_input, method))}"
