"""Properties 26 to 29: the reference proxy's verifier has them all."""

from typing import Any

import pytest
from hypothesis import given

from support.signing_property import Property
from support.token_claim_properties import (
    PROPERTIES,
    accepted_exactly_before_its_expiry,
    not_accepted_before_its_time,
    pauses_between,
)
from support.token_strategies import moments
from support.token_subject import REFERENCE

pytestmark = pytest.mark.property


@pytest.mark.parametrize("one", PROPERTIES, ids=str)
def test_the_verifier_has_the_property(one: Property) -> None:
    """No example contradicts it."""
    one.check(REFERENCE)


def test_every_property_of_claims_is_there() -> None:
    """26 to 29, each with its number."""
    assert {26, 27, 28, 29} == {one.number for one in PROPERTIES}
    assert all((one.body.__doc__ or "").startswith(f"Property {one.number}") for one in PROPERTIES)


@given(moment=moments(("exp",), fractions=True), pauses=pauses_between)
def test_property_26_holds_to_the_fraction_of_a_second(
    moment: tuple[int, dict[str, Any]], pauses: list[int]
) -> None:
    """Property 26: a NumericDate may have a fraction (RFC 7519 section 2), and it counts."""
    accepted_exactly_before_its_expiry(REFERENCE, moment, pauses)


@given(moment=moments(("nbf", "iat"), fractions=True))
def test_property_27_holds_to_the_fraction_of_a_second(moment: tuple[int, dict[str, Any]]) -> None:
    """Property 27: nor is a token good in the second before its time."""
    not_accepted_before_its_time(REFERENCE, moment)
