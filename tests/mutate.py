"""`python tests/mutate.py`: every mutant against the checks of its rows, survivors first.

Prints a line per mutant and a summary; exit code 1 when a mutant that can be noticed was not
killed by a check of its rows, or when fewer first causes were right than the suite promises.
With --variants the correct proxies that are built differently; exit code 1 when one is red.
With --full both, against every check of the gate and of the profile full: docs/mutants.md.
Proxies are forked from one that has its imports behind it, unless --real-starts is given.
A run that is stopped goes on where it was. What has to be run again is decided by the code:
the bug, the checks of its rows, and the proxy.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import click

sys.path.insert(0, str(Path(__file__).parent))

from mutants import matrix_command
from mutants.full import STORE as MATRIX
from mutants.judging import Fate, Verdict, judge
from mutants.matrix_counts import CAUSES_RIGHT
from mutants.running import launcher, run_mutant
from mutants.selection import checks_for
from mutants.state import State, fingerprint
from mutants.table import Mutant, all_mutants, all_variants
from mutants.variants import known_green, run_variants
from toolbridge_harness.model import Profile

STATE = Path(".mutants") / "quick.json"
# Two runs keep two cores busy: each is mostly a proxy that starts.
JOBS = 2

T = TypeVar("T")


@click.command()
@click.argument("names", nargs=-1, metavar="[MUTANT]...")
@click.option("--variants", is_flag=True, help="Run correct proxies that are built differently.")
@click.option("--only", multiple=True, metavar="CHECK", help="With --variants: only this check.")
@click.option(
    "--profile",
    type=click.Choice([profile.value for profile in Profile]),
    default=Profile.GATE.value,
    show_default=True,
    help="With --variants: the checks that are run.",
)
@click.option("--changed", is_flag=True, help="Only those whose code changed since they were run.")
@click.option("--fresh", is_flag=True, help="Forget earlier runs.")
@click.option("--jobs", default=JOBS, show_default=True, type=click.IntRange(1, 16))
@click.option("--real-starts", is_flag=True, help="Import anew at each start, instead of forking.")
@click.option("--full", is_flag=True, help="Bring the matrix of mutants and checks up to date.")
@click.option("--pages", "show", flag_value="pages", help="Write the pages of the matrix again.")
@click.option("--alone", "show", flag_value="alone", help="List grave checks that kill none alone.")
@click.option(
    "--store",
    default=MATRIX,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the matrix in another file than docs/mutants.json.",
)
def main(
    names: Sequence[str],
    variants: bool,
    only: Sequence[str],
    profile: str,
    changed: bool,
    fresh: bool,
    jobs: int,
    real_starts: bool,
    full: bool,
    show: str | None,
    store: Path,
) -> None:
    """Run the mutants, or the variants: all of them, or those named."""
    if show:
        sys.exit(matrix_command.show(store, pages=show == "pages"))
    click.get_current_context().with_resource(launcher(real_starts))
    if full and (only or changed or profile != Profile.GATE):
        raise click.UsageError("--full runs every check, and what has changed, by itself")
    if full:
        sys.exit(matrix_command.run(store, names, variants, fresh, jobs))
    if variants and not changed:
        sys.exit(_variants(names, only, profile, fresh, jobs))
    if variants or only or profile != Profile.GATE:
        raise click.UsageError("--only and --profile are for --variants, --changed for mutants")
    sys.exit(_mutants(names, changed, fresh, jobs))


def _mutants(names: Sequence[str], changed: bool, fresh: bool, jobs: int) -> int:
    if fresh:
        STATE.unlink(missing_ok=True)
    state = State(STATE)
    chosen = _chosen(all_mutants(), names, "mutant")
    known = {} if names else _known(chosen, state)
    todo = [mutant for mutant in chosen if mutant.id not in known]
    todo.sort(key=lambda mutant: (not state.was_wrong(mutant.id), mutant.id))
    click.echo(f"{len(chosen)} mutants, {len(todo)} to run, {jobs} at a time")
    fresh_verdicts = asyncio.run(_run(todo, state, jobs))
    return _summary(fresh_verdicts if changed else [*known.values(), *fresh_verdicts])


def _variants(
    names: Sequence[str], only: Sequence[str], profile: str, fresh: bool, jobs: int
) -> int:
    chosen = _chosen(all_variants(), names, "variant")
    green = set() if names or only or fresh else known_green(chosen, profile)
    todo = [variant for variant in chosen if variant.id not in green]
    click.echo(f"{len(chosen)} variants, {len(todo)} to run, {jobs} at a time")
    stays = asyncio.run(run_variants(todo, only, profile, jobs, click.echo))
    red = sum(bool(stay.red) for stay in stays)
    click.echo(f"{len(chosen) - red} green, {red} red")
    return 1 if red else 0


def _chosen(table: Mapping[str, T], names: Sequence[str], what: str) -> list[T]:
    unknown = [name for name in names if name not in table]
    if unknown:
        raise click.UsageError(f"there is no {what} {unknown[0]!r}")
    return [table[name] for name in names] if names else list(table.values())


def _known(chosen: Sequence[Mutant], state: State) -> dict[str, Verdict]:
    found = {m.id: state.get(m.id, fingerprint(m, checks_for(m))) for m in chosen}
    return {name: verdict for name, verdict in found.items() if verdict is not None}


async def _run(todo: Sequence[Mutant], state: State, jobs: int) -> list[Verdict]:
    free, verdicts = asyncio.Semaphore(jobs), []
    # Of what the fork servers have read, not of what is edited meanwhile.
    codes = {mutant.id: fingerprint(mutant, checks_for(mutant)) for mutant in todo}

    async def one(mutant: Mutant) -> None:
        async with free:
            checks = checks_for(mutant)
            options = [word for check in checks for word in ("--only", check.id)]
            report, seconds = await run_mutant(mutant.id, options)
            verdict = judge(mutant, report, seconds)
            state.put(verdict, codes[mutant.id])
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
