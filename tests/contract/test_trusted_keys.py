"""RS256 at the mock: by the public keys that it is told to trust, and by no others."""

import time

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from support.contract_server import fresh_subject, signed_headers
from toolbridge_contract.control import ControlError, MockControl

KEY, OTHER = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))


def key_set(key: rsa.RSAPrivateKey, kid: object) -> dict[str, object]:
    jwk = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {"keys": [jwk | {"kid": kid}]}


def token(key: rsa.RSAPrivateKey, kid: str | None, algorithm: str = "RS256", sub: str = "") -> str:
    claims = {"sub": sub or fresh_subject(), "exp": time.time() + 60}
    return jwt.encode(claims, key, algorithm, {"kid": kid} if kid else None)


async def status(client: httpx.AsyncClient, sent: str) -> int:
    headers = signed_headers("ann") | {"Authorization": f"Bearer {sent}"}
    return (await client.post("/v1/sync/sessions", headers=headers)).status_code


async def test_a_trusted_key_counts_from_then_on(
    client: httpx.AsyncClient, control: MockControl
) -> None:
    """The very token that was refused before is accepted, and the secret still counts too."""
    sent = token(KEY, "from-then-on")
    before = await status(client, sent)

    await control.trust_keys(key_set(KEY, "from-then-on"))

    assert (401, 201) == (before, await status(client, sent))
    answer = await client.post("/v1/sync/sessions", headers=signed_headers("ann"))
    assert 201 == answer.status_code


async def test_another_key_adds_to_the_ones_before(
    client: httpx.AsyncClient, control: MockControl
) -> None:
    """As when an issuer rotates."""
    await control.trust_keys(key_set(KEY, "before"))
    await control.trust_keys(key_set(OTHER, "after"))

    sent = [token(KEY, "before"), token(OTHER, "after")]
    assert [201, 201] == [await status(client, one) for one in sent]


@pytest.mark.parametrize(
    ("key", "kid", "algorithm"),
    [
        (OTHER, "trusted", "RS256"),
        (KEY, "unknown", "RS256"),
        (KEY, None, "RS256"),
        (KEY, "trusted", "RS384"),
        (KEY, "trusted", "PS256"),
    ],
)
async def test_other_keys_names_and_algorithms_do_not(
    client: httpx.AsyncClient,
    control: MockControl,
    key: rsa.RSAPrivateKey,
    kid: str | None,
    algorithm: str,
) -> None:
    """401, beside the trusted key's token."""
    await control.trust_keys(key_set(KEY, "trusted"))

    found = [await status(client, token(key, kid, algorithm))]
    found.append(await status(client, token(KEY, "trusted")))
    assert [401, 201] == found


@pytest.mark.parametrize(
    "wrong",
    [
        {"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "a"}]},
        {"keys": ["a"]},
        {"keys": [{"kty": "RSA", "kid": "a"}]},
        key_set(KEY, 5),
    ],
    ids=["oct", "text", "no-modulus", "kid"],
)
async def test_what_is_no_named_rsa_key_is_refused(
    control: MockControl, wrong: dict[str, object]
) -> None:
    """So that a mistake in a test does not look like a proxy's."""
    with pytest.raises(ControlError, match="trust_keys: bad request"):
        await control.trust_keys(wrong)
