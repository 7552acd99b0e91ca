"""The issuer of the checks: its tokens are signed as their headers say."""

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from toolbridge_harness import forge
from toolbridge_harness.issuer import AUDIENCE, ISSUER, ByKey, SigningKey

KEY = SigningKey("k", rsa.generate_private_key(public_exponent=65537, key_size=2048))


@pytest.mark.parametrize("alg", ["RS256", "RS384", "RS512", "PS256"])
def test_a_token_is_signed_by_its_algorithm(alg: str) -> None:
    """So that a proxy which refuses it does so for the algorithm's sake."""
    token = KEY.token({"sub": "ann"}, alg=alg)

    assert {"alg": alg, "typ": "JWT", "kid": "k"} == jwt.get_unverified_header(token)
    assert {"sub": "ann"} == jwt.decode(token, KEY.private.public_key(), [alg])


def test_the_published_key_is_the_one_that_signs() -> None:
    """Members change, and go, as asked."""
    token = KEY.token({"sub": "ann"}, kid=...)
    published = KEY.jwk(kid="other", alg=..., use="enc")

    assert {"kty", "n", "e", "kid", "use"} == published.keys()
    assert ("other", "enc") == (published["kid"], published["use"])
    assert {"sub": "ann"} == jwt.decode(token, jwt.PyJWK(published, "RS256").key, ["RS256"])


def test_callers_have_tokens_of_this_issuer() -> None:
    """For the wanted subject, tenant and audience, with every claim that a proxy may ask for."""
    sub, token = ByKey(KEY, "acme").identity("ann")
    told = jwt.decode(token, KEY.private.public_key(), ["RS256"], audience=AUDIENCE, issuer=ISSUER)

    assert ("ann", "ann", "acme") == (sub, told["sub"], told["tenant_id"])
    assert forge.claims("ann", "acme").keys() | {"iss", "aud"} == told.keys()
