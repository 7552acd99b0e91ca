"""The checks of an HTML report: each one a line that opens on its evidence."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from toolbridge_harness.model import Check, Exchange, Outcome, Report, Result
from toolbridge_harness.report.markup import Html, clipped, join, tag
from toolbridge_harness.report.terminal import replay

ACCEPTED = "accepted"
# What to read first comes first: state, mark, and the word that follows a count.
STATES: tuple[tuple[str, str, str], ...] = (
    (Outcome.FAIL.value, "✕", "failed"),
    (Outcome.ERROR.value, "!", "broke (our bug)"),
    (Outcome.UNTESTABLE.value, "?", "could not be tested"),
    (Outcome.WARNING.value, "▲", "warned"),
    (ACCEPTED, "≈", "accepted by the baseline"),
    (Outcome.NOT_APPLICABLE.value, "·", "did not apply"),
    (Outcome.PASS.value, "✓", "passed"),
)
MARKS = {state: mark for state, mark, _ in STATES}
_ORDER = {state: rank for rank, (state, _, _) in enumerate(STATES)}
# A page of 100 checks stays under 1 MB, so that it can be mailed and opens at once on a phone:
# this much of it is for what the target sent; the frame of a check takes about 2 kB.
EVIDENCE_BYTES = 600_000
# Six exchanges of two times 4 kB, the most that the harness keeps, and the words about them.
EVIDENCE_OF_ONE = 120_000


def state_of(result: Result) -> str:
    """Return a result's outcome, or that the baseline accepts it."""
    return ACCEPTED if result.accepted else result.outcome.value


def counted(results: Iterable[Result]) -> list[tuple[str, str, int]]:
    """Return the states that occur: state, the word for it, and how many."""
    counts = Counter(map(state_of, results))
    return [(state, word, counts[state]) for state, _, word in STATES if counts[state]]


def chip(state: str, text: str) -> Html:
    """Return `text` behind the mark of `state`, coloured as it."""
    mark = tag("span", MARKS[state], aria_hidden="true")
    return tag("span", mark, " ", text, class_=f"chip {_slug(state)}")


def link(check: str, report: Report) -> Html:
    """Return a check's id, as a link where this page has it."""
    known = any(result.check == check for result in report.results)
    code = tag("code", check)
    return tag("a", code, href=f"#check-{check}") if known else code


def ordered(report: Report, checks: Mapping[str, Check]) -> list[tuple[str, list[Result]]]:
    """Return the results by area: the first cause, then failures of their own, then the rest."""

    first = _first_cause(report)

    def rank(result: Result) -> tuple[bool, bool, int, str]:
        apart = result.check != first, not is_root(result)
        return *apart, _ORDER[state_of(result)], result.check

    by_area = sorted(report.results, key=lambda r: checks[r.check].area)
    areas = [
        (area, sorted(group, key=rank))
        for area, group in groupby(by_area, key=lambda r: checks[r.check].area)
    ]
    return sorted(areas, key=lambda area: (*rank(area[1][0])[:3], area[0]))


def is_root(result: Result) -> bool:
    """Say whether a result is red for a reason of its own."""
    return result.red and not result.cause


def check_list(report: Report, checks: Mapping[str, Check]) -> Html:
    """Return every check once, by area."""
    sections = []
    unit = _unit(report)
    first = _first_cause(report)
    for area, results in ordered(report, checks):
        items = [
            _item(r, checks[r.check], report, _share(r, unit), r.check == first) for r in results
        ]
        heading = tag("h3", area, " ", tag("small", f"{len(results)}"))
        sections.append(tag("section", heading, *items, class_="area", id=f"area-{area}"))
    return join(*sections)


def _first_cause(report: Report) -> str:
    return report.causes[0].id if report.causes else ""


def _unit(report: Report) -> int:
    """Return how much of the page a check may take that is no cause, in bytes."""
    return EVIDENCE_BYTES // max(sum(_weight(result) for result in report.results), 1)


def _share(result: Result, unit: int) -> int:
    return min(unit * _weight(result), EVIDENCE_OF_ONE)


def _weight(result: Result) -> int:
    """Return how much more than another a result has to show: a cause more than what follows."""
    told = result.exchanges or result.detail or result.actual or result.accepted
    return 4 if is_root(result) else int(bool(told))


def _item(result: Result, declared: Check, report: Report, share: int, unfolded: bool) -> Html:
    state = state_of(result)
    follows = tag("small", f"follows from {result.cause}") if result.cause else ""
    summary = tag(
        "summary",
        chip(state, state),
        tag("span", tag("b", declared.claim), tag("code", declared.id), follows, class_="claim"),
        tag("span", declared.severity.value, class_=f"severity {declared.severity.value}"),
        tag("span", spent(result.seconds), class_="seconds"),
    )
    rows = [
        join(tag("dt", label), tag("dd", value))
        for label, value in _rows(result, declared, report, share // 6)
        if value
    ]
    evidence = tag("div", tag("dl", *rows), *_exchanges(result, share // 2), class_="evidence")
    return tag(
        "details",
        summary,
        evidence,
        id=f"check-{declared.id}",
        class_="check follows" if result.cause else "check",
        open=unfolded,
        data_state=state,
        data_area=declared.area,
        data_severity=declared.severity.value,
        data_red=result.red,
        data_root=is_root(result),
    )


def _rows(result: Result, declared: Check, report: Report, limit: int) -> Iterator[tuple[str, str]]:
    """Yield what a reader needs, in the order of need; empty values are not shown."""
    for label, text in (
        ("expected", result.expected),
        ("actual", result.actual),
        ("detail", result.detail),
    ):
        yield label, text and tag("pre", clipped(text, limit))
    yield "accepted", clipped(result.accepted, limit)
    yield "follows from", result.cause and link(result.cause, report)
    yield ("fix" if result.outcome.red else "fix, if it fails"), declared.remedy
    yield "why", declared.why
    yield "source", declared.source
    yield "catalogue", ", ".join(declared.catalogue)
    yield "replay", tag("pre", clipped(replay(report, declared.id), 1000), class_="replay")


def _exchanges(result: Result, budget: int) -> list[Html]:
    """Return the exchanges; where room is short, the last ones: they led to the verdict."""
    blocks: list[Html] = []
    total = len(result.exchanges)
    for number, exchange in reversed(list(enumerate(result.exchanges, 1))):
        if budget < 200:
            blocks.append(tag("p", f"{number} earlier not shown", class_="quiet"))
            break
        block = _exchange(exchange, f"exchange {number} of {total}", budget // 2)
        budget -= len(block.encode())
        blocks.append(block)
    return blocks[::-1]


def _exchange(exchange: Exchange, title: str, limit: int) -> Html:
    return tag(
        "figure",
        tag("figcaption", f"{title}, {spent(exchange.seconds)}"),
        tag("pre", clipped(exchange.request, limit), class_="sent"),
        tag("pre", clipped(exchange.response, limit), class_="received"),
        class_="exchange",
    )


def spent(seconds: float) -> str:
    """Return a duration as a person reads it."""
    return f"{seconds:.1f} s" if seconds >= 0.9995 else f"{seconds * 1000:.0f} ms"


def _slug(state: str) -> str:
    return state.replace(" ", "-")
