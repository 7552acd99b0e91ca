"""The first cause that a whole red run names is the bug that the proxy has."""

import pytest

from mutants.running import launch_command
from mutants.table import all_mutants
from support.command_line import python_command, toolbridge
from toolbridge_harness.registry import all_checks


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("bug", "cause"),
    [("anonymous", "auth-no-token"), ("nameless", "auth-subject")],
)
def test_who_is_let_in_comes_before_what_was_sent_for_nobody(bug: str, cause: str) -> None:
    """The requests that the Go API refused follow from the failed refusal, and are still said."""
    done = toolbridge("verify", "--launch", python_command("broken_identity.py", bug))

    assert 1 == done.code
    assert done.first_line == f"RED {all_checks()[cause].broken}"
    assert "also the proxy acts for the wrong user: " in done.out


@pytest.mark.e2e
def test_an_identity_of_the_proxys_own_comes_first() -> None:
    """Whoever sends no token acts as the proxy's account: that is worse than an open tool."""
    done = toolbridge("verify", "--launch", python_command("broken_identity.py", "service-account"))

    assert 1 == done.code
    assert done.first_line.startswith("RED the proxy acts for the wrong user: ")
    assert "was sent for 'service'" in done.first_line


@pytest.mark.bites
@pytest.mark.parametrize(
    "mutant",
    [
        *("any-token", "M-A01", "M-A02", "published-key-secret", "embedded-key"),
        *("embedded-secret", "believed-key-id", "M-A05", "M-A06", "fetched-key"),
        *("half-signature", "M-A27", "M-A17", "M-A18", "M-A19", "M-A20", "first-claim"),
        *("normalised-subjects", "M-A23", "M-A24", "M-A29"),
    ],
)
def test_a_bug_in_how_tokens_are_verified_is_the_first_cause(mutant: str) -> None:
    """Among all checks of a gate, the one that claims the bug's row is said first."""
    done = toolbridge("verify", "--launch", launch_command(mutant))

    cause = all_mutants()[mutant].cause
    assert 1 == done.code
    assert done.first_line == f"RED {all_checks()[cause].broken}"
