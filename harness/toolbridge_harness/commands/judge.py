"""`toolbridge judge`: make every report of a recorded run again, without running anything."""

import datetime
from collections.abc import Sequence
from pathlib import Path

import click

from toolbridge_harness.baseline import read_baseline
from toolbridge_harness.commands.output import print_document
from toolbridge_harness.errors import UsageProblem
from toolbridge_harness.rejudge import rejudge
from toolbridge_harness.report import terminal
from toolbridge_harness.report.files import (
    FORMATS,
    parse_destinations,
    without_commands,
    write_reports,
)
from toolbridge_harness.report.json_reader import read

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("runfile", type=_FILE)
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="FORMAT:FILE",
    help=f"Also write {', '.join(FORMATS)}.",
)
@click.option(
    "--baseline",
    type=_FILE,
    metavar="FILE",
    help="Accepted failures, instead of those that the run was given.",
)
def judge(runfile: Path, reports: Sequence[str], baseline: Path | None) -> int:
    """Make the reports of a recorded run again.

    RUNFILE is what toolbridge verify --report json:FILE wrote. Nothing is contacted. The text
    and the exit code are those of the run, unless a baseline is given now: then they are those
    that the run would have had with it, today.
    """
    recording = read(runfile)
    report, checks = recording.report, recording.checks
    if baseline:
        today = datetime.datetime.now(datetime.UTC).date()
        report = rejudge(report, checks, read_baseline(baseline), today)
    for value in reports:
        _keep_inputs(value, [runfile, *([baseline] if baseline else [])])
    destinations = parse_destinations(reports)
    write_reports(destinations, report, checks)
    with without_commands(destinations):
        print_document(
            lambda colour, width: terminal.render(report, checks, colour=colour, width=width)
        )
    return report.exit_code


def _keep_inputs(value: str, inputs: Sequence[Path]) -> None:
    """Refuse a report in the place of what it is made from: a recording cannot be made again."""
    destination = Path(value.partition(":")[2])
    for path in inputs:
        if destination.exists() and destination.samefile(path):
            raise UsageProblem(f"--report {value}: would overwrite {path}, which is read here")
