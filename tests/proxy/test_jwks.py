"""RS256 by the issuer's key set."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import jwt
import pytest
import respx
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from support.proxy_app import JWT_SECRET, TENANT, make_settings, token
from toolbridge_proxy.jwks import Jwks
from toolbridge_proxy.tokens import Denied, TokenVerifier

URL = "https://issuer.example/jwks"
ISSUER, AUDIENCE = "https://issuer.example", "toolbridge"
KEYS = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def jwk(key: rsa.RSAPrivateKey, kid: str | None = "k1", **changes: Any) -> dict[str, Any]:
    entry: dict[str, Any] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    entry.pop("key_ops", None)
    return entry | ({} if kid is None else {"kid": kid}) | changes


def rs256(key: rsa.RSAPrivateKey, kid: str | None = "k1", **changes: Any) -> str:
    claims = {"sub": "alice", "tenant_id": TENANT, "iss": ISSUER, "aud": AUDIENCE}
    claims |= {"exp": jwt.decode(token(), options={"verify_signature": False})["exp"]} | changes
    headers = {} if kid is None else {"kid": kid}
    return jwt.encode(claims, key, algorithm="RS256", headers=headers)


class Issuer:
    """A key set endpoint that counts, and a verifier that asks it."""

    def __init__(self, route: respx.Route, **settings: Any) -> None:
        self.route, self.clock = route, Clock()
        self.jwks = Jwks(URL, 300, self.clock)
        changes = {"jwt_secret": None} | settings
        configured = make_settings(
            jwt_jwks_url=URL, jwt_issuer=ISSUER, jwt_audience=AUDIENCE, **changes
        )
        self.verifier = TokenVerifier(configured, self.jwks)

    def serves(self, *keys: dict[str, Any]) -> None:
        self.route.mock(return_value=httpx.Response(200, json={"keys": list(keys)}))

    async def verdict(self, value: str) -> str:
        try:
            await self.verifier.caller(f"Bearer {value}")
        except Denied as denied:
            return denied.reason
        return "ok"


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    with respx.mock(assert_all_called=False) as router:
        made = Issuer(router.get(URL))
        made.serves(jwk(KEYS[0]))
        yield made
        await made.jwks.close()


async def test_a_key_of_the_set_verifies(issuer: Issuer) -> None:
    """A token signed by the named key is good; its key set is fetched once."""
    verdicts = [await issuer.verdict(rs256(KEYS[0])) for _ in range(3)]
    assert (["ok"] * 3, 1) == (verdicts, issuer.route.call_count)


async def test_another_key_under_the_same_name_does_not(issuer: Issuer) -> None:
    """The name of the key is no proof."""
    assert await issuer.verdict(rs256(KEYS[1])) == "InvalidSignatureError"


async def test_a_token_without_key_id_needs_a_set_of_one(issuer: Issuer) -> None:
    """With one key there is no choice; with two, none is guessed."""
    alone = await issuer.verdict(rs256(KEYS[0], None))
    issuer.serves(jwk(KEYS[0]), jwk(KEYS[1], "k2"))
    issuer.clock.now += 301
    assert ("ok", "unknown_key") == (alone, await issuer.verdict(rs256(KEYS[0], None)))


@pytest.mark.parametrize(
    "changes",
    [{"use": "enc"}, {"alg": "RS512"}, {"kty": "oct", "k": "c2VjcmV0"}, {"key_ops": ["sign"]},
     {"n": "AQAB"}, {"kid": 1}],
    ids=repr,
)  # fmt: skip
async def test_keys_for_other_purposes_are_not_used(
    changes: dict[str, Any], issuer: Issuer
) -> None:
    """Encryption keys, other algorithms, symmetric and short keys verify nothing."""
    issuer.serves(jwk(KEYS[0]) | changes)
    assert await issuer.verdict(rs256(KEYS[0])) == "unknown_key"


async def test_the_public_key_is_no_hmac_secret(issuer: Issuer) -> None:
    """HS256 keyed with the public key is refused (algorithm confusion)."""
    pem = KEYS[0].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    payload = rs256(KEYS[0]).split(".")[1]
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"k1"}').rstrip(b"=").decode()
    mac = hmac.new(pem, f"{head}.{payload}".encode(), hashlib.sha256).digest()
    forged = f"{head}.{payload}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    assert await issuer.verdict(forged) == "algorithm_not_allowed"


async def test_unknown_key_ids_do_not_flood_the_issuer(issuer: Issuer) -> None:
    """Fifty made-up key ids in 30 s cost at most one more fetch."""
    assert await issuer.verdict(rs256(KEYS[0])) == "ok"
    verdicts = {await issuer.verdict(rs256(KEYS[0], f"x{n}")) for n in range(50)}
    issuer.clock.now += 31
    verdicts |= {await issuer.verdict(rs256(KEYS[0], f"y{n}")) for n in range(50)}
    assert ({"unknown_key"}, 2) == (verdicts, issuer.route.call_count)


async def test_a_rotated_key_is_found_and_the_old_one_forgotten(issuer: Issuer) -> None:
    """After the floor the new key works; after the refresh interval the old one does not."""
    assert await issuer.verdict(rs256(KEYS[0])) == "ok"
    issuer.serves(jwk(KEYS[1], "k2"))
    issuer.clock.now += 31
    assert await issuer.verdict(rs256(KEYS[1], "k2")) == "ok"
    assert await issuer.verdict(rs256(KEYS[0])) == "unknown_key"


OUTAGES: dict[str, httpx.Response | Exception] = {
    "refused": httpx.ConnectError("refused"),
    "500": httpx.Response(500),
    "html": httpx.Response(200, html="<p>hi</p>"),
    "no keys": httpx.Response(200, json={}),
    "too large": httpx.Response(200, content=b" " * 300_000 + b'{"keys":[]}'),
    "redirect": httpx.Response(302, headers={"Location": "https://evil.example/"}),
}


@pytest.mark.parametrize("outage", OUTAGES)
async def test_an_outage_keeps_known_keys_and_lets_nobody_else_in(
    outage: str, issuer: Issuer
) -> None:
    """Known keys go on working from memory; unknown ones are refused."""
    assert await issuer.verdict(rs256(KEYS[0])) == "ok"
    issuer.route.mock(side_effect=[OUTAGES[outage]] * 5)
    issuer.clock.now += 301
    verdicts = [await issuer.verdict(rs256(KEYS[0])), await issuer.verdict(rs256(KEYS[1], "k2"))]
    assert ["ok", "unknown_key"] == verdicts


async def test_an_outage_from_the_start_is_retried_after_the_floor(issuer: Issuer) -> None:
    """Without any key set nobody is let in, and the next try comes after 30 s."""
    issuer.route.mock(side_effect=httpx.ConnectError("refused"))
    first = [await issuer.verdict(rs256(KEYS[0])) for _ in range(3)]
    calls = issuer.route.call_count
    issuer.serves(jwk(KEYS[0]))
    issuer.route.side_effect = None
    issuer.clock.now += 31
    assert (["jwks_unavailable"] * 3, 1) == (first, calls)
    assert await issuer.verdict(rs256(KEYS[0])) == "ok"


@pytest.mark.parametrize(
    ("allow_both", "expected"), [(False, "algorithm_not_allowed"), (True, "ok")]
)
async def test_a_left_over_secret_counts_only_when_both_are_allowed(
    allow_both: bool, expected: str
) -> None:
    """Beside a key set, HS256 is off unless TOOLBRIDGE_JWT_ALLOW_BOTH says otherwise."""
    with respx.mock(assert_all_called=False) as router:
        both = Issuer(router.get(URL), jwt_secret=JWT_SECRET, jwt_allow_both=allow_both)
        both.serves(jwk(KEYS[0]))
        verdicts = [
            await both.verdict(token(iss=ISSUER, aud=AUDIENCE)),
            await both.verdict(rs256(KEYS[0])),
        ]
        await both.jwks.close()
    assert [expected, "ok"] == verdicts


async def test_who_comes_during_a_fetch_waits_for_it(issuer: Issuer) -> None:
    """The first callers after a start, or after a rotation, are not sent to log in again."""
    fetched = asyncio.Event()

    async def slow(request: httpx.Request) -> httpx.Response:
        await fetched.wait()
        return httpx.Response(200, json={"keys": [jwk(KEYS[0])]})

    issuer.route.mock(side_effect=slow)
    bearer = f"Bearer {rs256(KEYS[0])}"
    callers = [asyncio.create_task(issuer.verifier.caller(bearer)) for _ in range(5)]
    await asyncio.sleep(0)
    fetched.set()
    assert ["alice"] * 5 == [caller.subject for caller in await asyncio.gather(*callers)]
    assert 1 == issuer.route.call_count
