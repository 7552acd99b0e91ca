"""`python tests/mutation`: every mutant of the proxy's source before the proxy's own tests.

Prints what survives and a summary per module; exit code 1 when a target is missed, a survivor
is not in `explained.toml`, or one that is there was killed after all; 2 when the tests fail
on the unchanged proxy.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parents[1]))

from mutation.bench import Bench, Verdict
from mutation.explained import explained
from mutation.scoring import TARGETS, Score, score
from mutation.source_mutants import Key, SourceMutant, mutants_of
from mutation.telling import Fate

# The files whose tests can tell; of these, a mutant meets the tests that run its function.
JUDGES = {
    "tokens": ("token_edges", "tokens", "jwks"),
    "signing": ("signing",),
    "sessions": ("session_edges", "sessions"),
    "upstream": ("upstream_sending", "upstream_answers"),
}
# Two processes keep two cores busy.
JOBS = 2
PROGRESS_EVERY = 50


@click.command()
@click.argument("modules", nargs=-1, type=click.Choice(list(JUDGES)))
@click.option("--only", default="", metavar="TEXT", help="Only mutants whose line has this text.")
@click.option("--jobs", default=JOBS, show_default=True, type=click.IntRange(1, 16))
def main(modules: Sequence[str], only: str, jobs: int) -> None:
    """Judge the mutants of the proxy's MODULEs: tokens, signing, sessions, upstream."""
    chosen = list(dict.fromkeys(modules)) or list(JUDGES)
    mutants = [m for module in chosen for m in mutants_of(module) if only in str(m.key)]
    if not mutants:
        raise click.UsageError(f"no mutant's line has {only!r} in it")
    listed = {row.key for row in explained()}
    verdicts: list[Verdict] = []

    def work(bench: Bench) -> None:
        click.echo(f"{len(bench.known.seconds)} tests pass on the unchanged proxy")
        verdicts.extend(_settled(bench, mutants, listed, jobs))

    click.echo(f"{len(mutants)} mutants, {jobs} at a time")
    judges = [f"tests/proxy/test_{file}.py" for module in chosen for file in JUDGES[module]]
    bench = Bench(judges, chosen, work)
    code = bench.open()
    if bench.known.failed or code:
        click.echo(f"the tests fail on the unchanged proxy: {bench.known.failed or code}")
        sys.exit(2)
    sys.exit(_summary([score(module, verdicts, listed) for module in chosen]))


def _settled(
    bench: Bench, mutants: Sequence[SourceMutant], listed: set[Key], jobs: int
) -> Iterator[Verdict]:
    """Yield the verdicts; what load on the machine could have spoilt is judged again, alone."""
    again, since = [], time.monotonic()
    for count, verdict in enumerate(bench.judge(mutants, jobs), start=1):
        if count % PROGRESS_EVERY == 0:
            click.echo(f"{count:>4}/{len(mutants)}  {time.monotonic() - since:4.0f} s")
        late = verdict.fate is Fate.TIMED_OUT
        if late or (verdict.fate is Fate.KILLED and verdict.mutant.key in listed):
            again.append(verdict.mutant)
            continue
        if verdict.fate is Fate.SURVIVED and verdict.mutant.key not in listed:
            click.echo(f"survived   {verdict.mutant.key}")
        yield verdict
    if again:
        click.echo(f"{len(again)} again, one at a time")
    for verdict in bench.judge(again, jobs=1):
        click.echo(f"{verdict.fate:<10} {verdict.mutant.key}")
        yield verdict


def _summary(scores: Sequence[Score]) -> int:
    for one in scores:
        click.echo(f"{one}{'' if one.enough else f'  (target {TARGETS[one.module]:.0%})'}")
        for key in one.survived:
            click.echo(f"    survived, and explained.toml does not say why: {key}")
        for key in one.killed_after_all:
            click.echo(f"    in explained.toml, but a test kills it: {key}")
    return 0 if all(one.enough for one in scores) else 1


if __name__ == "__main__":
    main()
