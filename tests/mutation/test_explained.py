"""The table of explanations is in step with the code, and says each thing once."""

from collections import Counter

import pytest

from mutation.explained import Explained, explained
from mutation.scoring import TARGETS
from mutation.source_mutants import mutants_of


@pytest.fixture(scope="module")
def made() -> Counter[object]:
    """How often each change is among the mutants that mutmut makes of today's code."""
    return Counter(mutant.key for module in TARGETS for mutant in mutants_of(module))


@pytest.mark.parametrize("row", explained(), ids=lambda row: str(row.key))
def test_an_explained_mutant_is_made_of_todays_code(row: Explained, made: Counter[object]) -> None:
    """Exactly one mutant: a row whose line has changed explains nothing any more."""
    assert 1 == made[row.key]


def test_no_mutant_is_explained_twice() -> None:
    """One reason each."""
    assert [] == [key for key, n in Counter(row.key for row in explained()).items() if n > 1]


@pytest.mark.parametrize("row", explained(), ids=lambda row: str(row.key))
def test_an_explanation_is_a_sentence(row: Explained) -> None:
    """It begins with a capital or a name, and ends with a full stop."""
    assert (True, ".") == (len(row.why.split()) >= 4, row.why[-1:])
