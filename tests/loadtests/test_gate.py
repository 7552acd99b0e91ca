"""The verdict: what passes, what fails, what has no verdict, and that nothing can buy a pass."""

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.load_samples import mixed, run, samples
from toolbridge_loadtests.figures import measure
from toolbridge_loadtests.gate import Outcome, judge, samples_to_decide
from toolbridge_loadtests.samples import MISMATCH, Rule, Run

RULE = Rule()
# Mostly fast, some slow, some failed: every outcome occurs.
LATENCY = st.one_of(st.floats(1, 199), st.floats(1, 199), st.floats(150, 400), st.none())


@st.composite
def runs(draw: st.DrawFn) -> Run:
    count = draw(st.integers(1, 400))
    slow = draw(st.integers(0, count // 8))
    pool = draw(st.lists(LATENCY, min_size=1, max_size=6))
    latencies: list[float | None] = [20.0] * count
    for number in range(slow):
        latencies[number] = pool[number % len(pool)]
    return run(latencies, seconds=draw(st.sampled_from([5.0, 40.0])))


@pytest.mark.parametrize(
    ("slow", "outcome"),
    [
        (0, Outcome.PASS),
        (8, Outcome.PASS),
        (9, Outcome.INCONCLUSIVE),
        (15, Outcome.INCONCLUSIVE),
        (21, Outcome.INCONCLUSIVE),
        (22, Outcome.FAIL),
        (299, Outcome.FAIL),
    ],
)
def test_300_samples_pass_with_8_slow_ones_and_fail_with_22(slow: int, outcome: Outcome) -> None:
    """Between the bounds a run has no verdict."""
    assert outcome is judge(run(mixed(slow, 300)), RULE).outcome


@pytest.mark.parametrize(
    ("milliseconds", "outcome"),
    [(199.999, Outcome.PASS), (200.0, Outcome.FAIL), (200.001, Outcome.FAIL)],
)
def test_exactly_200_ms_is_not_below_200_ms(milliseconds: float, outcome: Outcome) -> None:
    """No rounding: Locust's bucket of 200 reaches from 195 to 205."""
    assert outcome is judge(run([milliseconds] * 300), RULE).outcome


def test_a_verdict_needs_300_samples() -> None:
    """One less has no verdict, however fast."""
    assert Outcome.INCONCLUSIVE is judge(run([5.0] * 299), RULE).outcome


@pytest.mark.parametrize(
    ("seconds", "outcome"), [(29.9, Outcome.INCONCLUSIVE), (30.0, Outcome.PASS)]
)
def test_a_verdict_needs_30_seconds(seconds: float, outcome: Outcome) -> None:
    """Many samples in a short time cannot stand in for time."""
    assert outcome is judge(run([5.0] * 3000, seconds=seconds), RULE).outcome


def test_failures_count_as_infinitely_slow() -> None:
    """Twenty quick refusals in a hundred answers make p95 a failed request."""
    verdict = judge(run(mixed(60, 300, slow_ms=None)), RULE)

    assert Outcome.FAIL is verdict.outcome
    assert math.inf == verdict.figures.p95
    assert verdict.figures.slow == 60


def test_more_than_1_percent_failures_fail_though_p95_holds() -> None:
    """p95 alone would let one request in twenty fail."""
    allowed = judge(run(mixed(10, 1000, slow_ms=None)), RULE)
    refused = judge(run(mixed(11, 1000, slow_ms=None)), RULE)

    assert (allowed.outcome, refused.outcome) == (Outcome.PASS, Outcome.FAIL)
    assert refused.headline.startswith("11 of 1000 requests failed (1.1%; 1% is allowed)")


def test_one_answer_with_other_content_fails() -> None:
    """What was read back has to be what was written, at any speed."""
    one = samples([5.0] * 299 + [None], error=MISMATCH)

    verdict = judge(Run(samples=one), RULE)

    assert Outcome.FAIL is verdict.outcome
    assert verdict.headline == "1 of 300 answers did not hold what had been written"


def test_nothing_was_measured_when_every_request_failed() -> None:
    """A target that refuses everybody quickly is not fast."""
    verdict = judge(run([None] * 300), RULE)

    assert Outcome.UNMEASURED is verdict.outcome
    assert verdict.headline == "nothing was measured: all 300 requests failed, 300 with HTTP 500"


def test_nothing_was_measured_without_a_request() -> None:
    """An empty run is red."""
    verdict = judge(run([]), RULE)

    assert (verdict.outcome, verdict.exit_code) == (Outcome.UNMEASURED, 1)


def test_an_unreachable_target_is_named_first() -> None:
    """What the preflight found is the headline."""
    verdict = judge(run([], unreachable="https://x/mcp: connection refused"), RULE)

    assert verdict.headline == "nothing was measured: https://x/mcp: connection refused"


def test_a_load_that_was_not_sent_passes_nothing() -> None:
    """A generator that skips one request in ten has tested something easier."""
    verdict = judge(run([5.0] * 300, missed=33), RULE)

    assert Outcome.INCONCLUSIVE is verdict.outcome
    assert "sent 5.0 requests/s of the 5.5 intended" in verdict.headline


def test_samples_that_never_arrived_pass_nothing() -> None:
    """The slowest answers come last, so they are the ones that are missing."""
    verdict = judge(run([5.0] * 300, lost_workers=1), RULE)

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.headline == "no verdict: the last samples of 1 workers are missing"


def late(latency: float, lateness: float) -> Run:
    """A run whose requests were sent late; the latency includes the delay."""
    made = run([latency] * 300)
    return replace(made, samples=[s._replace(lateness=lateness) for s in made.samples])


def test_a_late_generator_is_not_the_targets_fault() -> None:
    """Without the generator's own delay the target keeps the budget: no verdict, still red."""
    verdict = judge(late(250.0, 100.0), RULE)

    assert (verdict.outcome, verdict.exit_code) == (Outcome.INCONCLUSIVE, 1)
    assert "generator was late" in verdict.headline


def test_a_late_generator_excuses_no_slow_target() -> None:
    """A target that is slow from the moment of sending fails all the same."""
    assert Outcome.FAIL is judge(late(320.0, 100.0), RULE).outcome


def test_a_late_generator_does_not_spoil_a_pass() -> None:
    """Lateness only adds to latency, so a pass in spite of it is one."""
    assert Outcome.PASS is judge(late(120.0, 100.0), RULE).outcome


@pytest.mark.parametrize("outcome", list(Outcome))
def test_only_a_pass_exits_with_0(outcome: Outcome) -> None:
    """No verdict is as red as a fail."""
    verdict = replace(judge(run([]), RULE), outcome=outcome)

    assert (0 if outcome is Outcome.PASS else 1) == verdict.exit_code


@given(made=runs(), data=st.data())
def test_making_a_request_slower_never_buys_a_pass(made: Run, data: st.DataObject) -> None:
    """The verdict is monotone in every latency."""
    number = data.draw(st.integers(0, len(made.samples) - 1))
    sample = made.samples[number]
    slower = list(made.samples)
    extra = data.draw(st.floats(0, 1000))
    slower[number] = sample._replace(milliseconds=sample.milliseconds + extra)

    after = judge(replace(made, samples=slower), RULE).outcome

    assert after is not Outcome.PASS or judge(made, RULE).outcome is Outcome.PASS


@given(made=runs(), data=st.data())
def test_a_failure_never_buys_a_pass(made: Run, data: st.DataObject) -> None:
    """However quickly it failed."""
    number = data.draw(st.integers(0, len(made.samples) - 1))
    failed = list(made.samples)
    failed[number] = failed[number]._replace(milliseconds=0.1, error="HTTP 401")

    after = judge(replace(made, samples=failed), RULE).outcome

    assert after is not Outcome.PASS or judge(made, RULE).outcome is Outcome.PASS


@given(made=runs())
def test_a_pass_means_that_p95_is_below_the_budget(made: Run) -> None:
    """And that fewer than 5 % were slow; a failure for slowness means the opposite."""
    verdict = judge(made, RULE)
    figures = verdict.figures

    if verdict.outcome is Outcome.PASS:
        assert figures.p95 < RULE.budget_ms
        assert figures.slow_share < 0.05
    if verdict.headline.startswith("p95 is") and verdict.outcome is Outcome.FAIL:
        assert figures.p95 >= RULE.budget_ms


@given(made=runs())
def test_p95_is_below_the_budget_as_long_as_at_most_5_percent_are_slow(made: Run) -> None:
    """The two ways to say it agree for every run (nearest rank)."""
    figures = measure(made, RULE)

    assert (figures.p95 < RULE.budget_ms) == (100 * figures.slow <= 5 * figures.count)


@given(made=runs(), seed=st.integers())
def test_the_order_in_which_samples_arrive_changes_nothing(made: Run, seed: int) -> None:
    """Workers report in any order."""
    shuffled = list(made.samples)
    random.Random(seed).shuffle(shuffled)

    assert measure(made, RULE) == measure(replace(made, samples=shuffled), RULE)


def test_a_run_between_the_bounds_says_how_long_one_would_decide() -> None:
    """At 4 % slow it takes more samples than at 3 %, and at 5 % no number helps."""
    needed = [
        samples_to_decide(RULE, measure(run(mixed(slow, 1000)), RULE)) for slow in (30, 40, 50)
    ]

    assert needed == [300, 1040, 20_000]


def test_a_rehearsal_needs_80_samples_over_3_seconds() -> None:
    """It judges by the same bounds."""
    rule = Rule.for_rehearsal(200.0)

    outcomes = [
        judge(run(latencies, seconds=4), rule).outcome
        for latencies in ([5.0] * 80, [300.0] * 80, [5.0] * 79)
    ]

    assert outcomes == [Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE]


def test_errors_are_counted_by_kind_with_an_example() -> None:
    """The most frequent kind comes first."""
    made = [*samples([5.0] * 10), *samples([None] * 2), *samples([None], error="HTTP 429")]

    assert (measure(Run(samples=made), RULE).errors) == (
        ("HTTP 500", 2, "the server is ill"),
        ("HTTP 429", 1, "the server is ill"),
    )


def test_every_tool_has_a_row_of_its_own() -> None:
    """A slow tool shows though the whole is fast."""
    rows = measure(run([5.0, 300.0] * 10), RULE).tools

    assert [(row.tool, row.samples, row.slow) for row in rows] == [
        ("create_note", 10, 0),
        ("get_note", 10, 10),
    ]
