"""Accepted failures."""

import datetime
from dataclasses import replace
from pathlib import Path

import pytest

from support.harness_fakes import failed
from toolbridge_harness.baseline import Accepted, apply_baseline, read_baseline
from toolbridge_harness.errors import UsageProblem
from toolbridge_harness.model import Outcome, Result

TODAY = datetime.date(2026, 6, 1)
LATER = datetime.date(2026, 7, 1)
ENTRY = Accepted("auth-alg-none", "known, ticket 7", LATER)


def test_an_accepted_failure_is_not_red() -> None:
    """A failure with a valid entry keeps its outcome, and is not red."""
    (result,), problems = apply_baseline([failed("auth-alg-none")], [ENTRY], TODAY)

    assert ("known, ticket 7", False, ()) == (result.accepted, result.red, problems)


def test_an_entry_that_passes_again_is_stale() -> None:
    """The run is red until the entry is removed."""
    _, problems = apply_baseline([Result("auth-alg-none", Outcome.PASS)], [ENTRY], TODAY)

    assert ("the baseline's entry for auth-alg-none is stale: it passes now",) == problems


def test_an_expired_entry_accepts_nothing() -> None:
    """After its date, the failure is red again and the entry is named."""
    expired = Accepted("auth-alg-none", "known", datetime.date(2026, 5, 31))
    (result,), problems = apply_baseline([failed("auth-alg-none")], [expired], TODAY)

    assert result.red
    assert "expired on 2026-05-31" in problems[0]


@pytest.mark.parametrize("outcome", [Outcome.UNTESTABLE, Outcome.ERROR])
def test_only_failures_can_be_accepted(outcome: Outcome) -> None:
    """A check that never ran stays red whatever the baseline says."""
    (result,), _ = apply_baseline([Result("auth-alg-none", outcome)], [ENTRY], TODAY)

    assert result.red


@pytest.mark.parametrize(
    ("name", "hint"),
    [("auth-algo-none", "; is it auth-alg-none now?"), ("zzzz", "")],
)
def test_an_entry_for_a_check_that_is_gone_is_a_problem_of_the_run(name: str, hint: str) -> None:
    """After an upgrade of the suite the target is still tested, and red says which entry it is."""
    results, problems = apply_baseline(
        [failed("auth-alg-none")], [ENTRY, replace(ENTRY, check=name)], TODAY
    )

    assert ["known, ticket 7"] == [result.accepted for result in results]
    (problem,) = problems
    assert problem.removeprefix(f"the baseline's entry for {name} ") == (
        f"is for no check of this suite: correct or remove it{hint}"
    )


def test_an_entry_for_a_check_that_was_not_selected_is_no_problem() -> None:
    """One baseline serves every selection of checks."""
    assert ((), ()) == apply_baseline([], [ENTRY], TODAY)


def test_a_file_is_read(tmp_path: Path) -> None:
    """Check, reason and date come out of the TOML."""
    path = tmp_path / "known.toml"
    path.write_text(
        '[[accepted]]\ncheck = "auth-alg-none"\nreason = "known, ticket 7"\nexpires = 2026-07-01\n'
    )

    assert [ENTRY] == read_baseline(path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("not toml", "not TOML"),
        ('accepted = "x"', "tables"),
        ("[other]", "nothing else"),
        ('[[accepted]]\ncheck = "auth-alg-none"', "check, reason and expires"),
        ('[[accepted]]\ncheck = 5\nreason = "r"\nexpires = 2026-07-01', "the id of a check"),
        ('[[accepted]]\ncheck = ""\nreason = "r"\nexpires = 2026-07-01', "the id of a check"),
        ('[[accepted]]\ncheck = "auth-alg-none"\nreason = " "\nexpires = 2026-07-01', "reason"),
        ('[[accepted]]\ncheck = "auth-alg-none"\nreason = "r"\nexpires = "soon"', "a date"),
    ],
)
def test_a_bad_file_is_one_line(tmp_path: Path, text: str, problem: str) -> None:
    """Every mistake in a baseline says what is wrong and in which file."""
    path = tmp_path / "known.toml"
    path.write_text(text)

    with pytest.raises(UsageProblem, match=problem):
        read_baseline(path)
