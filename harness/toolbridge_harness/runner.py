"""Run checks concurrently, each with its own caller, and turn what they raise into results."""

import asyncio
import random
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from toolbridge_contract.control import ControlError
from toolbridge_harness.budget import CAUSE, BudgetSpent
from toolbridge_harness.deployment import Deployment
from toolbridge_harness.model import Cause, Check, Outcome, Result, Vantage
from toolbridge_harness.preflight import died
from toolbridge_harness.progress import Progress
from toolbridge_harness.target import Target
from toolbridge_harness.verdicts import (
    Advisory,
    NoAnswer,
    NotApplicable,
    Unreachable,
    Untestable,
    Violation,
)

# The slowest check waits out one upstream deadline per fault kind; a check that takes longer
# than this is stuck with a target that is.
CHECK_SECONDS = 30.0
# A start costs a core for a second or two; more at a time than cores would only wait.
RESTARTS = 2
# The longest check makes about 100 requests, which polite pacing spreads over 40 s with two jobs.
PACED_CHECK_SECONDS = 150.0


@dataclass
class Run:
    """What a run has found so far; still whole when the run is cut short."""

    checks: Sequence[Check]
    results: dict[str, Result] = field(default_factory=dict)
    cut_short: Cause | None = None

    def finish(self, cause: Cause, *, silence: bool = True) -> None:
        """Mark what did not get its turn (with `silence`, or no answer) as explained by `cause`."""
        self.cut_short = cause
        for name, result in self.results.items():
            if result.red and result.unanswered and silence:
                self.results[name] = replace(result, cause=cause.id)
        for declared in self.checks:
            if declared.id not in self.results:
                self.results[declared.id] = Result(
                    declared.id, Outcome.UNTESTABLE, detail="did not run", cause=cause.id
                )


