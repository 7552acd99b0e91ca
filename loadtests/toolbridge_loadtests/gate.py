"""The verdict on a load test, from raw samples. Pure: no Locust, no clock, no files.

p95 < 200 ms means that fewer than 5 % of the requests took 200 ms or longer or failed: a failed
request is infinitely slow, and exactly 200.0 ms is not below 200. A run is one sample of what
the service does, so the share of slow requests is judged by its exact bounds (Clopper-Pearson,
95 % each): an upper bound below 5 % passes, a lower bound above 5 % fails, and a run between
them has no verdict; it says how long a run would decide. Deciding by the point estimate would
turn a service that just misses its target green every second time; so it happens once in 20.
"""

import math
from dataclasses import dataclass, field
from enum import StrEnum

from toolbridge_loadtests.figures import Figures, measure
from toolbridge_loadtests.samples import MISMATCH, Rule, Run


class Outcome(StrEnum):
    """The four ways in which a load test ends."""

    PASS = "pass"  # noqa: S105 - an outcome, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    UNMEASURED = "nothing was measured"


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


def _fast_enough(run: Run, rule: Rule, figures: Figures) -> _Decision | None:
    if figures.slow_bounds[1] >= rule.slow_limit:
        return None
    if run.lost_workers:
        return (
            Outcome.INCONCLUSIVE,
            f"no verdict: the last samples of {run.lost_workers} workers are missing",
            "Look for what ended them, and run again.",
        )
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
