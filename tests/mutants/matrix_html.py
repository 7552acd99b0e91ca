"""The matrix as one HTML page that needs nothing else. Pure functions."""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from itertools import groupby
from pathlib import Path

from mutants.alone import killers
from mutants.judging import RED, Fate
from mutants.matrix import PASS, Row
from mutants.paper import Paper
from mutants.table import Mutant, Variant
from toolbridge_harness.model import Check, Profile
from toolbridge_harness.report.html_checks import MARKS
from toolbridge_harness.report.markup import Html, join, section, tag

TITLE = "Every check on every mutant"
LEGEND = (
    ("fail", "", "failed, and is a cause of its own"),
    ("fail", "follows", "failed, and the report explains it by another failure"),
    ("untestable", "", "could not be tested"),
    ("untestable", "follows", "could not be tested, explained by another failure"),
    ("error", "", "the check itself broke"),
    ("warning", "", "warned"),
    ("not-applicable", "", "did not apply"),
    ("", "", "passed"),
    ("off", "", "not run"),
)


def render(about: Paper) -> str:
    """Return the page; without scripts it has everything but the filter."""
    checks = columns(about)
    body = (
        tag("a", "Skip to the matrix", href="#matrix", class_="skip"),
        tag("header", tag("h1", TITLE), tag("p", about.when(), class_="quiet")),
        tag(
            "main",
            section("summary", "Summary", _figures(about)),
            section("legend", "Signs", _legend()),
            section("matrix", "Matrix", _filter(), _grid(about, checks)),
        ),
        tag("script", Html(_script())),
    )
    page = tag("html", _head(), tag("body", *body), lang="en")
    return f"<!doctype html>\n{page}\n"


def columns(about: Paper) -> list[Check]:
    """Return the checks by area: first those of the gate, then those of the profile full.

    What only the longest profile runs is there when some mutant needed it.
    """
    ran = {name for row in about.rows.values() for name in row.ran}
    shown = [c for c in about.checks.values() if c.profile is not Profile.SOAK or c.id in ran]
    return sorted(shown, key=lambda c: (c.area, c.profile in _LATE, c.id))


_LATE = frozenset({Profile.FULL, Profile.SOAK})


@cache
def _style() -> str:
    report = files("toolbridge_harness.report").joinpath("page.css").read_text(encoding="utf-8")
    return report + (Path(__file__).parent / "matrix.css").read_text(encoding="utf-8")


@cache
def _script() -> str:
    return (Path(__file__).parent / "matrix.js").read_text(encoding="utf-8")


def _head() -> Html:
    def digest(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    policy = (
        f"default-src 'none'; style-src 'sha256-{digest(_style())}'; "
        f"script-src 'sha256-{digest(_script())}'; base-uri 'none'; form-action 'none'"
    )
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name_="color-scheme", content="light dark"),
        tag("title", f"{TITLE} - toolbridge"),
        tag("style", Html(_style())),
    )


def _figures(about: Paper) -> Html:
    rows = (join(tag("dt", what), tag("dd", number)) for what, number in about.figures())
    return tag("dl", *rows, class_="figures")


def _legend() -> Html:
    items = (
        tag("li", tag("span", _mark(name), class_=f"cell {name} {follows}".strip()), " ", words)
        for name, follows, words in LEGEND
    )
    return tag("ul", *items, class_="legend")


def _mark(name: str) -> str:
    return MARKS.get(name.replace("-", " "), "")


def _filter() -> Html:
    field = tag(
        "input",
        type="search",
        name_="text",
        placeholder="mutant, bug, fate, or a check that is red",
    )
    return tag(
        "form",
        tag("label", "Show rows with ", field),
        tag("button", "Reset", type="reset"),
        tag("output", ""),
        id="rows",
        hidden=True,
    )


def _grid(about: Paper, checks: Sequence[Check]) -> Html:
    groups = [(area, list(mutants)) for area, mutants in about.areas()]
    bodies = [_body(about, checks, area, mutants) for area, mutants in groups]
    bodies.append(_body(about, checks, "variants", sorted(about.variants.values(), key=_id)))
    table = tag("table", _columns(checks), _totals(about, checks), *bodies, class_="grid")
    # A box that scrolls must be reachable by keyboard.
    return tag("div", table, class_="scroll", tabindex="0", role="region", aria_label=TITLE)


def _id(one: Mutant | Variant) -> str:
    return one.id


def _columns(checks: Sequence[Check]) -> Html:
    counted = [(area, len(list(group))) for area, group in groupby(checks, key=lambda c: c.area)]
    areas = (
        tag("th", area, scope="colgroup", colspan=str(number), title=f"{area}: {number} checks")
        for area, number in counted
    )
    names = (
        tag(
            "th",
            tag("span", declared.id),
            scope="col",
            class_=declared.severity.value,
            title=f"{declared.id} ({declared.severity.value}): {declared.claim}",
        )
        for declared in checks
    )
    corner = tag("td", class_="corner")
    return tag("thead", tag("tr", corner, *areas), tag("tr", corner, *names))


def _totals(about: Paper, checks: Sequence[Check]) -> Html:
    """Return the row that says how many mutants each check kills."""
    rows = [row for name, row in about.rows.items() if name in about.mutants]
    killed = [killers(row) for row in rows]
    cells = (tag("td", str(sum(one.id in names for names in killed))) for one in checks)
    head = tag("th", "how many mutants it kills", scope="row")
    return tag("tbody", tag("tr", head, *cells), class_="totals")


def _body(
    about: Paper, checks: Sequence[Check], area: str, group: Sequence[Mutant | Variant]
) -> Html:
    title = tag("th", f"{area} ({len(group)})", scope="rowgroup")
    lines = (Html(f"\n{_row(about, checks, one)}") for one in group)
    blank = tag("td", colspan=str(len(checks)), class_="off")
    return tag("tbody", tag("tr", title, blank, class_="area"), *lines)


def _row(about: Paper, checks: Sequence[Check], one: Mutant | Variant) -> Html:
    row = about.rows.get(one.id)
    words = one.bug if isinstance(one, Mutant) else one.difference
    fate = row.fate if row else "not run"
    if row and row.fate == Fate.KILLED and not row.right:
        fate = f"{fate}, wrong cause"
    good = "good" if row and row.as_it_should_be else "bad"
    head = tag(
        "th",
        tag("code", one.id),
        tag("span", fate, class_=good if row else "quiet"),
        tag("small", words),
        scope="row",
        title=f"{one.id}: {words}",
    )
    return tag("tr", head, *_cells(row, checks))


def _cells(row: Row | None, checks: Sequence[Check]) -> Iterable[Html]:
    """Yield the cells: nothing is said of a pass, and what was not run is one wide cell."""
    cells = row.cells() if row else {}
    explained = row.explained() if row else {}
    for ran, group in groupby(checks, key=lambda declared: declared.id in cells):
        names = [declared.id for declared in group]
        if not ran:
            yield tag("td", class_="off", colspan=str(len(names)))
            continue
        for name in names:
            yield _PASSED if cells[name] == PASS else _cell(row, name, cells[name], explained)


_PASSED = tag("td")


def _cell(row: Row | None, name: str, outcome: str, explained: dict[str, str]) -> Html:
    cause = explained.get(name, name)
    why = f", explained by {cause}" if cause != name else ""
    kind = outcome.replace(" ", "-") + (" follows" if why else "")
    title = f"{row.id if row else ''}, {name}: {outcome}{why}"
    return tag("td", MARKS[outcome], class_=kind, title=title, data_red=outcome in RED)
