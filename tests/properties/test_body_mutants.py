"""Properties 33 to 41 are worth having: each break is noticed by the property named for it."""

import pytest

from support.body_breaks import CONTROLS, MUTANTS, PROPERTIES, Mutant
from support.signing_property import GLANCE

pytestmark = pytest.mark.property


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_break_is_noticed(mutant: Mutant) -> None:
    """There is an example that contradicts the property."""
    with mutant.subject() as broken:
        noticed = [n for n in mutant.noticed_by if PROPERTIES[n].is_contradicted(broken)]

    assert list(mutant.noticed_by) == noticed


@pytest.mark.parametrize("control", CONTROLS, ids=str)
def test_what_is_around_a_break_is_not_what_is_noticed(control: Mutant) -> None:
    """The same harness around the same proxy, with nothing broken, contradicts no property."""
    with control.subject() as whole:
        noticed = [n for n in control.noticed_by if PROPERTIES[n].is_contradicted(whole, GLANCE)]

    assert [] == noticed


def test_every_number_has_a_break() -> None:
    """33 to 41."""
    assert {str(number) for number in range(33, 42)} == {
        name[:2] for mutant in MUTANTS for name in mutant.noticed_by
    }
