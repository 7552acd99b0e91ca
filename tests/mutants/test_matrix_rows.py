"""From a run to a row, and from a run of some checks to a row that has them."""

from typing import Any

import pytest

from mutants import rows
from mutants.matrix import Again
from mutants.rows import merged, row_of
from support.matrix_samples import (
    BUG,
    CHECKS,
    CONTROL,
    DEEP,
    GATE,
    LATE,
    MEEK,
    OTHER,
    SLOWER,
    SPARED,
    a_row,
    a_run,
)


@pytest.fixture(autouse=True)
def _checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the made-up suite, a run of the mutant's rows alone has LATE and nothing else."""
    monkeypatch.setattr(rows, "checks_for", lambda _: [CHECKS[LATE]])


def test_a_row_holds_what_is_red_by_cause() -> None:
    """Consequences stand under the cause that the report gives, in the report's order."""
    run = a_run(
        {LATE: "fail", OTHER: "fail", DEEP: "untestable", MEEK: "not applicable"},
        {OTHER: (), LATE: (DEEP,)},
    )

    row = row_of(BUG, run, 9.0, CHECKS)

    assert [(OTHER, {"fail": (OTHER,)}), (LATE, {"fail": (LATE,), "untestable": (DEEP,)})] == [
        *row.red.items()
    ]
    assert {"not applicable": (MEEK,)} == row.soft
    assert ("killed", frozenset({*GATE, DEEP}), 9.0) == (row.fate, row.ran, row.seconds)


@pytest.mark.parametrize(("first", "right"), [(LATE, True), (OTHER, False)])
def test_the_first_cause_is_judged_twice(first: str, right: bool) -> None:
    """In the gate's report, and among the checks that a run of its rows would have had."""
    causes: dict[str, tuple[str, ...]] = {first: ()}
    row = row_of(BUG, a_run({LATE: "fail", OTHER: "fail"}, causes | {LATE: ()}), 9.0, CHECKS)

    assert (first, right, LATE) == (row.cause, row.right, row.quick)


def test_a_failure_that_the_gate_explains_is_a_cause_where_its_explanation_did_not_run() -> None:
    """The quick run is judged by what it would have known."""
    row = row_of(BUG, a_run({LATE: "fail", DEEP: "fail"}, {DEEP: (LATE,)}), 9.0, CHECKS)

    assert (DEEP, LATE) == (row.cause, row.quick)


def test_what_the_run_itself_finds_is_first_in_both() -> None:
    """Strays belong to no check."""
    row = row_of(BUG, a_run({LATE: "fail"}, {"run-strays": (LATE,)}, ("strays",)), 9.0, CHECKS)

    assert ("run-strays", "run-strays", 1) == (row.cause, row.quick, row.problems)


@pytest.mark.parametrize(
    ("run", "fate"),
    [
        (a_run(), "green"),
        (a_run({LATE: "warning"}), "green"),
        (a_run({LATE: "fail"}, {LATE: ()}), "red"),
        (a_run(problems=("strays",)), "red"),
        (None, "crashed"),
    ],
)
def test_a_variant_is_green_or_red(run: dict[str, Any] | None, fate: str) -> None:
    """It is judged as in a run of the variants alone."""
    assert fate == row_of(SLOWER, run, 9.0, CHECKS).fate


def test_a_run_without_a_report_teaches_nothing() -> None:
    """No check ran, as far as anybody knows."""
    row = row_of(BUG, None, 9.0, CHECKS)

    assert ("crashed", frozenset(), {}) == (row.fate, row.ran, row.cells())


def test_some_checks_run_again_replace_their_cells() -> None:
    """The others keep theirs, and the row its date; the new run is noted."""
    run = a_run(ran=(LATE, CONTROL))

    row = merged(BUG, a_row(), run, 3.0, CHECKS)

    assert {CONTROL: "pass", OTHER: "pass", LATE: "pass", MEEK: "not applicable"} == row.cells()
    assert ("survived", "", 12.5, "2026-01-02T03:04Z") == (
        row.fate,
        row.cause,
        row.seconds,
        row.date,
    )
    assert Again("", "", 2) == row.again


def test_a_check_that_is_new_gets_its_cell() -> None:
    """It is red as it would be in a whole run."""
    run = a_run({LATE: "fail", DEEP: "fail"}, {LATE: (DEEP,)}, ran=(LATE, DEEP, CONTROL))

    row = merged(BUG, a_row(), run, 3.0, CHECKS)

    assert ("killed", {LATE: {"fail": (DEEP, LATE)}}) == (row.fate, row.red)
    assert {*GATE, DEEP} == row.ran


def test_a_check_that_is_gone_loses_its_cell() -> None:
    """Nobody can run it again."""
    known = {name: check for name, check in CHECKS.items() if name != MEEK}

    row = merged(BUG, a_row(), a_run(ran=(LATE, CONTROL)), 3.0, known)

    assert {*GATE} - {MEEK} == row.ran


def test_what_no_check_can_notice_must_stay_green_in_the_gate() -> None:
    """An equivalent mutant that is red is a fault of the suite."""
    red = a_run({OTHER: "fail"}, {OTHER: ()})

    assert ["spared", "flagged"] == [
        row_of(SPARED, run, 9.0, CHECKS).fate for run in (a_run(), red)
    ]
