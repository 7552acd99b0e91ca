"""Every grave check finds something that no other finds, or the table says why it cannot."""

from collections.abc import Mapping

import pytest

from mutants import alone
from mutants.alone import killers, nearest, report, sole_killer, standing
from mutants.full import STORE
from mutants.matrix import MUTANTS, Matrix, Red, Row, read
from mutants.not_alone import NOT_ALONE
from mutants.table import all_mutants
from support.matrix_samples import (
    BUG,
    CHECKS,
    CONTROL,
    DEEP,
    GATE,
    LATE,
    MEEK,
    OTHER,
    OTHER_BUG,
    SUITE,
    a_row,
)
from toolbridge_harness.registry import all_checks

BUGS = {"a-bug": BUG, "b-bug": OTHER_BUG}


@pytest.fixture(autouse=True)
def _gate(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each made-up mutant against the made-up gate; the real ones against the real."""
    if "real" not in request.node.name:
        monkeypatch.setattr(alone, "checks_of_matrix", lambda _: [CHECKS[name] for name in GATE])


def _matrix(*rows: Row) -> Matrix:
    matrix = Matrix()
    for row in rows:
        matrix = matrix.with_row(MUTANTS, row, SUITE)
    return matrix


@pytest.mark.parametrize(
    ("red", "sole"),
    [
        ({}, ""),
        ({LATE: {"fail": (LATE,)}}, LATE),
        ({LATE: {"fail": (LATE, OTHER)}}, LATE),
        ({LATE: {"fail": (LATE,)}, OTHER: {"fail": (OTHER,)}}, ""),
        ({LATE: {"fail": (LATE,)}, OTHER: {"untestable": (OTHER,)}}, LATE),
        ({LATE: {"fail": (LATE,)}, OTHER: {"untestable": (OTHER,), "fail": (MEEK,)}}, ""),
        ({OTHER: {"untestable": (OTHER,), "fail": (LATE,)}}, ""),
        ({"run-strays": {"fail": (LATE,)}}, ""),
        ({LATE: {"fail": (LATE,)}, CONTROL: {"untestable": (CONTROL,)}}, ""),
        ({CONTROL: {"fail": (CONTROL, LATE)}}, CONTROL),
        ({LATE: {"fail": (LATE, CONTROL)}}, ""),
    ],
)
def test_a_sole_killer_explains_every_other_failure(red: Red, sole: str) -> None:
    """What could not be tested kills nothing; without a control nothing does but the control."""
    assert sole == sole_killer(a_row(red=red))


@pytest.mark.parametrize(
    ("red", "found"),
    [
        ({LATE: {"fail": (LATE, OTHER), "untestable": (MEEK,)}}, {LATE, OTHER}),
        ({CONTROL: {"fail": (CONTROL,), "untestable": (OTHER,)}}, {CONTROL}),
        ({CONTROL: {"untestable": (CONTROL,), "fail": (LATE,)}}, set()),
    ],
)
def test_a_kill_is_a_failure_beside_the_control(red: Red, found: set[str]) -> None:
    """Or the control's own."""
    assert found == killers(a_row(red=red))


def test_a_grave_check_is_judged_once_its_own_mutants_were_run() -> None:
    """Until then nobody can say that it kills none alone; one that does is known at once."""
    found = standing(_matrix(a_row()), BUGS, CHECKS)

    assert {LATE: ("a-bug",)} == found.alone
    assert (OTHER,) == found.undecided
    assert (DEEP, CONTROL) == found.never


@pytest.mark.parametrize(
    "row",
    [
        Row("b-bug", "crashed", frozenset()),
        a_row("b-bug", red={}, ran=frozenset({*GATE} - {OTHER})),
    ],
)
def test_a_run_that_did_not_have_the_check_decides_nothing(row: Row) -> None:
    """It crashed, or it is older than the check."""
    assert OTHER in standing(_matrix(a_row(), row), BUGS, CHECKS).undecided


def test_a_check_that_others_always_join_kills_none_alone() -> None:
    """Now that its mutant was run, this is known; a check of low severity is not asked."""
    shared = a_row("b-bug", red={LATE: {"fail": (LATE,)}, OTHER: {"fail": (OTHER,)}})

    found = standing(_matrix(a_row(), shared), BUGS, CHECKS)

    assert ((OTHER, DEEP, CONTROL), ()) == (found.never, found.undecided)
    assert MEEK not in found.never


def test_a_mutant_that_is_no_more_proves_nothing() -> None:
    """Its row may still be in the file."""
    found = standing(_matrix(a_row("gone"), a_row(red={})), {"a-bug": BUG}, CHECKS)

    assert {} == found.alone


def test_the_nearest_are_those_with_the_fewest_others() -> None:
    """Others are causes: what this check explains is not counted."""
    matrix = _matrix(
        a_row(
            "a-bug", red={LATE: {"fail": (LATE,)}, OTHER: {"fail": (OTHER,), "untestable": (MEEK,)}}
        ),
        a_row("b-bug", red={OTHER: {"fail": (OTHER, LATE)}}),
        a_row("c-bug", red={LATE: {"fail": (LATE, OTHER)}}),
        a_row("d-bug", red={MEEK: {"fail": (MEEK,)}}),
    )

    assert [("b-bug", ()), ("a-bug", (LATE,)), ("c-bug", (LATE,))] == nearest(matrix, OTHER)


def test_the_list_says_what_comes_nearest() -> None:
    """So that whoever reads it knows where to look."""
    shared = a_row("b-bug", red={LATE: {"fail": (LATE,)}, OTHER: {"fail": (OTHER,)}})

    told = report(_matrix(a_row(), shared), BUGS, CHECKS).splitlines()

    assert "1 grave checks kill a mutant alone, 3 do not, 0 are undecided" in told[0]
    assert [f"{OTHER} (high)", f"    b-bug: also {LATE}"] == told[1:3]
    assert "    it fails on no mutant" == told[-1]


def _complaints(
    never: tuple[str, ...], kills: Mapping[str, object], why: Mapping[str, str]
) -> list[str]:
    """Return what is wrong with the table of reasons."""
    return [
        *(
            f"{name} kills no mutant alone, and NOT_ALONE does not say why"
            for name in never
            if name not in why
        ),
        *(f"NOT_ALONE: {name} does kill a mutant alone" for name in why if name in kills),
        *(f"NOT_ALONE: {name} has no reason" for name, reason in why.items() if not reason.strip()),
    ]


def test_the_table_of_reasons_is_judged() -> None:
    """A reason that is missing, no longer true, or empty is a complaint."""
    assert 1 == len(_complaints((LATE,), {}, {}))
    assert 1 == len(_complaints((), {LATE: ("a-bug",)}, {LATE: "it is shared"}))
    assert 1 == len(_complaints((LATE,), {}, {LATE: " "}))
    assert [] == _complaints((LATE,), {OTHER: ("b-bug",)}, {LATE: "it is shared"})


def test_every_real_grave_check_kills_a_mutant_alone_or_the_table_says_why_not() -> None:
    """Judged are the checks whose own mutants have been run; the page lists the others."""
    found = standing(read(STORE), all_mutants(), all_checks())
    judged = found.never if read(STORE).mutants else ()

    assert [] == _complaints(judged, found.alone, NOT_ALONE)
    assert {*NOT_ALONE} <= {*found.never, *found.undecided}
