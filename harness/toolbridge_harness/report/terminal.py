"""The report for people: verdict and cause first, then failures by area, then the counts."""

import shlex
from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.padding import Padding

from toolbridge_harness.model import Cause, Check, Outcome, Report, Result
from toolbridge_harness.report.console import recording_console, shown, trimmed
from toolbridge_harness.report.leftovers import TITLE, left_behind
from toolbridge_harness.report.plain import clipped

# Consequences are folded under their cause; this many are named, the rest counted.
NAMED_CONSEQUENCES = 6
# With more independent causes than this, the target is broken as a whole.
SHOWN_CAUSES = 8
SLOWEST = 10
# The end of an exchange rarely matters; the JSON report holds all that was kept.
EXCHANGE_LINES = 14
# Two screens of one value, and a line of an exchange: the JSON report holds all of it.
VALUE = 3000
LINE = 500

# Where a run keeps the options that repeat it.
REPLAY = "replay"

COUNTED: tuple[tuple[Outcome, str], ...] = (
    (Outcome.PASS, "passed"),
    (Outcome.FAIL, "failed"),
    (Outcome.UNTESTABLE, "could not be tested"),
    (Outcome.ERROR, "broke (our bug)"),
    (Outcome.WARNING, "warned"),
    (Outcome.NOT_APPLICABLE, "did not apply"),
)
_COLOURS = {
    Outcome.FAIL: "red",
    Outcome.UNTESTABLE: "yellow",
    Outcome.ERROR: "magenta",
    Outcome.WARNING: "cyan",
}


def render(
    report: Report, checks: Mapping[str, Check], *, colour: bool = False, width: int = 100
) -> str:
    """Return the whole report as text, with ANSI colours only when `colour` is set."""
    console, sink = recording_console(colour=colour, width=width)
    _verdict(console, report)
    _more_causes(console, report)
    _findings(console, report, checks)
    _not_verified(console, report)
    _left_behind(console, report)
    _summary(console, report)
    return trimmed(sink)


def _text(text: str) -> str:
    return shown(clipped(text, VALUE))


def _verdict(console: Console, report: Report) -> None:
    if report.green and report.exit_code == 0:
        console.print(f"[bold green]GREEN[/] {_text(report.target)}", soft_wrap=True)
        return
    if report.exit_code == 5:
        console.print("[bold yellow]NOTHING RAN[/] no selected check applies to this target")
        return
    headline = _headline(report)
    console.print(f"[bold red]RED[/] {_text(headline)}", soft_wrap=True)
    if report.causes:
        _cause_body(console, report.causes[0])
    for problem in report.problems:
        if problem != headline:
            console.print(f"[red]also[/] {_text(problem)}", soft_wrap=True)


def _headline(report: Report) -> str:
    if report.causes:
        return report.causes[0].headline
    if report.problems:
        return report.problems[0]
    first = next(result for result in report.results if result.red)
    return f"{first.check}: {first.outcome.value}"


def _cause_body(console: Console, cause: Cause) -> None:
    _indented(console, f"[bold]fix[/]  {_text(cause.remedy)}")
    if cause.explains:
        named = ", ".join(cause.explains[:NAMED_CONSEQUENCES])
        rest = len(cause.explains) - NAMED_CONSEQUENCES
        more = f" and {rest} more" if rest > 0 else ""
        _indented(console, f"[bold]this explains[/]  {_text(named)}{more}")


def _more_causes(console: Console, report: Report) -> None:
    rest = len(report.causes) - SHOWN_CAUSES
    for cause in report.causes[1:SHOWN_CAUSES]:
        console.print(f"[red]also[/] {_text(cause.headline)}", soft_wrap=True)
        _cause_body(console, cause)
    if rest > 0:
        console.print(f"[red]also[/] {rest} more, below")


def _findings(console: Console, report: Report, checks: Mapping[str, Check]) -> None:
    """Print what needs reading: roots in full; what follows from a cause stays folded."""
    shown = [
        r for r in report.results if (r.outcome.red and not r.cause) or r.outcome is Outcome.WARNING
    ]
    area = ""
    for result in shown:
        declared = checks[result.check]
        if declared.area != area:
            area = declared.area
            console.print()
            console.rule(f"[bold]{_text(area)}", align="left", characters="─")
        _finding(console, result, declared, report)


