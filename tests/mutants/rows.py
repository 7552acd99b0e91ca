"""From a run's JSON report to a row of the matrix. Pure functions."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mutants.judging import CONTROL, Fate
from mutants.judging import RED as RED_OUTCOMES
from mutants.judging import judge as judge_mutant
from mutants.matrix import GREEN, PASS, RED, Again, Row
from mutants.selection import checks_for
from mutants.table import Mutant, Variant
from mutants.variants import judge as judge_variant
from toolbridge_harness.causes import explain
from toolbridge_harness.model import Check, Outcome, Result

Report = dict[str, Any]


def row_of(
    one: Mutant | Variant, report: Report | None, seconds: float, checks: Mapping[str, Check]
) -> Row:
    """Return what a report says; only that nothing was learnt when the run left none."""
    if report is None:
        return Row(one.id, Fate.CRASHED, frozenset(), seconds=seconds)
    results = report["results"]
    soft = {r["outcome"] for r in results} - {PASS, *RED_OUTCOMES}
    row = Row(
        one.id,
        "",
        frozenset(result["check"] for result in results),
        _red(report),
        {outcome: _names(results, outcome=outcome) for outcome in sorted(soft)},
        problems=len(report["problems"]),
        seconds=seconds,
    )
    if isinstance(one, Variant):
        stay = judge_variant(one.id, report, seconds)
        return replace(row, fate=RED if stay.red else GREEN)
    verdict = judge_mutant(one, report, seconds)
    quick = _quick(one, report, checks)
    return replace(row, fate=verdict.fate, right=verdict.cause_right, quick=quick)


def merged(
    one: Mutant | Variant, old: Row, report: Report, seconds: float, checks: Mapping[str, Check]
) -> Row:
    """Return an old row with what a run of some of its checks found; all that was red is in it.

    The date and the seconds stay those of the whole run; the new run is noted beside them.
    """
    names = {result["check"] for result in report["results"]}
    kept = [
        {"check": name, "outcome": outcome, "catalogue": checks[name].catalogue, "cause": ""}
        for name, outcome in sorted(old.cells().items())
        if name in checks and name not in names and outcome not in RED_OUTCOMES
    ]
    row = row_of(one, report | {"results": [*report["results"], *kept]}, seconds, checks)
    again = Again("", "", len(names))
    return replace(
        row, seconds=old.seconds, commit=old.commit, date=old.date, suite=old.suite, again=again
    )


def _red(report: Report) -> dict[str, dict[str, tuple[str, ...]]]:
    red = [result for result in report["results"] if result["outcome"] in RED_OUTCOMES]
    causes = {cause["id"]: None for cause in report["causes"]}
    causes |= {result["cause"] or result["check"]: None for result in red}
    found = {
        cause: [result for result in red if (result["cause"] or result["check"]) == cause]
        for cause in causes
    }
    return {
        cause: {
            outcome: names
            for outcome in sorted(RED_OUTCOMES)
            if (names := _names(results, outcome=outcome))
        }
        for cause, results in found.items()
    }


def _names(results: list[dict[str, Any]], outcome: str) -> tuple[str, ...]:
    return tuple(sorted(r["check"] for r in results if r["outcome"] == outcome))


def _quick(mutant: Mutant, report: Report, checks: Mapping[str, Check]) -> str:
    """Return the first cause among the checks that a run of its rows alone would have made."""
    first = report["causes"][0]["id"] if report["causes"] else ""
    if first.startswith("run-"):
        return str(first)
    wanted = {CONTROL, *(declared.id for declared in checks_for(mutant))}
    results = [
        Result(
            told["check"],
            Outcome(told.get("beside", told["outcome"])),
            actual=told.get("actual", ""),
            detail=told.get("detail", ""),
        )
        for told in report["results"]
        if told["check"] in wanted
    ]
    causes = explain(results, checks)[1]
    return causes[0].id if causes else ""
