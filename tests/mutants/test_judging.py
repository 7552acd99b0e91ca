"""What counts as a kill, and what does not."""

from typing import Any

import pytest

from mutants.judging import Fate, beside, control_failed, judge
from mutants.table import Mutant

BUG = Mutant("a-bug", "does it wrong", ("AUTH-29",), "auth-late", lambda: None)
SPARED = Mutant("no-bug", "does it otherwise", ("AUTH-29",), "", lambda: None, "equivalent")
STRAYS = Mutant("mixes", "mixes users up", ("SES-03",), "run-strays", lambda: None)


def _report(*causes: str, problems: tuple[str, ...] = (), **outcomes: str) -> dict[str, Any]:
    """Return a run's report: outcomes by check (with _ for -), the rows of each in its id."""
    rows = {"auth-late": ["AUTH-29"], "auth-other": ["AUTH-30"], "control-token": ["AUTH-00"]}
    named = {name.replace("_", "-"): outcome for name, outcome in outcomes.items()}
    return {
        "results": [
            {"check": name, "outcome": outcome, "catalogue": rows[name]}
            for name, outcome in named.items()
        ],
        "causes": [{"id": cause} for cause in causes],
        "problems": list(problems),
    }


@pytest.mark.parametrize(
    ("report", "fate"),
    [
        (_report("auth-late", control_token="pass", auth_late="fail"), Fate.KILLED),
        (_report(control_token="pass", auth_late="pass"), Fate.SURVIVED),
        (_report("auth-other", control_token="pass", auth_other="fail"), Fate.UNPROVEN),
        (_report("control-token", control_token="fail", auth_late="fail"), Fate.UNPROVEN),
        (_report("auth-late", control_token="pass", auth_late="untestable"), Fate.UNPROVEN),
        (_report("auth-late", auth_late="fail"), Fate.UNPROVEN),
        (_report("auth-other", control_token="pass", auth_other="error"), Fate.CRASHED),
        (None, Fate.CRASHED),
    ],
)
def test_only_a_failed_check_of_its_rows_beside_the_control_kills(
    report: dict[str, Any] | None, fate: Fate
) -> None:
    """A crash, an unrelated red, or a red control prove nothing about the bug."""
    assert fate == judge(BUG, report, 1.0).fate


def test_the_control_kills_what_its_own_rows_name() -> None:
    """Where the control is the row named, its failure is the kill."""
    bug = Mutant("deaf", "refuses everybody", ("AUTH-00",), "control-token", lambda: None)

    assert Fate.KILLED == judge(bug, _report("control-token", control_token="fail"), 1.0).fate


@pytest.mark.parametrize(("cause", "right"), [("auth-late", True), ("auth-other", False)])
def test_the_first_cause_counts(cause: str, right: bool) -> None:
    """A kill is worth less when the report sends its reader elsewhere."""
    report = _report(cause, "auth-late", control_token="pass", auth_late="fail", auth_other="fail")

    verdict = judge(BUG, report, 1.0)

    assert (Fate.KILLED, right, right) == (
        verdict.fate,
        verdict.cause_right,
        verdict.as_it_should_be,
    )


@pytest.mark.parametrize(
    ("report", "fate"),
    [
        (_report(control_token="pass", auth_late="pass"), Fate.SPARED),
        (_report("auth-late", control_token="pass", auth_late="fail"), Fate.FLAGGED),
        (_report(problems=("strays",), control_token="pass"), Fate.FLAGGED),
    ],
)
def test_what_is_no_bug_must_stay_green(report: dict[str, Any], fate: Fate) -> None:
    """An equivalent mutant that turns red is a fault of the suite."""
    assert fate == judge(SPARED, report, 1.0).fate


@pytest.mark.parametrize(
    ("cause", "fate"), [("run-strays", Fate.KILLED), ("control-token", Fate.UNPROVEN)]
)
def test_the_run_itself_can_kill(cause: str, fate: Fate) -> None:
    """Strays belong to no check: the run says them."""
    report = _report(cause, problems=("strays",), control_token="pass")

    assert fate == judge(STRAYS, report, 1.0).fate


@pytest.mark.parametrize(
    ("outcomes", "again"),
    [
        ({"control_token": "fail", "auth_late": "fail"}, True),
        ({"control_token": "fail", "auth_late": "pass"}, False),
        ({"control_token": "pass", "auth_late": "fail"}, False),
        ({"control_token": "untestable", "auth_late": "fail"}, False),
    ],
)
def test_a_control_is_run_again_when_it_failed_beside_a_check(
    outcomes: dict[str, Any], again: bool
) -> None:
    """One that failed by itself is the verdict, and needs no second opinion."""
    assert again is control_failed(_report(**outcomes))


def test_a_control_that_passes_alone_proves_the_kill() -> None:
    """Where users are mixed up, the control suffers from what the check beside it found."""
    report = _report("auth-late", control_token="fail", auth_late="fail")

    assert Fate.KILLED == judge(BUG, beside(report, _report(control_token="pass")), 1.0).fate
    assert Fate.UNPROVEN == judge(BUG, beside(report, _report(control_token="fail")), 1.0).fate
    assert Fate.UNPROVEN == judge(BUG, beside(report, None), 1.0).fate
