"""What both pages of the matrix say: its figures, when it was made, and what is missing in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from mutants.alone import Standing, standing
from mutants.judging import Fate
from mutants.matrix import Matrix, Row
from mutants.matrix_counts import Counts, counts
from mutants.selection import checks_of_matrix
from mutants.table import Mutant, Variant
from toolbridge_harness.model import Check


@dataclass(frozen=True)
class Paper:
    """The matrix, and the tables that give its rows and columns their words."""

    matrix: Matrix
    mutants: Mapping[str, Mutant]
    variants: Mapping[str, Variant]
    checks: Mapping[str, Check]

    @cached_property
    def rows(self) -> dict[str, Row]:
        """The rows of mutants and variants that there are today, and of which something is known.

        A run that left no report has a row, and nothing in it.
        """
        known = {**self.matrix.mutants, **self.matrix.variants}
        return {name: row for name, row in known.items() if name in self.all}

    @cached_property
    def all(self) -> dict[str, Mutant | Variant]:
        """Every mutant and variant."""
        return {**self.mutants, **self.variants}

    @cached_property
    def counts(self) -> Counts:
        """The figures."""
        return counts(
            self.mutants,
            {name: row for name, row in self.rows.items() if name in self.mutants},
            {name: row for name, row in self.rows.items() if name in self.variants},
        )

    @cached_property
    def standing(self) -> Standing:
        """Which grave checks kill a mutant alone."""
        return standing(self.matrix, self.mutants, self.checks)

    def missing(self, table: Mapping[str, Mutant | Variant]) -> list[str]:
        """Return the ids of those in `table` that have not been run."""
        return [name for name in table if name not in self.rows]

    @cached_property
    def gaps(self) -> dict[str, int]:
        """How many checks were not run yet on those that have a row: they are newer than it."""
        found = {
            name: sum(one.id not in row.ran for one in checks_of_matrix(self.all[name]))
            for name, row in self.rows.items()
            if row.fate != Fate.CRASHED
        }
        return {name: number for name, number in found.items() if number}

    def when(self) -> str:
        """Return the dates and commits between which the rows were made."""
        runs = [(row.date, row.commit) for row in self.rows.values()]
        runs += [(row.again.date, row.again.commit) for row in self.rows.values() if row.again]
        if not runs:
            return "Nothing has been run yet."
        (first, from_), (last, to) = min(runs), max(runs)
        number = len({commit for _, commit in runs})
        commits = f"commit {from_}" if number == 1 else f"{number} commits from {from_} to {to}"
        return f"Run from {first} to {last} (UTC), at {commits}; a + marks changes not committed."

    def figures(self) -> list[tuple[str, str]]:
        """Return the summary: what, and how much of it."""
        told = self.counts
        ran = sum(told.fates.values())
        return [
            ("mutants run", f"{ran} of {len(self.mutants)}"),
            *((f"… {fate}", str(number)) for fate, number in told.fates.items()),
            ("first cause right, in a gate run", share(told.right, told.killed)),
            ("first cause right, in a run of its rows", share(told.right_quick, told.killed)),
            ("variants run, profile full", f"{told.variants} of {len(self.variants)}"),
            ("… green", str(told.green)),
            ("critical and high checks that kill a mutant alone", self._alone()),
        ]

    def _alone(self) -> str:
        found = self.standing
        total = len(found.alone) + len(found.never) + len(found.undecided)
        open_ = f", {len(found.undecided)} undecided" if found.undecided else ""
        return f"{len(found.alone)} of {total}{open_}"

    def killers(self, mutant: Mutant) -> list[str]:
        """Return the failed checks that name its rows."""
        cells = self.rows[mutant.id].cells() if mutant.id in self.rows else {}
        return sorted(
            name
            for name, outcome in cells.items()
            if outcome == "fail"
            and name in self.checks
            and {*self.checks[name].catalogue} & {*mutant.rows}
        )

    def areas(self) -> list[tuple[str, list[Mutant]]]:
        """Return the mutants by area, as the modules that declare them are named."""
        ordered = sorted(self.mutants.values(), key=lambda mutant: (area_of(mutant), mutant.id))
        return [(area, list(group)) for area, group in groupby(ordered, key=area_of)]


def area_of(mutant: Mutant) -> str:
    """Return the area of a mutant: `bugs_<area>_…` declares it."""
    module = mutant.apply.__module__.rpartition(".")[2]
    return module.removeprefix("bugs_").partition("_")[0]


def share(part: int, whole: int) -> str:
    """Return `part` of `whole`, in per cent too."""
    return f"{part} of {whole} ({part / whole:.1%})" if whole else "none yet"
