"""What an HTML report says beside its failures: warnings, what is accepted, what was not seen."""

from collections.abc import Mapping, Sequence

from toolbridge_harness.model import UNSELECTED, Check, Outcome, Report, Result
from toolbridge_harness.report.html_checks import link, state_of
from toolbridge_harness.report.leftovers import TITLE, left_behind
from toolbridge_harness.report.markup import Html, clipped, section, tag
from toolbridge_harness.report.wording import observed

# A headline, a problem or a note is a sentence; one that is not must not fill the page.
SENTENCE_BYTES = 1500


def ids(names: Sequence[str], report: Report) -> Html:
    """Return ids as a list of links."""
    return tag("ul", *(tag("li", link(name, report)) for name in names), class_="ids")


def warnings(report: Report, checks: Mapping[str, Check]) -> Html:
    """Return what was reported without making the run red."""
    said = [
        (r.check, f"{checks[r.check].claim}: {observed(r)}")
        for r in _sorted(report)
        if state_of(r) == Outcome.WARNING.value
    ]
    return _listed("warnings", "Warnings", said, report)


def accepted(report: Report) -> Html:
    """Return the failures that the baseline accepts, with its reasons."""
    said = [(r.check, r.accepted) for r in _sorted(report) if r.accepted]
    return _listed("accepted", "Accepted by the baseline", said, report)


def _sorted(report: Report) -> list[Result]:
    return sorted(report.results, key=lambda result: result.check)


def _listed(name: str, title: str, said: Sequence[tuple[str, str]], report: Report) -> Html:
    if not said:
        return Html()
    items = [tag("li", link(c, report), " ", clipped(text, SENTENCE_BYTES)) for c, text in said]
    return section(name, title, tag("ul", *items))


def notes(report: Report) -> Html:
    """Return what the run says about itself."""
    items = [tag("li", clipped(text, SENTENCE_BYTES)) for text in report.notes]
    return section("notes", "Notes", tag("ul", *items) if items else "")


def leftovers(report: Report) -> Html:
    """Return what the checks created and could not delete."""
    items = [tag("li", clipped(text, SENTENCE_BYTES)) for text in left_behind(report)]
    return section("left-behind", TITLE, tag("ul", *items)) if items else Html()


def not_verified(report: Report) -> Html:
    """Return what the run could not look at, and what it was not asked to look at."""
    items = [
        _unseen(group.checks, group.reason, group.enabling, report) for group in report.not_verified
    ]
    left = report.extra.get(UNSELECTED, [])
    if left:
        reason = f"not selected by profile {report.profile} or by --only"
        items.append(
            _unseen(left, reason, "; to enable, run a longer --profile, or all of it", report)
        )
    return section("not-verified", "Not verified", *items) if items else Html()


def _unseen(names: Sequence[str], reason: str, enable: str, report: Report) -> Html:
    noun = "check" if len(names) == 1 else "checks"
    said = clipped(f"{reason}{enable}", SENTENCE_BYTES)
    summary = tag("summary", tag("b", f"{len(names)} {noun}: "), said)
    return tag("details", summary, ids(names, report))
