"""The JSON document that keeps the matrix."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mutants.matrix import (
    MUTANTS,
    VARIANTS,
    Again,
    Matrix,
    Row,
    Suite,
    decoded,
    encoded,
    read,
    write,
)
from support.matrix_samples import CONTROL, DEEP, GATE, LATE, MEEK, OTHER, SUITE, a_row

EVERYTHING = a_row(
    "b-bug",
    ran=frozenset({*GATE, DEEP} - {OTHER}),
    red={LATE: {"fail": (LATE,), "untestable": (DEEP,)}, CONTROL: {"error": (CONTROL,)}},
    quick=CONTROL,
    right=False,
    problems=2,
    again=Again("def5678+", "2026-01-03T00:00Z", 3),
)
CRASHED = Row("c-bug", "crashed", frozenset(), commit="abc1234", date="today", code="4")
GREEN = Row("slower", "green", frozenset({*GATE, DEEP}), commit="abc1234", date="now", code="5")


def _matrix(*mutants: Row, variant: Row | None = None) -> Matrix:
    matrix = Matrix()
    for row in mutants:
        matrix = matrix.with_row(MUTANTS, row, SUITE)
    return matrix if variant is None else matrix.with_row(VARIANTS, variant, SUITE)


def test_the_document_keeps_everything() -> None:
    """What is written is read back the same, rows that crashed and later runs included."""
    matrix = _matrix(a_row(), EVERYTHING, CRASHED, variant=GREEN)

    assert matrix == decoded(encoded(matrix))


def test_a_row_is_a_line_and_rows_are_sorted() -> None:
    """A difference between two runs reads as the mutants that changed."""
    lines = encoded(_matrix(EVERYTHING, a_row())).splitlines()

    rows = [line.split(":")[0] for line in lines if '"fate"' in line]
    assert ['"a-bug"', '"b-bug"'] == rows


def test_a_pass_is_not_written() -> None:
    """What passed is what the profile has and the row does not name."""
    line = next(line for line in encoded(_matrix(a_row())).splitlines() if '"a-bug"' in line)

    assert {LATE: True, MEEK: True, CONTROL: False, OTHER: False} == {
        name: name in line for name in GATE
    }
    assert {CONTROL: "pass", OTHER: "pass", LATE: "fail", MEEK: "not applicable"} == a_row().cells()


def test_a_red_check_knows_its_cause() -> None:
    """One that explains itself is a cause; the order of the report is kept."""
    assert {LATE: LATE, DEEP: LATE, CONTROL: CONTROL} == EVERYTHING.explained()
    assert LATE == EVERYTHING.cause == decoded(encoded(_matrix(EVERYTHING))).mutants["b-bug"].cause


def test_a_suite_is_kept_once_and_goes_with_its_last_row() -> None:
    """Rows of one state of the suite share it."""
    newer = Suite({**SUITE.modules, LATE: "99999999"}, GATE, (DEEP,))
    matrix = _matrix(a_row(), a_row("b-bug")).with_row(MUTANTS, a_row(), newer)

    assert {SUITE.id, newer.id} == {*json.loads(encoded(matrix))["suites"]}
    assert {newer.id} == {
        *json.loads(encoded(matrix.with_row(MUTANTS, EVERYTHING, newer)))["suites"]
    }


@pytest.mark.parametrize(
    "other",
    [
        replace(SUITE, modules={**SUITE.modules, LATE: "99999999"}),
        replace(SUITE, gate=GATE[1:]),
        replace(SUITE, full=()),
    ],
)
def test_another_state_of_the_suite_has_another_name(other: Suite) -> None:
    """Rows would otherwise be read with the wrong checks."""
    assert SUITE.id != other.id


def test_a_file_is_replaced_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is stopped while writing leaves the old rows."""
    path = tmp_path / "docs" / "mutants.json"
    write(path, _matrix(a_row()))
    monkeypatch.setattr(Path, "replace", _stopped)

    with pytest.raises(KeyboardInterrupt):
        write(path, _matrix(EVERYTHING))

    assert _matrix(a_row()) == read(path)


def _stopped(*_: object) -> None:
    raise KeyboardInterrupt


def test_rows_of_mutants_that_are_no_more_can_be_left_out() -> None:
    """A mutant that is renamed would otherwise be counted twice."""
    matrix = _matrix(a_row(), EVERYTHING, variant=GREEN)

    assert ["b-bug"] == [*matrix.only({"b-bug", "x"}).mutants]
    assert ["slower"] == [*matrix.only({"slower"}).variants]


def test_where_there_is_no_file_nothing_is_known(tmp_path: Path) -> None:
    """The first run starts with an empty matrix."""
    assert Matrix() == read(tmp_path / "mutants.json")


def test_another_format_is_not_guessed_at() -> None:
    """A document of a later suite says so."""
    with pytest.raises(ValueError, match="format 2"):
        decoded('{"schema": 2}')
