"""`python tests/mutate.py`: every mutant against the checks of its rows, survivors first.

Prints a line per mutant and a summary; exit code 1 when a mutant that can be noticed was not
killed by a check of its rows, or when fewer first causes were right than the suite promises.
A run that is stopped goes on where it was. What has to be run again is decided by the code:
the bug, the checks of its rows, and the proxy.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parent))

from mutants.judging import CONTROL, Fate, Verdict, judge
from mutants.running import run_suite
from mutants.state import State, fingerprint
from mutants.table import Mutant, all_mutants
from toolbridge_harness.model import Check, Profile
from toolbridge_harness.registry import all_checks, select

STATE = Path(".mutants") / "quick.json"
# Two runs keep two cores busy: each is mostly a proxy that starts.
JOBS = 2
# How many first causes must be right among the killed mutants.
CAUSES_RIGHT = 0.95


@click.command()
@click.argument("names", nargs=-1, metavar="[MUTANT]...")
@click.option("--changed", is_flag=True, help="Only those whose code changed since they were run.")
@click.option("--fresh", is_flag=True, help="Forget earlier runs.")
@click.option("--jobs", default=JOBS, show_default=True, type=click.IntRange(1, 16))
def main(names: Sequence[str], changed: bool, fresh: bool, jobs: int) -> None:
    """Run the mutants: all of them, or those named."""
    if fresh:
        STATE.unlink(missing_ok=True)
    state = State(STATE)
    chosen = _chosen(names)
    known = {} if names else _known(chosen, state)
    todo = [mutant for mutant in chosen if mutant.id not in known]
    todo.sort(key=lambda mutant: (not state.was_wrong(mutant.id), mutant.id))
    click.echo(f"{len(chosen)} mutants, {len(todo)} to run, {jobs} at a time")
    fresh_verdicts = asyncio.run(_run(todo, state, jobs))
    verdicts = fresh_verdicts if changed else [*known.values(), *fresh_verdicts]
    sys.exit(_summary(verdicts))


def _chosen(names: Sequence[str]) -> list[Mutant]:
    mutants = all_mutants()
    unknown = [name for name in names if name not in mutants]
    if unknown:
        raise click.UsageError(f"there is no mutant {unknown[0]!r}")
    return [mutants[name] for name in names] if names else list(mutants.values())


def checks_for(mutant: Mutant) -> list[Check]:
    """Return the checks that name its rows, the controls and the smoke profile."""
    rows = set(mutant.rows)
    named = [c for c in all_checks().values() if rows & set(c.catalogue) or c.id == mutant.cause]
    smoke = select(Profile.SMOKE)
    return list({c.id: c for c in [all_checks()[CONTROL], *smoke, *named]}.values())


def _known(chosen: Sequence[Mutant], state: State) -> dict[str, Verdict]:
    found = {m.id: state.get(m.id, fingerprint(m, checks_for(m))) for m in chosen}
    return {name: verdict for name, verdict in found.items() if verdict is not None}


async def _run(todo: Sequence[Mutant], state: State, jobs: int) -> list[Verdict]:
    free, verdicts = asyncio.Semaphore(jobs), []

    async def one(mutant: Mutant) -> None:
        async with free:
            checks = checks_for(mutant)
            options = [word for check in checks for word in ("--only", check.id)]
            report, seconds = await run_suite(mutant.id, options)
            verdict = judge(mutant, report, seconds)
            state.put(verdict, fingerprint(mutant, checks))
            verdicts.append(verdict)
            click.echo(f"{len(verdicts):>4}/{len(todo)}  {_line(verdict, mutant)}")

    async with asyncio.TaskGroup() as group:
        for mutant in todo:
            group.create_task(one(mutant))
    return verdicts


def _line(verdict: Verdict, mutant: Mutant) -> str:
    told = f"{verdict.fate:<8} {verdict.seconds:5.1f} s  {mutant.id}: {mutant.bug}"
    if verdict.fate is Fate.KILLED and verdict.cause_right:
        return told
    if verdict.fate is Fate.KILLED:
        return f"{told}\n           first cause {verdict.cause}, should be {mutant.cause}"
    if verdict.as_it_should_be:
        return told
    return f"{told}\n           red: {', '.join(verdict.red) or 'nothing'}"


def _summary(verdicts: Sequence[Verdict]) -> int:
    fates = Counter(verdict.fate for verdict in verdicts)
    click.echo(", ".join(f"{count} {fate}" for fate, count in sorted(fates.items())) or "none ran")
    killed = [verdict for verdict in verdicts if verdict.fate is Fate.KILLED]
    right = sum(verdict.cause_right for verdict in killed)
    if killed:
        click.echo(f"first cause right: {right} of {len(killed)} ({right / len(killed):.1%})")
    lost = len(verdicts) - len(killed) - fates[Fate.SPARED]
    return 1 if lost or right < CAUSES_RIGHT * len(killed) else 0


if __name__ == "__main__":
    main()
