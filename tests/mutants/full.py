"""`python tests/mutate.py --full`: the gate on every mutant, the profile full on every variant.

What an earlier run found and what still holds is not run again; see freshness.py.
"""

import asyncio
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mutants import matrix
from mutants.freshness import code_of, due, modules
from mutants.judging import Fate
from mutants.matrix import MUTANTS, VARIANTS, Matrix, Row, Suite
from mutants.matrix_counts import counts
from mutants.pace import Pace
from mutants.pages import write_pages
from mutants.rows import merged, row_of
from mutants.running import looks_at_processes, run_mutant, run_suite
from mutants.selection import checks_for, checks_of_matrix, profiles
from mutants.table import Mutant, Variant
from toolbridge_harness.registry import all_checks

ROOT = Path(__file__).parents[2]
STORE = ROOT / "docs" / "mutants.json"
# What is in the repository and decides what a run finds.
CODE = ("proxy", "harness", "contract", "tests")
# A gate run takes 30 s and the profile full two to three minutes; where everything hangs, each
# check waits to its end, eight at a time.
SECONDS = {MUTANTS: 600.0, VARIANTS: 1200.0}
# What a run that is over its deadline needs to say so.
REPORT_SECONDS = 30.0


@dataclass(frozen=True)
class Job:
    """One run: which checks, of which mutant or variant, and the row so far."""

    kind: str
    one: Mutant | Variant
    checks: frozenset[str]
    whole: bool
    code: str
    row: Row | None

    @property
    def rank(self) -> tuple[int, str, str]:
        """What was never run comes first, then what was wrong, then what is stale."""
        known = self.row is not None
        right = self.row is not None and self.row.as_it_should_be
        return known + right, self.kind, self.one.id


def jobs_for(
    chosen: Iterable[Mutant | Variant], known: Matrix, now: Suite, *, again: bool
) -> list[Job]:
    """Return the runs that are due, in order; with `again` all of them, whatever is known."""
    jobs = []
    for one in chosen:
        kind = VARIANTS if isinstance(one, Variant) else MUTANTS
        row, code, wanted = known.rows(kind).get(one.id), code_of(one), checks_of_matrix(one)
        everything = {declared.id for declared in wanted}
        then = known.suites[row.suite] if row else now
        repeat = again or (row is not None and row.fate == matrix.RED)
        names = everything if repeat else due(row, code, wanted, then, now)
        if names:
            jobs.append(Job(kind, one, frozenset(names), names == everything, code, row))
    return sorted(jobs, key=lambda job: job.rank)


def run_full(
    chosen: Sequence[Mutant | Variant], store: Path, width: int, *, again: bool = False
) -> int:
    """Run what is due, `width` at a time, keep it in `store` and write its pages.

    Returns 0 when, of the chosen ones, every row is there and as it should be.
    """
    now, commit = profiles(modules()), commit_now()
    known = matrix.read(store)
    jobs = jobs_for(chosen, known, now, again=again)
    # The pages link to it, also when the run is stopped before its first row.
    matrix.write(store, known)
    with Pace(len(jobs), sum(len(job.checks) for job in jobs)) as pace:
        pace.say(f"{len(chosen)} mutants and variants, {len(jobs)} to run, {width} at a time")
        try:
            crashed = asyncio.run(_run(jobs, store, now, commit, width, pace))
        finally:
            write_pages(store)
        found = matrix.read(store)
        names = {one.id for one in chosen}
        told = counts(
            {one.id: one for one in chosen if isinstance(one, Mutant)},
            {name: row for name, row in found.mutants.items() if name in names},
            {name: row for name, row in found.variants.items() if name in names},
        )
        pace.say(told.line())
    return 0 if told.good and told.rows == len(chosen) and not crashed else 1


async def _run(
    jobs: Sequence[Job], store: Path, now: Suite, commit: str, width: int, pace: Pace
) -> list[str]:
    """Run the jobs; return those that taught nothing, so that a row of before is not today's."""
    free, crashed = asyncio.Semaphore(width), list[str]()

    async def one(job: Job) -> None:
        async with free:
            row = await run_job(job, commit)
            known = matrix.read(store)
            # A run of some checks that left no report has nothing to add to the row.
            if job.whole or row.fate != Fate.CRASHED:
                matrix.write(store, known.with_row(job.kind, row, now))
            if row.fate == Fate.CRASHED:
                crashed.append(row.id)
            pace.done(len(job.checks), line(job, row))

    async with asyncio.TaskGroup() as group:
        for job in jobs:
            group.create_task(one(job))
    return crashed


async def run_job(job: Job, commit: str) -> Row:
    """Run the suite on one proxy and return its row, with time and commit.

    The commit is the one that the fork servers have read, whatever is committed meanwhile.
    """
    date = datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ")
    limit = SECONDS[job.kind]
    report, seconds = await _report(job, limit)
    if job.whole or job.row is None or report is None:
        row = row_of(job.one, report, seconds, all_checks())
        return replace(row, commit=commit, date=date, code=job.code)
    row = merged(job.one, job.row, report, seconds, all_checks())
    again = row.again and replace(row.again, commit=commit, date=date)
    return replace(row, code=job.code, again=again)


async def _report(job: Job, limit: float) -> tuple[dict[str, Any] | None, float]:
    """Run the suite; only a mutant that is about processes is started as one of its own."""
    if isinstance(job.one, Variant):
        return await run_suite(job.one.id, options(job, limit), limit, real=False)
    about = looks_at_processes(declared.id for declared in checks_for(job.one))
    return await run_mutant(job.one.id, options(job, limit), limit, real=about)


def options(job: Job, limit: float) -> list[str]:
    """Return the options of `toolbridge verify` for a run."""
    lacking = sorted(job.one.lacks) if isinstance(job.one, Variant) else []
    return [
        *("--deadline", f"{limit - REPORT_SECONDS:g}"),
        *(word for lack in lacking for word in ("--lacks", lack)),
        *(word for name in sorted(job.checks) for word in ("--only", name)),
    ]


def line(job: Job, row: Row) -> str:
    """Return what became of a run, in a line; in a second one what should be otherwise."""
    about = job.one.bug if isinstance(job.one, Mutant) else job.one.difference
    spent = f"{row.seconds:.1f} s" if job.whole else f"{len(job.checks)} checks"
    told = f"{row.fate:<8} {spent:>10}  {row.id}: {about}"
    if row.as_it_should_be:
        return told
    wanted = f", should be {job.one.cause}" if isinstance(job.one, Mutant) else ""
    return f"{told}\n                            first cause {row.cause or 'none'}{wanted}"


def commit_now() -> str:
    """Return the short commit of the checkout, with a + when its code has other changes."""
    try:
        commit = _git("rev-parse", "--short", "HEAD")
        changed = _git("status", "--porcelain", "--", *CODE)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{commit}+" if changed else commit


def _git(*words: str) -> str:
    command = ["git", "-C", str(ROOT), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()
