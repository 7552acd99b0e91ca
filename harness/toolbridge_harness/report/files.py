"""Where reports go: `--report FORMAT:FILE`, checked before a run and written after it."""

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from toolbridge_harness.errors import UsageProblem
from toolbridge_harness.model import Check, Report
from toolbridge_harness.report import (
    github,
    html,
    json_report,
    junit,
    markdown,
    sarif,
    terminal,
)

Renderer = Callable[[Report, Mapping[str, Check]], str]
FORMATS: dict[str, Renderer] = {
    "github": github.render,
    "html": html.render,
    "json": json_report.render,
    "junit": junit.render,
    "markdown": markdown.render,
    "sarif": sarif.render,
    "text": terminal.render,
}


# Only workflow commands share standard output with the text: a log holds both.
STANDARD_OUTPUT = "github:-"
# Names of what is open already: replacing them would leave the next program without.
STREAMS = tuple(map(Path, ("/dev/stdout", "/dev/stderr", "/dev/fd", "/proc")))


@dataclass(frozen=True)
class Destination:
    """One report file, replaced as a whole unless it is the job summary of the step."""

    format: str
    path: Path
    summary: bool = False


def parse_destinations(values: Sequence[str]) -> list[Destination]:
    """Read `FORMAT:FILE` values; a file that can't be written is found before the run."""
    destinations = []
    for value in values:
        name, colon, file = value.partition(":")
        if not colon or not file or name not in FORMATS:
            formats = ", ".join(FORMATS)
            raise UsageProblem(f"--report {value}: it is FORMAT:FILE, with one of {formats}")
        destination = Destination(name, Path(file), summary=_is_step_summary(name, Path(file)))
        if value != STANDARD_OUTPUT:
            _probe(destination, value)
        destinations.append(destination)
    return destinations


def _is_step_summary(name: str, path: Path) -> bool:
    """Whether this is the file that GitHub gives a step: other commands write to it as well."""
    step = os.environ.get("GITHUB_STEP_SUMMARY")
    return name == "markdown" and bool(step) and path.absolute() == Path(step or "").absolute()


def _is_device(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()


def _probe(destination: Destination, value: str) -> None:
    path = destination.path
    if path == Path("-"):
        raise UsageProblem(f"--report {value}: standard output is for {STANDARD_OUTPUT} alone")
    if _is_device(path):
        return
    if any(path.is_relative_to(stream) for stream in STREAMS):
        raise UsageProblem(f"--report {value}: leads to a file: name that file")
    try:
        with path.open("a"):
            pass
        # An old report must not pass for this run's, should this run not get that far.
        if not destination.summary:
            path.unlink()
    except OSError as error:
        raise UsageProblem(f"--report {value}: cannot be written: {error.strerror}") from None


def write_reports(
    destinations: Sequence[Destination], report: Report, checks: Mapping[str, Check]
) -> None:
    """Write every report file."""
    for destination in destinations:
        try:
            _write(destination, report, checks)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise UsageProblem(f"{destination.path}: cannot be written: {error.strerror}") from None


@contextlib.contextmanager
def without_commands(destinations: Sequence[Destination]) -> Iterator[None]:
    """Print the text after `github:-` so that no line of it is taken for a workflow command.

    The runner reads commands from any line of a log, and the text quotes what a target sent.
    """
    if not any(destination.path == Path("-") for destination in destinations):
        yield
        return
    # Only who knows the word can switch the commands on again.
    word = secrets.token_hex(16)
    click.echo(f"::stop-commands::{word}")
    try:
        yield
    finally:
        click.echo(f"::{word}::")


def _write(destination: Destination, report: Report, checks: Mapping[str, Check]) -> None:
    path = destination.path
    if destination.summary:
        _append_summary(path, report, checks)
        return
    text = FORMATS[destination.format](report, checks)
    if path == Path("-"):
        click.echo(text, nl=False)
    elif _is_device(path):
        path.write_text(text, encoding="utf-8")
    else:
        # Half a report is no report: the file appears when it is complete.
        partial = path.with_name(f".{path.name}.partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)


def _append_summary(path: Path, report: Report, checks: Mapping[str, Check]) -> None:
    with path.open("a", encoding="utf-8") as file:
        # GitHub's limit holds for all that the step has written. A heading needs a line of its
        # own, whatever the file ended with.
        before = path.stat().st_size
        gap = "\n\n" if before else ""
        file.write(gap + markdown.render(report, checks, limit=markdown.LIMIT - before - len(gap)))
