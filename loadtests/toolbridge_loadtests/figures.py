"""Everything that is computed from the samples of a run, before any rule decides."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from toolbridge_loadtests import estimates
from toolbridge_loadtests.samples import Rule, Run, Sample


@dataclass(frozen=True)
class ToolRow:
    """The samples of one tool."""

    tool: str
    samples: int
    failed: int
    slow: int
    p50: float
    p95: float
    worst: float


@dataclass(frozen=True)
class Figures:
    """Everything computed from the samples, before the rule is applied. Times in ms."""

    count: int = 0
    seconds: float = 0.0
    slow: int = 0
    failed: int = 0
    slow_bounds: tuple[float, float] = (0.0, 1.0)
    p50: float = math.nan
    p95: float = math.nan
    p99: float = math.nan
    worst: float = math.nan
    p95_interval: tuple[float, float] = (math.nan, math.nan)
    rate_intended: float = 0.0
    rate_sent: float = 0.0
    lateness_p95: float = 0.0
    slow_when_sent: int = 0
    """Slow requests once the generator's own lateness is taken out."""
    burstiness: float = 1.0
    tools: tuple[ToolRow, ...] = ()
    errors: tuple[tuple[str, int, str], ...] = ()
    """Kind, count, an example; most frequent first."""
    slowest: tuple[Sample, ...] = ()

    @property
    def slow_share(self) -> float:
        """Slow and failed requests as a share of all."""
        return self.slow / self.count if self.count else 0.0

    def errors_of(self, kind: str) -> int:
        """How many requests failed in this way."""
        return sum(count for error, count, _ in self.errors if error == kind)


def measure(run: Run, rule: Rule) -> Figures:
    """Compute the figures of a run; all zero or not-a-number when there are no samples."""
    samples = sorted(run.samples, key=lambda sample: sample.at)
    count = len(samples)
    if not count:
        return Figures()
    ordered = sorted(sample.latency for sample in samples)
    flags = [sample.latency >= rule.budget_ms for sample in samples]
    seconds = samples[-1].at - samples[0].at
    # n arrivals span n-1 intervals; a rate needs at least one.
    rate = (count - 1) / seconds if seconds else 0.0
    answered = [sample for sample in samples if not sample.error]
    return Figures(
        count=count,
        seconds=seconds,
        slow=sum(flags),
        failed=count - len(answered),
        slow_bounds=estimates.clopper_pearson(sum(flags), count, rule.confidence),
        p50=estimates.percentile(ordered, 50),
        p95=estimates.percentile(ordered, rule.percent),
        p99=estimates.percentile(ordered, 99),
        worst=ordered[-1],
        p95_interval=estimates.percentile_interval(ordered, rule.percent, rule.confidence),
        rate_intended=rate * (count + run.missed) / count,
        rate_sent=rate,
        lateness_p95=estimates.percentile(sorted(s.lateness for s in samples), 95),
        slow_when_sent=sum(s.latency - s.lateness >= rule.budget_ms for s in samples),
        burstiness=estimates.burstiness(flags),
        tools=tuple(_tool_rows(samples, rule)),
        errors=tuple(_error_rows(samples)),
        slowest=tuple(sorted(answered, key=lambda sample: -sample.milliseconds)[:5]),
    )


def _tool_rows(samples: Sequence[Sample], rule: Rule) -> list[ToolRow]:
    by_tool: dict[str, list[Sample]] = {}
    for sample in samples:
        by_tool.setdefault(sample.tool, []).append(sample)
    rows = []
    for tool, group in sorted(by_tool.items()):
        ordered = sorted(sample.latency for sample in group)
        rows.append(
            ToolRow(
                tool=tool,
                samples=len(group),
                failed=sum(bool(sample.error) for sample in group),
                slow=sum(latency >= rule.budget_ms for latency in ordered),
                p50=estimates.percentile(ordered, 50),
                p95=estimates.percentile(ordered, rule.percent),
                worst=ordered[-1],
            )
        )
    return rows


def _error_rows(samples: Sequence[Sample]) -> list[tuple[str, int, str]]:
    counts = Counter(sample.error for sample in samples if sample.error)
    example = {sample.error: sample.detail for sample in reversed(samples)}
    return [(kind, count, example[kind]) for kind, count in counts.most_common()]
