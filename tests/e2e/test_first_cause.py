"""The first cause that a whole red run names is the bug that the proxy has."""

import pytest

from mutants.running import launch_command
from mutants.table import all_mutants
from support.command_line import Finished, toolbridge
from toolbridge_harness.model import Profile, Vantage
from toolbridge_harness.registry import all_checks, select


def _judged(mutant: str) -> Finished:
    """Run the gate on a mutant, without the checks that start it again: they take a minute."""
    chosen = [c.id for c in select(Profile.GATE) if Vantage.RESTART not in c.needs]
    only = [word for name in chosen for word in ("--only", name)]
    return toolbridge("verify", "--launch", launch_command(mutant), *only)


@pytest.mark.bites
@pytest.mark.parametrize("mutant", ["anonymous", "nameless"])
def test_who_is_let_in_comes_before_what_was_sent_for_nobody(mutant: str) -> None:
    """The requests that the Go API refused follow from the failed refusal, and are still said."""
    done = _judged(mutant)

    cause = all_mutants()[mutant].cause
    assert 1 == done.code
    assert done.first_line == f"RED {all_checks()[cause].broken}"
    assert "also the proxy acts for the wrong user: " in done.out


@pytest.mark.bites
def test_an_identity_of_the_proxys_own_comes_first() -> None:
    """Whoever sends no token acts as the proxy's account: that is worse than an open tool."""
    done = _judged("service-account")

    assert 1 == done.code
    assert done.first_line.startswith("RED the proxy acts for the wrong user: ")
    assert "was sent for 'service'" in done.first_line


@pytest.mark.bites
@pytest.mark.parametrize(
    "mutant",
    # One whose answers go wrong everywhere, and those with several checks of one claim.
    ["M-A23", "M-A29", "any-token", "half-signature", "M-A24", "M-T05"],
)
def test_a_bug_in_how_tokens_are_verified_is_the_first_cause(mutant: str) -> None:
    """Among the checks of a gate, the one that claims the bug's row is said first."""
    done = _judged(mutant)

    cause = all_mutants()[mutant].cause
    assert 1 == done.code
    assert done.first_line == f"RED {all_checks()[cause].broken}"
