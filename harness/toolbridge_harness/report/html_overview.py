"""The numbers of an HTML report: outcomes by area and severity, and where the time went."""

from collections.abc import Mapping, Sequence

from toolbridge_harness.model import Check, Report, Result, Severity
from toolbridge_harness.report import terminal
from toolbridge_harness.report.html_checks import (
    chip,
    counted,
    is_root,
    link,
    ordered,
    spent,
)
from toolbridge_harness.report.markup import Html, section, tag


def overview(report: Report, checks: Mapping[str, Check]) -> Html:
    """Return the counts, and areas by severity; each number filters the list of checks."""
    if not report.results:
        return Html()
    severities = _severities(report, checks)
    head = tag("tr", *(tag("th", name, scope="col") for name in ("area", *severities)))
    rows = [
        _area_row(area, results, severities, checks) for area, results in ordered(report, checks)
    ]
    table = tag("table", tag("thead", head), tag("tbody", *rows), class_="matrix")
    noun = "check" if len(report.results) == 1 else "checks"
    total = tag("p", f"{len(report.results)} {noun}: ", *_tiles(report.results), class_="tiles")
    return section("overview", "Areas and severities", total, table)


def _severities(report: Report, checks: Mapping[str, Check]) -> list[Severity]:
    used = {checks[result.check].severity for result in report.results}
    return [severity for severity in Severity if severity in used]


def _tiles(results: Sequence[Result]) -> list[Html]:
    return [
        tag("a", chip(state, f"{number} {word}"), href="#checks", data_pick_state=state)
        for state, word, number in counted(results)
    ]


def _area_row(
    area: str,
    results: Sequence[Result],
    severities: Sequence[Severity],
    checks: Mapping[str, Check],
) -> Html:
    name = tag("a", area, href=f"#area-{area}", data_pick_area=area)
    cells = [
        _cell(area, severity, [r for r in results if checks[r.check].severity is severity])
        for severity in severities
    ]
    return tag("tr", tag("th", name, scope="row"), *cells)


def _cell(area: str, severity: Severity, results: Sequence[Result]) -> Html:
    links = [
        tag(
            "a",
            chip(state, str(number)),
            href=f"#area-{area}",
            title=f"{number} {word}",
            aria_label=f"{area}, {severity}: {number} {word}",
            data_pick_state=state,
            data_pick_area=area,
            data_pick_severity=severity,
        )
        for state, word, number in counted(results)
    ]
    return tag("td", *links)


def filters(report: Report, checks: Mapping[str, Check]) -> Html:
    """Return the form that narrows the list of checks; it is hidden until a script can serve it."""
    areas = sorted({checks[result.check].area for result in report.results})
    severities = [(severity.value, severity.value) for severity in _severities(report, checks)]
    states = [("red", "red"), ("root", "red for a reason of its own")]
    states = states if any(map(is_root, report.results)) else []
    states += [(state, word) for state, word, _ in counted(report.results)]
    return tag(
        "form",
        _choice("state", "any outcome", states),
        _choice("area", "any area", [(area, area) for area in areas]),
        _choice("severity", "any severity", severities),
        tag("input", type="search", name_="text", placeholder="search", aria_label="search"),
        tag("button", "Reset", type="reset"),
        tag("button", "Open all", type="button", id="open-all"),
        tag("output", ""),
        id="filter",
        hidden=True,
    )


def _choice(name: str, everything: str, options: Sequence[tuple[str, str]]) -> Html:
    given = (("", everything), *options)
    listed = (tag("option", text, value=value) for value, text in given)
    return tag("select", *listed, name_=name, aria_label=name)


def slowest(report: Report) -> Html:
    """Return the checks that took longest, as bars."""
    slow = terminal.slowest(report)
    if not slow:
        return Html()
    rows = [
        tag(
            "tr",
            tag("th", link(result.check, report), scope="row"),
            tag("td", _bar(result.seconds / slow[0].seconds), class_="bar"),
            tag("td", spent(result.seconds), class_="seconds"),
        )
        for result in slow
    ]
    about = "Checks run side by side and some wait on purpose, so these do not add up to the run."
    note = tag("p", about, class_="quiet")
    return section("time", "Slowest checks", note, tag("table", *rows, class_="bars"))


def _bar(part: float) -> Html:
    bar = tag("rect", width=f"{100 * part:.2f}", height="10")
    return tag("svg", bar, viewBox="0 0 100 10", preserveAspectRatio="none", aria_hidden="true")
