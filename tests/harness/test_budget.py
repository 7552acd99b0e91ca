"""A run sends no more requests than its budget, what it needs to clean up included."""

import httpx
import pytest

from support.harness_fakes import a_check, a_deployment
from toolbridge_harness.budget import Budget, BudgetSpent
from toolbridge_harness.courtesy import Courtesy
from toolbridge_harness.model import Outcome
from toolbridge_harness.progress import PlainProgress
from toolbridge_harness.runner import Run, run_checks
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import NoAnswer


def test_what_is_reserved_cannot_be_spent() -> None:
    """Of five requests with two kept back, three can be sent, and the two when they are due."""
    budget = Budget(5, reserved=2)
    for _ in range(3):
        budget.spend()

    with pytest.raises(BudgetSpent, match="budget of 5 requests"):
        budget.spend()
    assert budget.used_up.is_set()
    budget.release(2)
    budget.spend()
    budget.spend()
    assert 5 == budget.spent


def test_a_request_that_needs_another_later_is_not_sent_without_room_for_both() -> None:
    """A create whose deletion would not fit any more is not sent, and costs nothing."""
    budget = Budget(2)
    budget.spend()

    with pytest.raises(BudgetSpent):
        budget.spend(reserve=1)
    assert (1, 0) == (budget.spent, budget.reserved)


def test_without_a_limit_everything_may_be_sent() -> None:
    """A target of the harness's own has no budget."""
    budget = Budget()
    for _ in range(10_000):
        budget.spend()

    assert not budget.used_up.is_set()


async def _run(limit: int, checks: int) -> tuple[Run, int]:
    """Run checks of three requests each; return the run and how many requests were sent."""
    sent = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal sent
        sent += 1
        return httpx.Response(200)

    async def run(target: Target, caller: Caller) -> None:
        for _ in range(3):
            await caller.call("list_notes")

    state = Run([a_check(f"demo-n{n}", run=run) for n in range(checks)])
    deployment = a_deployment(answer, courtesy=Courtesy(budget=Budget(limit)))
    await run_checks(state, deployment, seed=1, jobs=1, seconds=5, progress=PlainProgress())
    return state, sent


async def test_a_used_up_budget_ends_the_run_and_names_itself() -> None:
    """Not one request more is sent, and the rest is untestable for that one reason."""
    run, sent = await _run(limit=7, checks=4)

    assert 7 == sent
    assert run.cut_short is not None
    assert "the run has used up its budget of 7 requests" == run.cut_short.headline
    assert "--budget 14" in run.cut_short.remedy
    assert 2 == sum(result.outcome is Outcome.PASS for result in run.results.values())
    assert {"run-budget"} == {r.cause for r in run.results.values() if r.red}
    assert 4 == len(run.results)


async def test_a_budget_that_is_just_enough_is_enough() -> None:
    """A run that needs all of its budget is complete."""
    run, sent = await _run(limit=12, checks=4)

    assert (12, None) == (sent, run.cut_short)


async def test_a_target_that_gave_no_answer_is_not_excused_by_the_budget() -> None:
    """What failed before the budget was used up stays the target's failure."""

    async def run(target: Target, caller: Caller) -> None:
        if target.check == "demo-silent":
            raise NoAnswer("an answer", "none")
        while True:
            await caller.call("list_notes")

    state = Run([a_check("demo-silent", run=run), a_check("demo-busy", run=run)])
    deployment = a_deployment(courtesy=Courtesy(budget=Budget(5)))
    await run_checks(state, deployment, seed=1, jobs=2, seconds=5, progress=PlainProgress())

    assert ("", "run-budget") == (
        state.results["demo-silent"].cause,
        state.results["demo-busy"].cause,
    )
