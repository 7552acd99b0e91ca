"""Properties 1 to 7 and 16: what a signature says, and that it says nothing else."""

import re

from hypothesis import assume
from hypothesis import strategies as st

from support import signing_model as model
from support.signing_property import Properties
from support.signing_strategies import (
    NS_PER_MS,
    instants,
    key_pairs,
    secrets,
    tenants,
)
from support.signing_subject import NAMES, SIGNATURE, TENANT, TIMESTAMP, Subject
from toolbridge_contract import vectors

PROPERTIES = Properties()


@PROPERTIES.add(1, tenant=tenants, secret=secrets, ns=instants)
def round_trip(subject: Subject, tenant: str, secret: str, ns: int) -> None:
    """Property 1: what is signed verifies at its own instant, for that very tenant."""
    headers = subject.at(tenant, secret, ns)

    assert tenant == headers[TENANT]
    assert model.ACCEPT == subject.judge(headers, secret, ns)


@PROPERTIES.add(2)
def golden_vectors(subject: Subject) -> None:
    """Property 2: every vector that a proxy could have sent is sent, byte for byte."""
    for vector in vectors.load():
        if vector.is_a_proxys:
            ns = int(vector.timestamp or "") * NS_PER_MS
            expected = [vector.tenant, vector.timestamp, vector.signature]
            # The middle of the millisecond, or its start: rounding up is as good as down.
            made = [
                subject.at(vector.tenant or "", vector.signed_with, ns + part)
                for part in (NS_PER_MS // 2, 0)
            ]
            assert expected in [[headers[name] for name in NAMES] for headers in made], vector.name


@PROPERTIES.add(3, tenant=tenants, secret=secrets, ns=instants)
def shape(subject: Subject, tenant: str, secret: str, ns: int) -> None:
    """Property 3: three names as documented, 13 digits, 64 lower-case hex digits."""
    pairs = subject.signer(tenant, secret, lambda: ns).headers()
    values = dict(pairs)

    assert sorted(NAMES) == sorted(name for name, _ in pairs)
    assert re.fullmatch(r"[0-9]{13}", values[TIMESTAMP])
    assert re.fullmatch(r"[0-9a-f]{64}", values[SIGNATURE])


@PROPERTIES.add(4, tenant=tenants, other=tenants, secret=secrets, ns=instants)
def tenant_binding(subject: Subject, tenant: str, other: str, secret: str, ns: int) -> None:
    """Property 4: with another tenant put in, the signature is refused."""
    assume(tenant != other)
    headers = subject.at(tenant, secret, ns) | {TENANT: other}

    assert model.SIGNATURE == subject.judge(headers, secret, ns)


@PROPERTIES.add(
    5,
    tenant=tenants,
    secret=secrets,
    ns=instants,
    delta=st.integers(-299_000, 299_000).filter(bool),
)
def timestamp_binding(subject: Subject, tenant: str, secret: str, ns: int, delta: int) -> None:
    """Property 5: with another time of the window put in, the signature is refused."""
    headers = subject.at(tenant, secret, ns)
    # Relative to what was sent: a clock that is rounded up instead of down is no fault.
    headers[TIMESTAMP] = str(int(headers[TIMESTAMP]) + delta)

    assert model.SIGNATURE == subject.judge(headers, secret, ns)


@PROPERTIES.add(6, tenant=tenants, keys=key_pairs(), ns=instants)
def secret_binding(subject: Subject, tenant: str, keys: tuple[str, str], ns: int) -> None:
    """Property 6: two secrets sign alike exactly if HMAC pads them to the same key."""
    first, second = (subject.at(tenant, key, ns)[SIGNATURE] for key in keys)
    same_key = model.padded(keys[0].encode()) == model.padded(keys[1].encode())

    assert same_key == (first == second)


@PROPERTIES.add(7, tenant=tenants, tail=tenants, secret=secrets, ns=instants, later=instants)
def injective_message(
    subject: Subject, tenant: str, tail: str, secret: str, ns: int, later: int
) -> None:
    """Property 7: the message's last colon gives tenant and time back, so no two collide."""
    longer = f"{tenant}:{tail}"
    signatures = {}
    for name, at in ((tenant, ns), (longer, ns), (tenant, later), (longer, later)):
        headers = subject.at(name, secret, at)
        message = f"{name}:{headers[TIMESTAMP]}"
        assert (name, ":", headers[TIMESTAMP]) == message.rpartition(":")
        assert headers[SIGNATURE] == model.mac(secret, message)
        signatures[message] = headers[SIGNATURE]

    assert len(signatures) == len(set(signatures.values()))


@PROPERTIES.add(
    16, tenant=tenants, secret=secrets, ns=instants, name=st.sampled_from(NAMES), data=st.data()
)
def any_bit(
    subject: Subject, tenant: str, secret: str, ns: int, name: str, data: st.DataObject
) -> None:
    """Property 16: with any bit of the three values changed, they are refused."""
    headers = subject.at(tenant, secret, ns)
    value = bytearray(headers[name].encode())
    at = data.draw(st.integers(0, len(value) * 8 - 1))
    value[at // 8] ^= 1 << at % 8
    headers[name] = value.decode("utf-8", "surrogateescape")

    assert model.ACCEPT != subject.judge(headers, secret, ns)