async def run_checks(
    run: Run,
    deployment: Deployment,
    *,
    seed: int,
    jobs: int,
    seconds: float,
    progress: Progress,
) -> None:
    """Run the checks of `run` in an order that `seed` decides, at most `jobs` at a time.

    Ends early, with the reason in `run.cut_short`, when the proxy's process ends or `seconds`
    are over. Being cancelled leaves the results so far in `run`.
    """
    work = asyncio.create_task(_all(run, deployment, seed, jobs, progress))
    budget = deployment.courtesy.budget
    waited: set[asyncio.Task[object]] = {work, asyncio.create_task(budget.used_up.wait())}
    for process in (deployment.process, deployment.mock_process):
        if process is not None:
            waited.add(asyncio.create_task(process.wait()))
    try:
        await asyncio.wait(waited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waited:
            task.cancel()
        await asyncio.gather(*waited, return_exceptions=True)
    if budget.used_up.is_set():
        # A target that gave no answer owes it, however many requests are left.
        run.finish(budget.cause, silence=False)
    elif work.cancelled():
        run.finish(_why_cut_short(deployment, seconds))
    else:
        work.result()


def mock_gone(how: str) -> Cause:
    """Return the cause for a run that lost its own mock: nothing was learnt about the target."""
    return Cause(
        "run-mock-gone",
        f"the mock Go API behind the proxy is gone: {how}",
        "This is not the target's fault: run again, and look for what ended the mock.",
        (),
    )


def _why_cut_short(deployment: Deployment, seconds: float) -> Cause:
    mock = deployment.mock_process
    if mock is not None and mock.exit_code is not None:
        return mock_gone(f"exit code {mock.exit_code}, {mock.last_words}")
    process = deployment.process
    if process is not None and process.exit_code is not None:
        said = deployment.redactor.clean(process.last_words)
        return died(f"its process ended with exit code {process.exit_code}: {said}")
    return Cause(
        "run-deadline",
        f"the run was stopped at its deadline of {seconds:g} s",
        "Give more time with --deadline, or look at the slowest checks of the report.",
        (),
    )


async def _all(run: Run, deployment: Deployment, seed: int, jobs: int, progress: Progress) -> None:
    order = list(run.checks)
    random.Random(seed).shuffle(order)

    async def one(declared: Check, free: asyncio.Semaphore) -> None:
        async with free:
            result = await run_check(declared, deployment, seed)
        run.results[declared.id] = result
        progress.done(result)

    alone = [declared for declared in order if declared.alone]
    restarting = [d for d in order if not d.alone and Vantage.RESTART in d.needs]
    together = [d for d in order if not d.alone and Vantage.RESTART not in d.needs]
    # Starting a proxy takes a core: the others' answers would be late meanwhile.
    for checks, width in ((together, jobs), (restarting, min(jobs, RESTARTS)), (alone, 1)):
        free = asyncio.Semaphore(width)
        async with asyncio.TaskGroup() as group:
            for declared in checks:
                group.create_task(one(declared, free))


async def run_check(declared: Check, deployment: Deployment, seed: int) -> Result:
    """Run one check and say what became of it. Never raises."""
    missing = declared.needs - deployment.vantages
    if missing:
        names = ", ".join(sorted(missing))
        return Result(declared.id, Outcome.NOT_APPLICABLE, detail=f"needs {names}")
    if declared.capability in deployment.lacks:
        detail = f"the target is declared to lack {declared.capability}"
        return Result(declared.id, Outcome.NOT_APPLICABLE, detail=detail)
    if refusal := deployment.courtesy.refusal(declared):
        return refusal
    target = Target(deployment, declared.id, random.Random(f"{seed}:{declared.id}"))
    started = time.monotonic()
    try:
        found = await _judge(declared, target)
    finally:
        target.close()
    clean = deployment.redactor.clean
    return replace(
        found,
        seconds=time.monotonic() - started,
        expected=clean(found.expected),
        actual=clean(found.actual),
        detail=clean(found.detail),
        exchanges=() if found.outcome is Outcome.PASS else tuple(target.exchanges),
    )


async def _judge(declared: Check, target: Target) -> Result:
    name = declared.id
    usual = CHECK_SECONDS if target.deployment.pace is None else PACED_CHECK_SECONDS
    seconds = max(usual, declared.seconds or 0.0)
    try:
        async with asyncio.timeout(seconds) as bound:
            await declared.run(target, target.caller())
    except (Violation, Advisory) as said:
        outcome = Outcome.FAIL if isinstance(said, Violation) else Outcome.WARNING
        silent = isinstance(said, NoAnswer)
        return Result(name, outcome, expected=said.expected, actual=said.actual, unanswered=silent)
    except BudgetSpent as said:
        return Result(name, Outcome.UNTESTABLE, detail=str(said), cause=CAUSE)
    except Untestable as said:
        silent = isinstance(said, Unreachable)
        return Result(name, Outcome.UNTESTABLE, detail=str(said), unanswered=silent)
    except NotApplicable as said:
        return Result(name, Outcome.NOT_APPLICABLE, detail=str(said))
    except ControlError as error:
        detail = f"the mock Go API did not answer: {error}"
        return Result(name, Outcome.UNTESTABLE, detail=detail, unanswered=True)
    except Exception as error:  # noqa: BLE001 - a bug of ours must not look like the target's
        if isinstance(error, TimeoutError) and bound.expired():
            expected = f"the check to end within {seconds:g} s"
            return Result(name, Outcome.FAIL, expected=expected, actual="it did not")
        return Result(name, Outcome.ERROR, detail=_where(error))
    return Result(name, Outcome.PASS)


def _where(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1]
    return f"{type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})"


def unseen(run: Run) -> dict[frozenset[Vantage], list[str]]:
    """Return the checks that did not apply for want of a vantage, grouped by what is missing."""
    groups: dict[frozenset[Vantage], list[str]] = {}
    by_id = {declared.id: declared for declared in run.checks}
    for result in run.results.values():
        if result.outcome is Outcome.NOT_APPLICABLE and result.detail.startswith("needs "):
            missing = frozenset(
                Vantage(name) for name in result.detail.removeprefix("needs ").split(", ")
            )
            groups.setdefault(missing & by_id[result.check].needs, []).append(result.check)
    return groups
