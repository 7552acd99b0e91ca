"""The comparison of two runs: as text for people and as JSON for programs."""

import dataclasses
import json
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.padding import Padding

from toolbridge_harness.compare import CauseChange, Change, Comparison, Group
from toolbridge_harness.model import Report
from toolbridge_harness.report.console import recording_console, shown, trimmed

# Raised when a key changes its meaning or goes; new keys alone do not raise it.
SCHEMA = 1
_TITLES = {
    Group.WORSE: "worse: red now, and was not",
    Group.GONE: "gone: no verdict any more",
    Group.ACCEPTED: "accepted: fails, and the baseline says why that is known",
    Group.WARNS: "warns: passed before",
    Group.BETTER: "better",
    Group.NEW: "new: had no verdict before",
}
_COLOURS = {Group.WORSE: "red", Group.BETTER: "green", Group.GONE: "yellow"}


def render(comparison: Comparison, *, colour: bool = False, width: int = 100) -> str:
    """Return the comparison as text, with ANSI colours only when `colour` is set."""
    console, sink = recording_console(colour=colour, width=width)
    console.print(_verdict(comparison), soft_wrap=True)
    for problem in comparison.problems_appeared:
        console.print(f"[red]new problem[/]  {shown(problem)}", soft_wrap=True)
    for problem in comparison.problems_disappeared:
        console.print(f"[green]solved problem[/]  {shown(problem)}", soft_wrap=True)
    for group in Group:
        _group(console, group, comparison.group(group))
    _causes(console, "causes that appeared", comparison.causes_appeared)
    _causes(console, "causes that disappeared", comparison.causes_disappeared)
    _severities(console, comparison)
    console.print()
    for name, report in (("old", comparison.old), ("new", comparison.new)):
        console.print(f"{name}  {shown(_run(report))}", soft_wrap=True)
    return trimmed(sink)


def _verdict(comparison: Comparison) -> str:
    counts = [f"{len(comparison.group(group))} {group.value}" for group in Group]
    head = "[bold red]WORSE[/]" if comparison.worse else "[bold green]NOT WORSE[/]"
    line = f"{head} {', '.join(counts)}"
    differences = [
        f"the {name} differs: {' '.join(old.split())}, now {' '.join(new.split())}"
        for name, (old, new) in comparison.differences.items()
    ]
    return line + "".join(shown(f"; {difference}") for difference in differences)


def _rule(console: Console, title: str) -> None:
    console.print()
    console.rule(f"[bold]{shown(title)}", align="left", characters="─")


def _group(console: Console, group: Group, changes: Sequence[Change]) -> None:
    if not changes:
        return
    _rule(console, _TITLES[group])
    folded = [change for change in changes if group is Group.WORSE and change.cause]
    for change in changes:
        if change not in folded:
            _change(console, change)
    folded.sort(key=lambda change: change.cause)
    for cause, consequences in groupby(folded, key=lambda change: change.cause):
        names = ", ".join(change.check for change in consequences)
        console.print(f"[bold]following from {shown(cause)}[/]", soft_wrap=True)
        console.print(Padding(shown(names), (0, 0, 0, 4)))


def _change(console: Console, change: Change) -> None:
    colour = _COLOURS.get(change.group, "cyan")
    red = " [red](red)[/]" if change.red and change.group is Group.NEW else ""
    why = f": {change.detail}" if change.detail and change.group is Group.GONE else ""
    console.print(
        f"[{colour}]{change.severity.value}[/] [bold]{change.check}[/]  "
        f"{change.before} → {change.after}{red}{shown(why)}",
        soft_wrap=True,
    )
    if change.group is not Group.WORSE:
        return
    rows = (
        ("", change.claim),
        ("expected", change.expected),
        ("actual", change.actual),
        ("detail", change.detail),
        ("fix", change.remedy),
    )
    for label, text in rows:
        if text:
            head = f"[bold]{label}[/]  " if label else ""
            console.print(Padding(head + shown(text), (0, 0, 0, 4)))


def _causes(console: Console, title: str, causes: Sequence[CauseChange]) -> None:
    if not causes:
        return
    _rule(console, title)
    for cause in causes:
        severity = cause.severity.value if cause.severity else "whole run"
        console.print(
            f"{severity} [bold]{shown(cause.id)}[/]  {shown(cause.headline)}", soft_wrap=True
        )


def _severities(console: Console, comparison: Comparison) -> None:
    if not comparison.severities:
        return
    _rule(console, "severity changed")
    for change in comparison.severities:
        console.print(
            f"[bold]{change.check}[/]  {change.before.value} → {change.after.value}, "
            f"{change.outcome}",
            soft_wrap=True,
        )


def _run(report: Report) -> str:
    verdict = "green" if report.exit_code == 0 else "red"
    return (
        f"{verdict}, {len(report.results)} checks, {report.mode}, {report.profile}, "
        f"seed {report.seed}, {report.started}, toolbridge {report.version}"
    )


def render_json(comparison: Comparison) -> str:
    """Return the comparison as one JSON document with a version."""
    document = {
        "schema": SCHEMA,
        "worse": comparison.worse,
        "counts": {group.value: len(comparison.group(group)) for group in Group},
        "differences": {
            name: {"old": old, "new": new} for name, (old, new) in comparison.differences.items()
        },
        "old": _identity(comparison.old),
        "new": _identity(comparison.new),
        "problems": {
            "appeared": comparison.problems_appeared,
            "disappeared": comparison.problems_disappeared,
        },
        "changes": {
            group.value: [dataclasses.asdict(change) for change in comparison.group(group)]
            for group in Group
        },
        "causes": {
            "appeared": [dataclasses.asdict(cause) for cause in comparison.causes_appeared],
            "disappeared": [dataclasses.asdict(cause) for cause in comparison.causes_disappeared],
        },
        "severities": [dataclasses.asdict(change) for change in comparison.severities],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _identity(report: Report) -> dict[str, Any]:
    return {
        "verdict": "green" if report.exit_code == 0 else "red",
        "exit_code": report.exit_code,
        "checks": len(report.results),
        "target": report.target,
        "mode": report.mode,
        "profile": report.profile,
        "seed": report.seed,
        "started": report.started,
        "version": report.version,
    }
