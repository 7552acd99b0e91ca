"""The properties are worth having: each broken signer is noticed, the equivalent ones are not."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from support.signing_mutants import MUTANTS, Mutant
from support.signing_properties import SIGNER
from support.signing_property import GLANCE, SEARCH
from support.signing_time import zone


@pytest.fixture(autouse=True)
def utc() -> Iterator[None]:
    """Naive UTC is right where the machine is in UTC: only property 11 may notice it."""
    with zone("UTC0"):
        yield


BROKEN = [mutant for mutant in MUTANTS if mutant.killers]
SOME = settings(SEARCH, max_examples=40)
EQUIVALENT = [mutant for mutant in MUTANTS if not mutant.killers]


@pytest.mark.parametrize("mutant", BROKEN, ids=str)
def test_a_broken_signer_is_noticed(mutant: Mutant) -> None:
    """By every property that is about its bug, and where `only` says so by no other."""
    others = [one for one in SIGNER if mutant.only and one.number not in mutant.killers]
    named = [one for one in SIGNER if one.number in mutant.killers]
    noticed = {one.number for one in named if one.is_contradicted(mutant.subject)}

    assert mutant.killers == noticed
    assert [] == [str(one) for one in others if one.is_contradicted(mutant.subject, GLANCE)]


@pytest.mark.parametrize("mutant", EQUIVALENT, ids=str)
def test_an_equivalent_signer_is_not_flagged(mutant: Mutant) -> None:
    """Rounding a clock by a millisecond is no fault, nor is another way to write the same."""
    assert [] == [str(one) for one in SIGNER if one.is_contradicted(mutant.subject, SOME)]


def test_the_equivalent_signers_are_the_ones_we_know_of() -> None:
    """No mutant counts as equivalent because its killers were forgotten."""
    assert ["unchanged", "M-S02 float_mul_int", "ceil rounding"] == [str(m) for m in EQUIVALENT]


def test_every_row_about_the_signer_is_there() -> None:
    """M-S01 to M-S12; M-S13 is about the error contract."""
    assert {f"M-S{n:02}" for n in range(1, 13)} <= {str(mutant)[:5] for mutant in MUTANTS}
