"""What counts as a fair verdict on a correct proxy."""

from pathlib import Path
from typing import Any

import pytest

from mutants import variants
from mutants.table import all_variants
from mutants.variants import judge, known_green, run_variants


def _report(*outcomes: str, problems: tuple[str, ...] = ()) -> dict[str, Any]:
    results = [
        {"check": f"a-{outcome}", "outcome": outcome, "expected": "this", "actual": "that"}
        for outcome in outcomes
    ]
    return {"results": results, "problems": list(problems)}


@pytest.mark.parametrize("outcome", ["fail", "untestable", "error"])
def test_what_is_red_is_told_with_its_evidence(outcome: str) -> None:
    """A reader sees at once which check is too narrow, and where."""
    stay = judge("slower", _report("pass", outcome), 1.0)

    assert (f"a-{outcome} ({outcome}): expected this, got that",) == stay.red


@pytest.mark.parametrize(
    ("report", "red"),
    [
        (_report("pass", "not_applicable"), ()),
        (_report("pass", "warning"), ()),
        (_report("pass", problems=("strays",)), ("strays",)),
        (_report("not_applicable"), ("no check passed",)),
        (_report(), ("no check passed",)),
        (None, ("the run left no report within 1 s",)),
    ],
)
def test_a_variant_is_green_when_something_passed_and_nothing_is_red(
    report: dict[str, Any] | None, red: tuple[str, ...]
) -> None:
    """A run that shows nothing is no evidence for anybody."""
    assert red == judge("slower", report, 1.0).red


def test_a_warning_is_told() -> None:
    """It is not red, and its reader should know."""
    stay = judge("slower", _report("pass", "warning"), 1.0)

    assert ("a-warning",) == stay.warned
    assert "(warned: a-warning)" in stay.lines()


def test_every_row_of_the_table_has_its_variant() -> None:
    """C-01 to C-10 are named by what they differ in."""
    said = " ".join(variant.difference for variant in all_variants().values())

    assert [] == [row for n in range(1, 11) if (row := f"C-{n:02}") not in said]


async def _ran(
    monkeypatch: pytest.MonkeyPatch, folder: Path, *only: str, outcome: str = "pass"
) -> list[str]:
    """Run the variant slower, with a run that is made up; return what was told."""
    told: list[str] = []

    async def run(*_: Any) -> Any:
        return _report(outcome), 3.0

    monkeypatch.setattr(variants, "STATE", folder / "variants.json")
    monkeypatch.setattr(variants, "run_suite", run)
    await run_variants([all_variants()["slower"]], only, "gate", 2, told.append)
    return told


async def test_a_verdict_is_known_until_the_code_changes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A run that is stopped goes on where it was, and a changed check is not believed."""
    slower = all_variants()["slower"]

    told = await _ran(monkeypatch, tmp_path)

    assert ["  1/1  green    3.0 s  slower: every message takes 50 ms more"] == told
    assert {"slower"} == known_green([slower], "gate")
    assert set() == known_green([slower], "full")
    monkeypatch.setattr(variants, "digest", lambda *_: "of other code")
    assert set() == known_green([slower], "gate")


async def test_a_run_of_one_check_says_nothing_about_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With --only no verdict is kept."""
    await _ran(monkeypatch, tmp_path, "auth-alg-none")

    assert set() == known_green(all_variants().values(), "gate")


async def test_what_was_red_is_run_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The machine may have been too busy; a red verdict is never taken from memory."""
    await _ran(monkeypatch, tmp_path, outcome="fail")

    assert set() == known_green(all_variants().values(), "gate")
