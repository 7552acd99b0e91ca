"""The signing vectors: their signatures are openssl's, and both sides agree with them."""

import pytest

from support import signing_openssl
from support.contract_caller import JWT_SECRET
from support.signing_openssl import OPENSSL
from support.signing_strategies import NS_PER_MS
from support.signing_subject import SIGNATURE, TENANT, TIMESTAMP
from toolbridge_contract import vectors
from toolbridge_contract.mock.api import GoApi
from toolbridge_contract.mock.messages import Request
from toolbridge_contract.signing import Rejection
from toolbridge_contract.tokens import mint
from toolbridge_contract.vectors import Vector
from toolbridge_proxy.signing import Signer

VECTORS = vectors.load()


@pytest.mark.skipif(OPENSSL is None, reason="openssl is not on the PATH")
def test_openssl_computes_the_file_byte_for_byte() -> None:
    """Each signature anew, and nothing else in the file moves."""
    assert vectors.text() == signing_openssl.recomputed()


def test_the_vectors_cover_every_verdict() -> None:
    """Names are unique; each reason, and enough of what a proxy sends, is there."""
    assert len(VECTORS) == len({vector.name for vector in VECTORS})
    assert {None, *Rejection} == {vector.reason for vector in VECTORS}
    assert len([vector for vector in VECTORS if vector.is_a_proxys]) >= 40


def test_what_is_refused_for_its_signature_would_be_accepted_with_the_right_one() -> None:
    """So that each of those vectors tests one thing."""
    accepted = {v.name: v for v in VECTORS if v.accept}
    near_misses = [v for v in VECTORS if v.reason is Rejection.SIGNATURE]

    assert len(near_misses) >= 25
    assert [] == [v.name for v in near_misses if abs(int(v.timestamp or 0) - v.now_ms) > 1]
    assert accepted["key-without-nul"].signature == accepted["key-with-nul"].signature


@pytest.mark.parametrize("vector", [v for v in VECTORS if v.is_a_proxys], ids=lambda v: v.name)
def test_the_proxys_signer_makes_the_vector(vector: Vector) -> None:
    """At the last nanosecond of the millisecond: the clock is cut, not rounded."""
    ns = int(vector.timestamp or "") * NS_PER_MS + NS_PER_MS - 1
    made = Signer(vector.tenant or "", vector.signed_with, clock=lambda: ns).headers()

    expected = [
        (TENANT, vector.tenant),
        (TIMESTAMP, vector.timestamp),
        (SIGNATURE, vector.signature),
    ]

    assert expected == made


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_the_mock_answers_the_vector_as_the_go_api_does(vector: Vector) -> None:
    """Through all its gates: 201, or the 401 that never says which header it was."""
    api = GoApi(
        tenant_secret=vector.secret, jwt_secret=JWT_SECRET, clock=lambda: vector.now_ms * NS_PER_MS
    )
    token = mint("alice", "tenant-a", JWT_SECRET, now=vector.now_ms / 1000)
    headers = {"Host": "a.test", "Authorization": f"Bearer {token}"}
    values = {TENANT: vector.tenant, TIMESTAMP: vector.timestamp, SIGNATURE: vector.signature}
    headers |= {name: value for name, value in values.items() if value is not None}
    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    answer = api.respond(Request("POST", "/v1/sync/sessions", lines))

    if vector.accept:
        assert answer.status == 201
    else:
        assert (401, b"Unauthorized: invalid tenant headers\n") == (answer.status, answer.body)
