"""Property 23, and whatever else the mock's verifier shares with the Go API's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import signing_model as model
from support.signing_judging import NOW_MS, PROPERTIES, SECRET, maybe_tenants, wild, wrong_verdicts
from support.signing_properties import SIGNER
from support.signing_property import Property
from support.signing_strategies import NS_PER_MS, timestamps
from support.signing_subject import PROXY, Subject
from support.signing_verifier_mutants import VERIFIERS
from toolbridge_contract.mock.messages import Request
from toolbridge_contract.mock.tenant_gate import judge

pytestmark = pytest.mark.property

NAMES = [b"X-TB-Tenant-ID", b"x-tb-timestamp", b"X-Tb-Signature"]


@pytest.mark.parametrize("one", PROPERTIES, ids=str)
def test_the_mocks_verifier_has_the_property(one: Property) -> None:
    """No example contradicts it."""
    one.check(PROXY)


def test_the_vectors_are_judged_as_they_say() -> None:
    """Every vector, with its reason."""
    assert [] == wrong_verdicts(PROXY)


blanks = st.sampled_from(["", " ", "\t", " \t "])


@st.composite
def header_lines(draw: st.DrawFn) -> list[tuple[bytes, bytes]]:
    """Draw the three headers, signed or not, with blanks, repeats and strangers among them."""
    tenant, timestamp = draw(maybe_tenants) or "t", draw(timestamps(NOW_MS))
    values = [tenant, timestamp, model.mac(SECRET, f"{tenant}:{timestamp}")]
    lines = [
        (name, model.raw(draw(blanks) + value + draw(blanks)))
        for name, value in zip(NAMES, values, strict=True)
    ]
    strangers = st.tuples(st.sampled_from([*NAMES, b"Accept"]), wild.map(model.raw))
    return draw(st.permutations(lines + draw(st.lists(strangers, max_size=2))))


@given(lines=header_lines())
def test_property_23_header_lines_are_judged_as_by_go(lines: list[tuple[bytes, bytes]]) -> None:
    """Property 23, from the header lines on: the first of a name counts, outer blanks do not."""
    now = NOW_MS * NS_PER_MS
    verdict = judge(Request("GET", "/v1/notes", lines), SECRET, now)

    assert model.request_verdict(lines, SECRET, now) == (
        model.ACCEPT if verdict is None else verdict.name.lower()
    )


# Bits, and the window.
ABOUT_THE_VERIFIER = [one for one in SIGNER if one.number in (16, 19, 20, 21, 22)]


@pytest.mark.parametrize("mutant", VERIFIERS, ids=lambda mutant: mutant.name)
def test_a_verifier_that_is_not_gos_is_noticed(mutant: Subject) -> None:
    """By the vectors, and by a property."""
    assert [] != wrong_verdicts(mutant)
    assert any(one.is_contradicted(mutant) for one in (*PROPERTIES, *ABOUT_THE_VERIFIER))
