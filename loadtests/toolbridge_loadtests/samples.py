"""What a load test brings home, and what is demanded of it: plain data."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

MISMATCH = "content differs"
"""The kind of a failure in which what was read back is not what was written."""


class Sample(NamedTuple):
    """One measured request, as the generator saw it."""

    tool: str
    at: float
    """When it was due, in seconds since the epoch."""
    milliseconds: float
    """From when it was due until the whole answer was there."""
    lateness: float
    """The part of `milliseconds` before it was sent: the generator's own delay."""
    error: str = ""
    """The kind of failure; empty when the answer was right."""
    detail: str = ""
    server_timing: str = ""

    @property
    def latency(self) -> float:
        """Milliseconds as the verdict counts them: infinite for a failure."""
        return math.inf if self.error else self.milliseconds


@dataclass(frozen=True)
class Rule:
    """What is demanded. `rehearsal` lowers the minimum; its verdict is not a gate verdict."""

    budget_ms: float = 200.0
    percent: int = 95
    confidence: float = 0.95
    # With 300 samples up to 8 slow ones pass: a service with 1 % of them does 99.6 % of the time.
    min_samples: int = 300
    # A stall that comes twice a minute has to have a chance to show.
    min_seconds: float = 30.0
    # p95 alone lets one request in twenty fail.
    max_failed_share: float = 0.01
    # Below this share of the intended load the target was not tested as asked.
    min_rate_share: float = 0.95
    # 5 % of the budget: beyond it the generator's delay is no longer noise.
    max_lateness_ms: float = 10.0
    rehearsal: bool = False

    @property
    def slow_limit(self) -> float:
        """The share of slow requests that must not be reached."""
        return 1 - self.percent / 100

    @classmethod
    def for_rehearsal(cls, budget_ms: float) -> "Rule":
        """A rule for trying things out: 80 samples over 3 s.

        59 samples without a slow one are the fewest that the bounds can pass.
        """
        return cls(budget_ms=budget_ms, min_samples=80, min_seconds=3.0, rehearsal=True)


@dataclass(frozen=True)
class Run:
    """What a load test brought home, before it is judged."""

    samples: Sequence[Sample]
    target: str = ""
    shape: str = "constant"
    callers: int = 0
    missed: int = 0
    """Requests that were due and never sent."""
    lost_workers: int = 0
    """Workers whose last samples, the slowest ones, never arrived."""
    unreachable: str = ""
    """Why the preflight stopped the run; empty when it did not."""
    cold_start_ms: float | None = None
    rounded_p95_ms: float | None = None
    """Locust's own figure: rounded, failures counted by their speed, warm-up included."""
    started: str = ""
    notes: tuple[str, ...] = ()
