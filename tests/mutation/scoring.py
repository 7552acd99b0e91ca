"""What a run says about a module: how many mutants were killed, and whether that is enough."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from mutation.bench import Verdict
from mutation.source_mutants import Key
from mutation.telling import Fate

# The share that must be killed of all mutants but the explained ones.
TARGETS = {"tokens": 1.0, "signing": 1.0, "sessions": 0.9, "upstream": 0.9}
# Of all mutants, explained or not: the table of explanations is no way to the target. The defaults
# and limits of the token models, which nothing reads, take a tenth.
FLOOR = 0.85


@dataclass(frozen=True)
class Score:
    """The mutants of one module by what became of them, and the seconds that they took."""

    module: str
    killed: int
    explained: int
    survived: tuple[Key, ...]
    killed_after_all: tuple[Key, ...]
    seconds: float

    @property
    def mutants(self) -> int:
        """All that were judged."""
        return self.killed + self.explained + len(self.survived)

    @property
    def enough(self) -> bool:
        """Whether the target is met and the table of explanations is as the run says."""
        rest = self.mutants - self.explained
        target = self.killed >= TARGETS[self.module] * rest and self.killed >= FLOOR * self.mutants
        return target and not self.survived and not self.killed_after_all

    def __str__(self) -> str:
        counts = f"{self.mutants:4} mutants, {self.killed:4} killed, {self.explained:3} explained"
        return f"{self.module:<9} {counts}, {len(self.survived):3} survived, {self.seconds:5.0f} s"


def score(module: str, verdicts: Iterable[Verdict], explained: Collection[Key]) -> Score:
    """Count the verdicts on `module`; one that timed out (again, and alone) is killed."""
    mine = [verdict for verdict in verdicts if verdict.mutant.key.module == module]
    alive = [v.mutant.key for v in mine if v.fate is Fate.SURVIVED]
    dead = [v.mutant.key for v in mine if v.fate is not Fate.SURVIVED]
    return Score(
        module,
        len(dead),
        len([key for key in alive if key in explained]),
        tuple(key for key in alive if key not in explained),
        tuple(key for key in dead if key in explained),
        sum(verdict.seconds for verdict in mine),
    )
