"""The report for a GitHub Actions log: workflow commands that become annotations."""

from collections.abc import Mapping

from toolbridge_harness.model import Check, Report, Result
from toolbridge_harness.report.leftovers import left_behind
from toolbridge_harness.report.plain import clipped, one_line, printable
from toolbridge_harness.report.provenance import file_of
from toolbridge_harness.report.terminal import summary
from toolbridge_harness.report.wording import Problem, enabling, observed, problems, warnings

# GitHub shows this many annotations of each level for one step and drops the rest in silence.
SHOWN = 10
# Titles and messages of annotations end at 255 characters and at 64 KB; who reads an
# annotation wants the first screen.
TITLE = 255
MESSAGE = 4000

_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = _DATA | str.maketrans({":": "%3A", ",": "%2C"})


def render(report: Report, checks: Mapping[str, Check]) -> str:
    """Return workflow commands: errors, causes first, then warnings, then notices.

    No more of a level than GitHub shows; what is left out is counted and named in a notice.
    """
    errors = problems(report, checks)
    softer = [_warning(result, checks[result.check]) for result in warnings(report)]
    notices = [*_left_out(errors, "errors"), *_left_out(softer, "warnings"), *_notes(report)]
    lines = [
        *(_annotation("error", problem, report) for problem in errors[:SHOWN]),
        *(_annotation("warning", problem, report) for problem in softer[:SHOWN]),
        *(_command("notice", "toolbridge verify", note, report) for note in notices[:SHOWN]),
    ]
    return "".join(f"{line}\n" for line in lines)


def escape_data(text: str) -> str:
    """Return `text` as a workflow command's message holds it (actions/toolkit, command.ts)."""
    return text.translate(_DATA)


def escape_property(text: str) -> str:
    """Return `text` as a workflow command's property holds it (actions/toolkit, command.ts)."""
    return text.translate(_PROPERTY)


def _command(level: str, title: str, message: str, report: Report) -> str:
    properties = {"title": one_line(title, TITLE), "file": printable(file_of(report)), "line": "1"}
    listed = ",".join(f"{name}={escape_property(value)}" for name, value in properties.items())
    return f"::{level} {listed}::{escape_data(clipped(message, MESSAGE))}"


def _annotation(level: str, problem: Problem, report: Report) -> str:
    title = f"{problem.id}: {problem.headline}"
    return _command(level, title, "\n".join((problem.headline, *problem.lines)), report)


def _warning(result: Result, declared: Check) -> Problem:
    lines = (f"warning: {observed(result)}", f"fix: {declared.remedy}")
    return Problem(declared.id, declared.claim, lines)


def _left_out(found: list[Problem], noun: str) -> list[str]:
    rest = found[SHOWN:]
    names = ", ".join(dict.fromkeys(problem.id for problem in rest))
    return [f"{len(rest)} more {noun} than GitHub shows: {names}"] if rest else []


def _notes(report: Report) -> list[str]:
    accepted = [result.check for result in report.results if result.accepted]
    noun = "failure" if len(accepted) == 1 else "failures"
    named = [f"{len(accepted)} {noun} accepted by the baseline: {', '.join(accepted)}"]
    left = left_behind(report)
    lines = ["\n".join((f"left behind: {len(report.left_behind)}", *left))] if left else []
    return [summary(report), *lines, *(named if accepted else []), *enabling(report)]
