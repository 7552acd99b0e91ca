"""`python -m benchmarks.steady`: the same verdict run after run, on a machine that is busy.

A gate that is red now and then for no reason is soon ignored. This runs the suite again and
again on the bundled proxy while other processes keep every core busy, each run with a seed of
its own, and prints what became of each. Exit code 1 when a single run was not green.
"""

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

# A full run has its own deadline of 12 minutes; this is for a suite that does not keep it.
RUN_SECONDS = 900
SLOWEST_SHOWN = 3


@click.command()
@click.option("--runs", default=10, show_default=True, type=click.IntRange(1))
@click.option("--busy", default=os.cpu_count() or 2, show_default=True, type=click.IntRange(0))
@click.option("--profile", default="full", show_default=True)
def main(runs: int, busy: int, profile: str) -> None:
    """Run the suite RUNS times while BUSY processes compute, and count what is not green."""
    not_green = 0
    with kept_busy(busy), tempfile.TemporaryDirectory() as folder:
        click.echo(f"{runs} runs of profile {profile}, {busy} busy processes")
        for number in range(1, runs + 1):
            report = one_run(profile, Path(folder) / f"{number}.json")
            not_green += report["verdict"] != "green"
            click.echo(f"{number:>3}  {line(report)}")
    click.echo(f"{runs - not_green} of {runs} runs were green")
    sys.exit(1 if not_green else 0)


@contextmanager
def kept_busy(processes: int) -> Iterator[None]:
    """Keep this many cores busy until the block ends."""
    started = [multiprocessing.Process(target=_compute, daemon=True) for _ in range(processes)]
    for process in started:
        process.start()
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.join()


def _compute() -> None:
    while True:
        sum(range(10_000))


def one_run(profile: str, path: Path) -> dict[str, Any]:
    """Run the suite once and return its JSON report."""
    command = [sys.executable, "-m", "toolbridge_harness", "verify", "--profile", profile]
    started = time.monotonic()
    subprocess.run(
        [*command, "--report", f"json:{path}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
        timeout=RUN_SECONDS,
    )
    report: dict[str, Any] = json.loads(path.read_text())
    return report | {"wall": time.monotonic() - started}


def line(report: dict[str, Any]) -> str:
    """Return one line: verdict, seed, seconds, the slowest checks, and whatever was not green."""
    results = report["results"]
    slowest = sorted(results, key=lambda result: -result["seconds"])[:SLOWEST_SHOWN]
    told = ", ".join(f"{result['check']} {result['seconds']:.1f} s" for result in slowest)
    bad = [r["check"] for r in results if r["outcome"] in {"fail", "untestable", "error"}]
    seen = f"{report['verdict']:<5}  seed {report['seed']:<10}  {report['wall']:5.0f} s  {told}"
    return f"{seen}  NOT GREEN: {', '.join(bad)}" if bad else seen


if __name__ == "__main__":
    main()
