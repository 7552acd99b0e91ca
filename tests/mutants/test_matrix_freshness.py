"""What is run again: what rests on code that changed, and not more."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mutants import freshness
from mutants.freshness import CAUSES, closure, code_of, due, module_of, modules
from mutants.matrix import Row, Suite
from mutants.table import all_mutants, all_variants
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
    SUITE,
    a_row,
)
from toolbridge_harness.model import Capability
from toolbridge_harness.registry import all_checks

GATE_CHECKS = [CHECKS[name] for name in GATE]
CODE = a_row().code


def _with(*changed: str) -> Suite:
    return replace(SUITE, modules={**SUITE.modules, **dict.fromkeys(changed, "changed")})


def _due(row: Row | None = None, now: Suite = SUITE, code: str = CODE) -> set[str]:
    return due(row or a_row(), code, GATE_CHECKS, SUITE, now)


def test_what_has_not_changed_is_not_run() -> None:
    """A run that is stopped goes on where it was."""
    assert set() == _due()


@pytest.mark.parametrize(
    "row",
    [
        None,
        a_row(code="other"),
        a_row(fate="crashed"),
        Row("a-bug", "crashed", frozenset(), code=CODE),
        a_row(red={"run-deadline": {"untestable": (LATE,)}}),
        a_row(red={"run-mock-gone": {"untestable": (LATE,)}}),
    ],
)
def test_a_row_that_says_nothing_about_this_code_is_run_as_a_whole(row: Row | None) -> None:
    """Never run, of another proxy or mutant, or cut short for no fault of its own."""
    assert {*GATE} == due(row, CODE, GATE_CHECKS, SUITE, SUITE)


def test_a_check_that_changed_is_run_with_what_is_red_and_the_control() -> None:
    """Causes are found among the failures of one run."""
    assert {OTHER, LATE, CONTROL} == _due(now=_with(OTHER))
    assert {OTHER, CONTROL} == _due(a_row(red={}), now=_with(OTHER))


def test_a_check_that_is_new_is_run() -> None:
    """In the row there is no cell for it."""
    checks = [*GATE_CHECKS, CHECKS[DEEP]]

    assert {DEEP, LATE, CONTROL} == due(a_row(), CODE, checks, SUITE, SUITE)


def test_a_red_check_that_is_gone_is_asked_about_again() -> None:
    """What it killed or explained has to be found by others now."""
    remaining = [declared for declared in GATE_CHECKS if declared.id != LATE]

    assert {CONTROL} == due(a_row(), CODE, remaining, SUITE, SUITE)


def test_where_the_run_had_problems_all_of_it_is_run_again() -> None:
    """Strays may come from any check."""
    assert {*GATE} == _due(a_row(problems=1), now=_with(MEEK))


def test_another_way_to_find_causes_bears_on_what_is_red() -> None:
    """A row without a failure has no cause that could be another."""
    assert {LATE, CONTROL} == _due(now=_with(CAUSES))
    assert set() == _due(a_row(red={}), now=_with(CAUSES))


def test_a_module_of_checks_rests_on_its_helpers_but_not_on_what_all_have() -> None:
    """A change of the helper of a few checks is no reason to run all of them."""
    folder = Path(freshness.__file__).parents[2] / "harness/toolbridge_harness"
    found = {path.name for path in closure(folder / "checks/auth_forged.py")}

    assert {"auth_forged.py", "refusals.py", "forge.py", "target.py"} <= found
    assert not {"console.py", "runner.py"} & found


def test_every_check_has_a_digest() -> None:
    """And each module one of its own."""
    known = modules()

    assert set() == {module_of(declared) for declared in all_checks().values()} - {*known}
    assert len(known) == len({*known.values()})


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        ({"bug": "says it otherwise"}, True),
        ({"rows": ("AUTH-30",)}, False),
        ({"cause": OTHER}, False),
        ({"spared": "equivalent"}, False),
        ({"apply": all_mutants()["M-A01"].apply}, False),
    ],
)
def test_a_row_rests_on_the_declaration_of_its_mutant(changes: dict[str, Any], same: bool) -> None:
    """Rows and cause decide its fate; its sentence does not."""
    assert same == (code_of(BUG) == code_of(replace(BUG, **changes)))


def test_a_row_rests_on_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each mutant is that proxy with a patch."""
    before = code_of(BUG), code_of(SLOWER)
    monkeypatch.setattr("mutants.state._proxy", lambda: b"another proxy")

    assert not {*before} & {code_of(BUG), code_of(SLOWER)}


def test_what_a_variant_lacks_is_part_of_it() -> None:
    """Other checks apply to it then."""
    real = all_variants()["slower"]

    assert code_of(real) != code_of(replace(real, lacks=frozenset({Capability.METRICS})))
