"""SM-1 and SM-2 are worth having: each broken cache and retrier is noticed, others are not."""

import pytest
from hypothesis import settings

from support.session_breaks import BREAKS, CONFORMANT, Break
from support.session_machines import (
    SEARCH,
    Machine,
    OutageMachine,
    RetryMachine,
    SessionMachine,
    notices,
    run,
)
from support.session_model import ALL

pytestmark = pytest.mark.property

# A search ends at its first find; a few examples show that an invariant is blind to a bug.
GLANCE = settings(SEARCH, max_examples=4)
SOME = settings(SEARCH, max_examples=8)
FEW = settings(SEARCH, max_examples=1)


@pytest.mark.parametrize("broken", BREAKS, ids=str)
def test_a_broken_proxy_is_noticed(broken: Break) -> None:
    """By each invariant that is about its bug, alone; where `only` says so by no other."""
    named = frozenset(broken.letters)
    noticed = {
        letter
        for letter in named
        if notices(broken.machine, broken.subject, frozenset({letter}), SEARCH)
    }

    assert named == noticed
    assert not broken.only or not notices(broken.machine, broken.subject, ALL - named, GLANCE)


@pytest.mark.parametrize("name", CONFORMANT)
@pytest.mark.parametrize(
    ("machine", "size"), [(SessionMachine, SOME), (RetryMachine, SOME), (OutageMachine, FEW)]
)
def test_a_conformant_proxy_is_not_flagged(
    machine: type[Machine], size: settings, name: str
) -> None:
    """Another way to keep sessions, no retries, or retries that wait, are no fault."""
    run(machine, CONFORMANT[name], size)


def test_every_invariant_can_fail() -> None:
    """Each has a broken proxy that it notices."""
    assert ALL == {letter for broken in BREAKS for letter in broken.letters}
