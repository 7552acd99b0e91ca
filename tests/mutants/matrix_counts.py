"""The figures of the matrix: fates, and how often the first cause was the right one."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from mutants.judging import Fate
from mutants.matrix import GREEN, Row
from mutants.table import Mutant

# How many first causes must be right among the killed mutants.
CAUSES_RIGHT = 0.95


@dataclass(frozen=True)
class Counts:
    """What some rows add up to."""

    rows: int
    fates: Mapping[str, int]
    """Of the mutants."""
    right: int
    """Killed, and the first cause of the gate's report was right."""
    right_quick: int
    """The same for a report of the checks of its rows and the smoke profile alone."""
    variants: int
    green: int

    @property
    def killed(self) -> int:
        """How many mutants were killed."""
        return self.fates.get(Fate.KILLED, 0)

    @property
    def good(self) -> bool:
        """Nothing survived or is unclear, the causes are right, and no variant is red."""
        lost = sum(self.fates.values()) - self.killed - self.fates.get(Fate.SPARED, 0)
        causes = self.right >= CAUSES_RIGHT * self.killed
        return not lost and causes and self.green == self.variants

    def line(self) -> str:
        """Return it for people."""
        parts = [f"{number} {fate}" for fate, number in self.fates.items()]
        if self.killed:
            share = f"{self.right / self.killed:.1%}"
            parts.append(f"first cause right: {self.right} of {self.killed} ({share})")
        if self.variants:
            parts.append(f"{self.green} of {self.variants} variants green")
        return ", ".join(parts) or "none ran"


def counts(
    table: Mapping[str, Mutant], mutants: Mapping[str, Row], variants: Mapping[str, Row]
) -> Counts:
    """Count the rows of mutants, which `table` holds, and of variants."""
    fates = Counter(row.fate for row in mutants.values())
    killed = [row for row in mutants.values() if row.fate == Fate.KILLED]
    return Counts(
        len(mutants) + len(variants),
        {fate.value: fates[fate] for fate in Fate if fates[fate]},
        sum(row.right for row in killed),
        sum(row.quick == table[row.id].cause for row in killed),
        len(variants),
        sum(row.fate == GREEN for row in variants.values()),
    )
