"""The verdict on a load test, from raw samples. Pure: no Locust, no clock, no files.

p95 < 200 ms means that fewer than 5 % of the requests took 200 ms or longer or failed: a failed
request is infinitely slow, and exactly 200.0 ms is not below 200. A run is one sample of what
the service does, so the share of slow requests is judged by its exact bounds (Clopper-Pearson,
95 % each): an upper bound below 5 % passes, a lower bound above 5 % fails, and a run between
them has no verdict; it says how long a run would decide. Deciding by the point estimate would
turn a service that just misses its target green every second time; so it happens once in 20.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from toolbridge_loadtests import estimates

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


class Outcome(StrEnum):
    """The four ways in which a load test ends."""

    PASS = "pass"  # noqa: S105 - an outcome, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    UNMEASURED = "nothing was measured"


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
    unreachable: str = ""
    """Why the preflight stopped the run; empty when it did not."""
    cold_start_ms: float | None = None
    rounded_p95_ms: float | None = None
    """Locust's own figure: rounded, failures counted by their speed, warm-up included."""
    started: str = ""
    notes: tuple[str, ...] = ()


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


@dataclass(frozen=True)
class Verdict:
    """The outcome with the sentence that explains it, what to do, and all figures."""

    outcome: Outcome
    headline: str
    advice: str
    rule: Rule
    run: Run
    figures: Figures = field(default_factory=Figures)

    @property
    def exit_code(self) -> int:
        """0 for a pass; 1 for anything red and for no verdict."""
        return 0 if self.outcome is Outcome.PASS else 1


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


def judge(run: Run, rule: Rule) -> Verdict:
    """Return the verdict on a run: the first rule that applies decides."""
    figures = measure(run, rule)
    for decide in (_unmeasured, _wrong, _too_little, _too_many_failed, _too_slow, _fast_enough):
        decision = decide(run, rule, figures)
        if decision:
            return Verdict(*decision, rule, run, figures)
    return Verdict(*_between(rule, figures), rule, run, figures)


_Decision = tuple[Outcome, str, str]


def _unmeasured(run: Run, _rule: Rule, figures: Figures) -> _Decision | None:
    if run.unreachable:
        return (
            Outcome.UNMEASURED,
            f"nothing was measured: {run.unreachable}",
            "Make the target answer one list_notes call, then run again.",
        )
    if not figures.count:
        return (
            Outcome.UNMEASURED,
            "nothing was measured: no request was sent",
            "Let the test run longer, with at least one user.",
        )
    if figures.failed == figures.count:
        kind, count, example = figures.errors[0]
        return (
            Outcome.UNMEASURED,
            f"nothing was measured: all {figures.count} requests failed, {count} with {kind}",
            f"Example: {example}" if example else "See the errors below.",
        )
    return None


def _wrong(_run: Run, _rule: Rule, figures: Figures) -> _Decision | None:
    wrong = figures.errors_of(MISMATCH)
    if not wrong:
        return None
    return (
        Outcome.FAIL,
        f"{wrong} of {figures.count} answers did not hold what had been written",
        "Speed does not matter until this is right: see the example below.",
    )


def _too_little(_run: Run, rule: Rule, figures: Figures) -> _Decision | None:
    if figures.count >= rule.min_samples and figures.seconds >= rule.min_seconds:
        return None
    return (
        Outcome.INCONCLUSIVE,
        (
            f"no verdict: {figures.count} samples over {figures.seconds:.1f} s; "
            f"{rule.min_samples} over {rule.min_seconds:g} s are needed"
        ),
        "Run longer or at a higher rate.",
    )


def _too_many_failed(_run: Run, rule: Rule, figures: Figures) -> _Decision | None:
    if figures.failed <= rule.max_failed_share * figures.count:
        return None
    kind, count, _ = figures.errors[0]
    return (
        Outcome.FAIL,
        (
            f"{figures.failed} of {figures.count} requests failed "
            f"({figures.failed / figures.count:.1%}; {rule.max_failed_share:.0%} is allowed), "
            f"{count} with {kind}"
        ),
        "Fix the errors first: see the examples below.",
    )


def _too_slow(_run: Run, rule: Rule, figures: Figures) -> _Decision | None:
    if figures.slow_bounds[0] <= rule.slow_limit:
        return None
    late = figures.lateness_p95 > rule.max_lateness_ms
    if late and figures.slow_when_sent < rule.slow_limit * figures.count:
        return (
            Outcome.INCONCLUSIVE,
            (
                f"no verdict: the load generator was late (p95 {figures.lateness_p95:.0f} ms), "
                "and without its delay the target keeps the budget"
            ),
            "Run on an idle machine, or spread the load with --processes.",
        )
    return (
        Outcome.FAIL,
        (
            f"p95 is {_time(figures.p95)}, not below {rule.budget_ms:g} ms: "
            f"{figures.slow_share:.1%} of {figures.count} requests were slow or failed"
        ),
        "Compare the tools and the Server-Timing of the slowest requests below.",
    )


def _fast_enough(_run: Run, rule: Rule, figures: Figures) -> _Decision | None:
    if figures.slow_bounds[1] >= rule.slow_limit:
        return None
    share = figures.rate_sent / figures.rate_intended if figures.rate_intended else 0.0
    if share < rule.min_rate_share:
        return (
            Outcome.INCONCLUSIVE,
            (
                f"no verdict: the load generator sent {figures.rate_sent:.1f} requests/s of the "
                f"{figures.rate_intended:.1f} intended"
            ),
            "Run on an idle machine, lower the rate, or spread the load with --processes.",
        )
    return (
        Outcome.PASS,
        (
            f"p95 is {_time(figures.p95)}, below {rule.budget_ms:g} ms: "
            f"{figures.slow_share:.1%} of {figures.count} requests were slow or failed"
        ),
        "",
    )


def _between(rule: Rule, figures: Figures) -> _Decision:
    low, high = figures.slow_bounds
    return (
        Outcome.INCONCLUSIVE,
        (
            f"no verdict: {figures.slow_share:.1%} of {figures.count} requests were slow or "
            f"failed, too close to {rule.slow_limit:.0%} to tell after so many "
            f"({low:.1%} to {high:.1%})"
        ),
        f"A run of about {samples_to_decide(rule, figures)} samples would decide.",
    )


def samples_to_decide(rule: Rule, figures: Figures) -> int:
    """Estimate the samples after which the interval leaves the limit, were the share true.

    Normal approximation, capped at 20 000: beyond that the service is at its limit.
    """
    share = figures.slow_share
    distance = abs(share - rule.slow_limit)
    cap = 20_000
    if distance == 0:
        return cap
    z = 1.645  # of 95 %, one-sided
    return min(cap, max(rule.min_samples, math.ceil(z * z * share * (1 - share) / distance**2)))


def _time(milliseconds: float) -> str:
    return f"{milliseconds:.1f} ms" if math.isfinite(milliseconds) else "a failed request"
