"""What becomes of what a check raises."""

import asyncio

import httpx
import pytest

from support.harness_fakes import KEY, CheckBody, a_check, a_deployment
from toolbridge_harness import runner
from toolbridge_harness.model import Outcome, Vantage
from toolbridge_harness.progress import PlainProgress
from toolbridge_harness.runner import Run, run_check, run_checks
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import (
    Advisory,
    ControlFailed,
    NotApplicable,
    Untestable,
    Violation,
)


def _raises(error: Exception) -> CheckBody:
    async def run(target: Target, caller: Caller) -> None:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Violation("a", "b"), Outcome.FAIL),
        (Advisory("a", "b"), Outcome.WARNING),
        (Untestable("no"), Outcome.UNTESTABLE),
        (ControlFailed("no"), Outcome.UNTESTABLE),
        (NotApplicable("no"), Outcome.NOT_APPLICABLE),
        (KeyError("uid"), Outcome.ERROR),
        (TimeoutError(), Outcome.ERROR),
        (AssertionError(), Outcome.ERROR),
    ],
)
async def test_what_is_raised_decides_the_outcome(error: Exception, outcome: Outcome) -> None:
    """A violation is the target's; anything unforeseen is ours."""
    result = await run_check(a_check(run=_raises(error)), a_deployment(), seed=1)

    assert outcome is result.outcome


async def test_returning_is_a_pass() -> None:
    """A check that raises nothing passed."""
    assert Outcome.PASS is (await run_check(a_check(), a_deployment(), seed=1)).outcome


@pytest.mark.parametrize(("seconds", "outcome"), [(None, Outcome.FAIL), (30, Outcome.PASS)])
async def test_a_check_has_as_long_as_it_declares(
    seconds: float | None, outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past the runner's bound it fails, unless it declared more."""
    monkeypatch.setattr(runner, "CHECK_SECONDS", 0.01)

    async def run(target: Target, caller: Caller) -> None:
        await asyncio.sleep(0.1)

    result = await run_check(a_check(run=run, seconds=seconds), a_deployment(), seed=1)
    assert outcome is result.outcome


async def test_a_missing_vantage_does_not_run_the_check() -> None:
    """Without what it needs, a check does not apply, and says what is missing."""
    declared = a_check(
        run=_raises(KeyError("must not run")), needs=frozenset({Vantage.UPSTREAM, Vantage.LOGS})
    )
    result = await run_check(declared, a_deployment(), seed=1)

    assert (Outcome.NOT_APPLICABLE, "needs logs, upstream") == (result.outcome, result.detail)


async def test_no_answer_is_a_failure_of_the_target() -> None:
    """A request that times out is a violation, with the exchange kept."""

    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow", request=request)

    async def run(target: Target, caller: Caller) -> None:
        await caller.control()

    result = await run_check(a_check(run=run), a_deployment(silent), seed=1)

    assert Outcome.FAIL is result.outcome
    assert result.unanswered
    assert "no answer: ReadTimeout" == result.exchanges[-1].response


async def test_no_connection_is_untestable() -> None:
    """A target that can't be reached says nothing about the claim."""

    def refused(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    async def run(target: Target, caller: Caller) -> None:
        await caller.control()

    result = await run_check(a_check(run=run), a_deployment(refused), seed=1)

    assert Outcome.UNTESTABLE is result.outcome


async def test_results_hold_no_secret() -> None:
    """Neither the key nor a token gets into a result."""
    tokens: list[str] = []

    async def run(target: Target, caller: Caller) -> None:
        await caller.call("list_notes")
        tokens.append(caller.token or "")
        raise Violation(f"not {KEY}", f"Bearer {caller.token}")

    result = await run_check(a_check(run=run), a_deployment(), seed=1)

    assert tokens[0] not in repr(result)
    assert KEY not in repr(result)
    assert "Bearer <token>" == result.actual


async def test_the_seed_decides_the_order() -> None:
    """The same seed runs the checks in the same order, another seed in another."""
    orders: list[list[str]] = []
    for seed in (1, 1, 2):
        ran: list[str] = []

        async def run(target: Target, caller: Caller, ran: list[str] = ran) -> None:
            ran.append(target.check)

        checks = [a_check(f"demo-n{n}", run=run) for n in range(8)]
        await run_checks(
            Run(checks), a_deployment(), seed=seed, jobs=1, seconds=5, progress=PlainProgress()
        )
        orders.append(ran)

    assert orders[0] == orders[1]
    assert orders[0] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2])


async def test_a_check_that_needs_to_be_alone_is_alone() -> None:
    """Nothing else runs while a check that asked for it is running."""
    running: set[str] = set()
    seen: list[set[str]] = []

    async def run(target: Target, caller: Caller) -> None:
        running.add(target.check)
        await asyncio.sleep(0)
        if target.check == "demo-alone":
            seen.append(set(running))
        running.discard(target.check)

    checks = [a_check(f"demo-n{n}", run=run) for n in range(4)]
    checks.append(a_check("demo-alone", run=run, alone=True))
    await run_checks(
        Run(checks), a_deployment(), seed=1, jobs=4, seconds=5, progress=PlainProgress()
    )

    assert [{"demo-alone"}] == seen


async def test_the_deadline_ends_a_run_and_says_so() -> None:
    """At the deadline, what has not run is untestable for that reason."""

    async def run(target: Target, caller: Caller) -> None:
        await asyncio.Event().wait()

    run_state = Run([a_check(run=run)])
    await run_checks(
        run_state, a_deployment(), seed=1, jobs=1, seconds=0.05, progress=PlainProgress()
    )

    assert run_state.cut_short is not None
    assert "deadline of 0.05 s" in run_state.cut_short.headline
    assert Outcome.UNTESTABLE is run_state.results["demo-holds"].outcome


async def test_callers_are_never_the_same() -> None:
    """Two runs with the same seed act as different users."""
    subs = set()
    for _ in range(2):

        async def run(target: Target, caller: Caller) -> None:
            subs.add(caller.sub)

        await run_check(a_check(run=run), a_deployment(), seed=1)

    assert 2 == len(subs)