def _finding(console: Console, result: Result, declared: Check, report: Report) -> None:
    word = "accepted" if result.accepted else result.outcome.value
    style = _COLOURS.get(result.outcome, "white")
    console.print(
        f"[{style}]{word}[/] [bold]{declared.id}[/] "
        f"({declared.severity.value}, {', '.join(declared.catalogue)})",
        soft_wrap=True,
    )
    _indented(console, _text(declared.claim))
    rows = (
        ("expected", result.expected),
        ("actual", result.actual),
        ("detail", result.detail),
        ("accepted", result.accepted),
    )
    for label, value in rows:
        if value:
            _indented(console, f"[bold]{label}[/]  {_text(value)}")
    if result.exchanges and not result.accepted:
        last = result.exchanges[-1]
        _indented(console, "[bold]last exchange[/]")
        _quoted(console, ">", last.request)
        _quoted(console, "<", last.response)
    _indented(console, f"[bold]fix[/]  {_text(declared.remedy)}")
    # Not wrapped: a line break inside of a quoted word would change it.
    console.print(f"    [bold]replay[/]  {shown(replay(report, declared.id))}", soft_wrap=True)


def replay(report: Report, check: str) -> str:
    """Return the command that runs one check again as it was run, quoted for a shell."""
    words = [*pointed_at(report), "--only", check, "--seed", str(report.seed)]
    return shlex.join(("toolbridge", "verify", *words))


def pointed_at(report: Report) -> list[str]:
    """Return the options of a run that decide what one check meets; none of them is a secret.

    `toolbridge verify` records them as given, in `extra`; other runs have mode and target alone.
    """
    recorded = report.extra.get(REPLAY)
    if isinstance(recorded, list) and all(isinstance(word, str) for word in recorded):
        return recorded
    option = {"black-box": "--url", "grey-box": "--launch"}.get(report.mode)
    return [option, report.target] if option else []


def _quoted(console: Console, mark: str, text: str) -> None:
    lines = text.splitlines()
    for line in lines[:EXCHANGE_LINES]:
        console.print(Padding(shown(f"{mark} {clipped(line, LINE)}"), (0, 0, 0, 6)), style="dim")
    if len(lines) > EXCHANGE_LINES:
        console.print(Padding(f"{mark} …", (0, 0, 0, 6)), style="dim")


def _indented(console: Console, markup: str) -> None:
    console.print(Padding(markup, (0, 0, 0, 4)))


def _not_verified(console: Console, report: Report) -> None:
    if not report.not_verified:
        return
    console.print()
    console.print("[bold]Not verified[/]")
    for group in report.not_verified:
        count = len(group.checks)
        noun = "check" if count == 1 else "checks"
        _indented(console, f"{count} {noun}: {_text(group.reason)}{_text(group.enabling)}")
        _indented(console, f"[dim]{shown(', '.join(group.checks))}[/]")


def _left_behind(console: Console, report: Report) -> None:
    if report.left_behind:
        console.print()
        console.print(f"[bold]{TITLE}[/]")
    for line in left_behind(report):
        _indented(console, _text(line))


def _summary(console: Console, report: Report) -> None:
    console.print()
    console.print(f"[bold]{summary(report)}[/]", soft_wrap=True)
    console.print(
        f"mode {report.mode}, profile {report.profile}, seed {report.seed}, "
        f"{report.seconds:.1f} s, toolbridge {report.version}",
        soft_wrap=True,
    )
    slow = [r for r in slowest(report) if r.seconds >= 1]
    if slow:
        console.print(f"slowest: {_listed(slow)}", style="dim", soft_wrap=True)


def slowest(report: Report) -> list[Result]:
    """Return the checks that took most of the time, the slowest first."""
    timed = [result for result in report.results if result.seconds > 0]
    return sorted(timed, key=lambda r: (-r.seconds, r.check))[:SLOWEST]


def _listed(results: Iterable[Result]) -> str:
    return ", ".join(f"{r.check} {r.seconds:.1f} s" for r in results)


def summary(report: Report) -> str:
    """Return the counts of a run as one line."""
    counts = ", ".join(f"{report.count(outcome)} {word}" for outcome, word in COUNTED)
    accepted = sum(bool(result.accepted) for result in report.results)
    noun = "check" if len(report.results) == 1 else "checks"
    return f"{len(report.results)} {noun}: {counts}" + (
        f"; {accepted} of the failures accepted by the baseline" if accepted else ""
    )
