"""Does every grave check find something that no other check finds? Pure functions of the matrix.

A check kills a mutant when it fails on it, beside a control that passed or as the control itself.
It kills it alone when every other check that fails there is explained by it in the report: those
failures are its consequences, and a report that had only them would name another cause, or none.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mutants.judging import CONTROL, Fate
from mutants.matrix import FAIL, PASS, Matrix, Row
from mutants.selection import checks_of_matrix
from mutants.table import Mutant
from toolbridge_harness.model import Check, Severity

GRAVE = frozenset({Severity.CRITICAL, Severity.HIGH})
# Enough to see whether the table, the check or the way causes are found should change.
NEAREST = 3


@dataclass(frozen=True)
class Standing:
    """What the matrix says about the grave checks."""

    alone: Mapping[str, tuple[str, ...]]
    """By check, the mutants that it kills alone."""
    never: tuple[str, ...]
    """Those that kill none alone, although every mutant that is meant for them was run."""
    undecided: tuple[str, ...]
    """Those that have killed none alone so far: some mutant that is meant for them was not run."""


def killers(row: Row) -> frozenset[str]:
    """Return the checks that kill a mutant: failed, with a control that stood."""
    cells = row.cells()
    failed = {name for name, outcome in cells.items() if outcome == FAIL}
    return frozenset(failed if cells.get(CONTROL) == PASS else failed & {CONTROL})


def sole_killer(row: Row) -> str:
    """Return the check that explains every failure on a mutant and is one itself; or nothing."""
    explained = row.explained()
    failed = {name for name, outcome in row.cells().items() if outcome == FAIL}
    roots = {explained[name] for name in failed}
    sole = roots.pop() if len(roots) == 1 else ""
    return sole if sole in killers(row) else ""


def standing(
    matrix: Matrix, mutants: Mapping[str, Mutant], checks: Mapping[str, Check]
) -> Standing:
    """Return which grave checks kill alone; a check is judged when its own mutants were run."""
    alone: dict[str, list[str]] = {}
    for name, row in sorted(matrix.mutants.items()):
        killed = name in mutants and row.fate == Fate.KILLED
        sole = sole_killer(row) if killed else ""
        if sole in checks and {*checks[sole].catalogue} & {*mutants[name].rows}:
            alone.setdefault(sole, []).append(name)
    grave = [name for name, declared in checks.items() if declared.severity in GRAVE]
    waiting = _waiting(matrix, mutants)
    others = [name for name in grave if name not in alone]
    return Standing(
        {name: tuple(alone[name]) for name in grave if name in alone},
        tuple(name for name in others if name not in waiting),
        tuple(name for name in others if name in waiting),
    )


def _waiting(matrix: Matrix, mutants: Mapping[str, Mutant]) -> set[str]:
    """Return the checks that have not been run yet on a mutant that is meant for them."""
    waiting: set[str] = set()
    for mutant in mutants.values():
        row = matrix.mutants.get(mutant.id)
        ran = row.ran if row is not None and row.fate != Fate.CRASHED else frozenset()
        waiting |= {
            declared.id
            for declared in checks_of_matrix(mutant)
            if declared.id not in ran
            and ({*declared.catalogue} & {*mutant.rows} or declared.id == mutant.cause)
        }
    return waiting


def nearest(matrix: Matrix, check: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return the mutants that it kills with the fewest others: each, and those that share it.

    Those that share a kill are the causes of the failures that this check does not explain.
    """
    found = []
    for name, row in sorted(matrix.mutants.items()):
        if check in killers(row):
            explained = row.explained()
            others = {explained[other] for other in killers(row)} - {check}
            found.append((name, tuple(sorted(others))))
    return sorted(found, key=lambda one: (len(one[1]), one[0]))[:NEAREST]


def report(matrix: Matrix, mutants: Mapping[str, Mutant], checks: Mapping[str, Check]) -> str:
    """Return, for people, the grave checks that kill nothing alone, and what comes nearest."""
    found = standing(matrix, mutants, checks)
    summary = (
        f"{len(found.alone)} grave checks kill a mutant alone, {len(found.never)} do not, "
        f"{len(found.undecided)} are undecided: their mutants have not been run"
    )
    lines = [summary]
    for name in found.never:
        lines.append(f"{name} ({checks[name].severity})")
        near = nearest(matrix, name)
        lines += [f"    {mutant}: also {', '.join(others)}" for mutant, others in near]
        lines += [] if near else ["    it fails on no mutant"]
    return "\n".join(lines)
