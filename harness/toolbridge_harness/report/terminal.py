"""The report for people: verdict and cause first, then failures by area, then the counts."""

import io
from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from toolbridge_harness.model import Cause, Check, Outcome, Report, Result

# Consequences are folded under their cause; this many are named, the rest counted.
NAMED_CONSEQUENCES = 6
# With more independent causes than this, the target is broken as a whole.
SHOWN_CAUSES = 8
# The end of an exchange rarely matters; the JSON report holds all that was kept.
EXCHANGE_LINES = 14

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
    sink = io.StringIO()
    console = Console(
        file=sink,
        width=width,
        force_terminal=colour,
        no_color=not colour,
        color_system="standard" if colour else None,
        highlight=False,
        emoji=False,
    )
    _verdict(console, report)
    _more_causes(console, report)
    _findings(console, report, checks)
    _not_verified(console, report)
    _summary(console, report)
    # Rich pads to the full width, which a pipe does not want.
    return "".join(f"{line.rstrip()}\n" for line in sink.getvalue().splitlines())


def _verdict(console: Console, report: Report) -> None:
    if report.green and report.exit_code == 0:
        console.print(f"[bold green]GREEN[/] {escape(report.target)}", soft_wrap=True)
        return
    if report.exit_code == 5:
        console.print("[bold yellow]NOTHING RAN[/] no selected check applies to this target")
        return
    headline = _headline(report)
    console.print(f"[bold red]RED[/] {escape(headline)}", soft_wrap=True)
    if report.causes:
        _cause_body(console, report.causes[0])
    for problem in report.problems:
        if problem != headline:
            console.print(f"[red]also[/] {escape(problem)}", soft_wrap=True)


def _headline(report: Report) -> str:
    if report.causes:
        return report.causes[0].headline
    if report.problems:
        return report.problems[0]
    first = next(result for result in report.results if result.red)
    return f"{first.check}: {first.outcome.value}"


def _cause_body(console: Console, cause: Cause) -> None:
    _indented(console, f"[bold]fix[/]  {escape(cause.remedy)}")
    if cause.explains:
        named = ", ".join(cause.explains[:NAMED_CONSEQUENCES])
        rest = len(cause.explains) - NAMED_CONSEQUENCES
        more = f" and {rest} more" if rest > 0 else ""
        _indented(console, f"[bold]this explains[/]  {escape(named)}{more}")


def _more_causes(console: Console, report: Report) -> None:
    rest = len(report.causes) - SHOWN_CAUSES
    for cause in report.causes[1:SHOWN_CAUSES]:
        console.print(f"[red]also[/] {escape(cause.headline)}", soft_wrap=True)
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
            console.rule(f"[bold]{escape(area)}", align="left", characters="─")
        _finding(console, result, declared, report)


def _finding(console: Console, result: Result, declared: Check, report: Report) -> None:
    word = "accepted" if result.accepted else result.outcome.value
    style = _COLOURS.get(result.outcome, "white")
    console.print(
        f"[{style}]{word}[/] [bold]{declared.id}[/] "
        f"({declared.severity.value}, {', '.join(declared.catalogue)})",
        soft_wrap=True,
    )
    _indented(console, escape(declared.claim))
    rows = (
        ("expected", result.expected),
        ("actual", result.actual),
        ("detail", result.detail),
        ("accepted", result.accepted),
    )
    for label, value in rows:
        if value:
            _indented(console, f"[bold]{label}[/]  {escape(value)}")
    if result.exchanges and not result.accepted:
        last = result.exchanges[-1]
        _indented(console, "[bold]last exchange[/]")
        _quoted(console, ">", last.request)
        _quoted(console, "<", last.response)
    _indented(console, f"[bold]fix[/]  {escape(declared.remedy)}")
    _indented(console, f"[bold]replay[/]  {escape(replay(report, declared.id))}")


def replay(report: Report, check: str) -> str:
    """Return the command that runs one check again as it was run."""
    mode = {"black-box": f" --url {report.target}", "grey-box": f" --launch '{report.target}'"}
    return f"toolbridge verify{mode.get(report.mode, '')} --only {check} --seed {report.seed}"


def _quoted(console: Console, mark: str, text: str) -> None:
    lines = text.splitlines()
    for line in lines[:EXCHANGE_LINES]:
        console.print(Padding(escape(f"{mark} {line}"), (0, 0, 0, 6)), style="dim")
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
        _indented(
            console,
            f"{count} {noun}: {escape(group.reason)}; to enable, {escape(group.enable)}",
        )
        _indented(console, f"[dim]{escape(', '.join(group.checks))}[/]")


def _summary(console: Console, report: Report) -> None:
    console.print()
    console.print(f"[bold]{summary(report)}[/]", soft_wrap=True)
    console.print(
        f"mode {report.mode}, profile {report.profile}, seed {report.seed}, "
        f"{report.seconds:.1f} s, toolbridge {report.version}",
        soft_wrap=True,
    )
    slow = sorted(report.results, key=lambda r: -r.seconds)[:3]
    if slow and slow[0].seconds >= 1:
        console.print(f"slowest: {_listed(slow)}", style="dim", soft_wrap=True)


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
