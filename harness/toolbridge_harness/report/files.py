"""Where reports go: `--report FORMAT:FILE`, checked before a run and written after it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolbridge_harness.errors import UsageProblem
from toolbridge_harness.model import Check, Report
from toolbridge_harness.report import json_report, junit, terminal

Renderer = Callable[[Report, Mapping[str, Check]], str]
FORMATS: dict[str, Renderer] = {
    "json": json_report.render,
    "junit": junit.render,
    "text": terminal.render,
}


@dataclass(frozen=True)
class Destination:
    """One report file."""

    format: str
    path: Path


def parse_destinations(values: Sequence[str]) -> list[Destination]:
    """Read `FORMAT:FILE` values; a file that can't be written is found before the run."""
    destinations = []
    for value in values:
        name, colon, file = value.partition(":")
        if not colon or not file or name not in FORMATS:
            formats = ", ".join(FORMATS)
            raise UsageProblem(f"--report {value}: it is FORMAT:FILE, with one of {formats}")
        path = Path(file)
        try:
            # An old report must not pass for this run's, should this run not get that far.
            with path.open("a"):
                pass
            path.unlink()
        except OSError as error:
            raise UsageProblem(f"--report {value}: cannot be written: {error.strerror}") from None
        destinations.append(Destination(name, path))
    return destinations


def write_reports(
    destinations: Sequence[Destination], report: Report, checks: Mapping[str, Check]
) -> None:
    """Write every report file."""
    for destination in destinations:
        text = FORMATS[destination.format](report, checks)
        # Half a report is no report: the file appears when it is complete.
        partial = destination.path.with_name(f".{destination.path.name}.partial")
        try:
            partial.write_text(text, encoding="utf-8")
            partial.replace(destination.path)
        except OSError as error:
            raise UsageProblem(f"{destination.path}: cannot be written: {error.strerror}") from None
