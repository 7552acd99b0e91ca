"""The report for people who were not there: one HTML page that needs nothing else."""

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from toolbridge_harness.model import UNSELECTED, Cause, Check, Report
from toolbridge_harness.report.html_checks import (
    check_list,
    counted,
    link,
    spent,
)
from toolbridge_harness.report.html_findings import (
    SENTENCE_BYTES,
    accepted,
    ids,
    leftovers,
    not_verified,
    notes,
    warnings,
)
from toolbridge_harness.report.html_overview import filters, overview, slowest
from toolbridge_harness.report.markup import Html, clipped, join, section, tag
from toolbridge_harness.report.terminal import SHOWN_CAUSES

# Three lines on a screen, seven on a phone.
HEADLINE_BYTES = 300
# A run with more problems than this has one problem; the JSON report holds all of them.
SHOWN_PROBLEMS = 50


def render(report: Report, checks: Mapping[str, Check]) -> str:
    """Return one self-contained page; it works without network, scripts and colours."""
    body = (
        tag("a", "Skip to the checks", href="#checks", class_="skip"),
        _verdict(report, checks),
        tag(
            "main",
            _more_causes(report),
            overview(report, checks),
            warnings(report, checks),
            accepted(report),
            not_verified(report),
            leftovers(report),
            notes(report),
            section("checks", "Checks", filters(report, checks), check_list(report, checks)),
            slowest(report),
            _run(report),
        ),
        tag("script", Html(_asset("page.js"))),
    )
    page = tag("html", _head(report), tag("body", *body), lang="en")
    return f"<!doctype html>\n{page}\n"


@cache
def _asset(name: str) -> str:
    return files("toolbridge_harness.report").joinpath(name).read_text(encoding="utf-8")


def _head(report: Report) -> Html:
    def digest(name: str) -> str:
        return base64.b64encode(hashlib.sha256(_asset(name).encode()).digest()).decode()

    policy = (
        f"default-src 'none'; style-src 'sha256-{digest('page.css')}'; "
        f"script-src 'sha256-{digest('page.js')}'; base-uri 'none'; form-action 'none'"
    )
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name_="color-scheme", content="light dark"),
        tag("meta", name_="referrer", content="no-referrer"),
        tag("title", f"{_word(report)}: {clipped(report.target, 200)} - toolbridge verify"),
        tag("style", Html(_asset("page.css"))),
    )


def _word(report: Report) -> str:
    return {0: "GREEN", 5: "NOTHING RAN"}.get(report.exit_code, "RED")


def _verdict(report: Report, checks: Mapping[str, Check]) -> Html:
    """Return the verdict and, when it is red, the first cause with its remedy."""
    word = _word(report)
    first = _first_cause(report, checks) if word == "RED" else None
    plain = {
        "GREEN": _green_line(report),
        "NOTHING RAN": "No selected check applies to this target",
    }
    return tag(
        "header",
        tag("p", word, class_="word"),
        _cause(first, report, "h1") if first else tag("h1", plain[word]),
        tag(
            "p",
            tag("code", clipped(report.target, SENTENCE_BYTES)),
            tag("br"),
            f"{report.mode}, profile {report.profile}, {spent(report.seconds)}, ",
            tag("time", _moment(report.started), datetime=report.started),
            class_="quiet",
        ),
        class_=f"verdict {word.lower().replace(' ', '-')}",
    )


def _green_line(report: Report) -> str:
    said = ", ".join(f"{number} {word}" for _, word, number in counted(report.results))
    accepted_some = any(result.accepted for result in report.results)
    return f"No failure{' but what the baseline accepts' if accepted_some else ''}: {said}"


def _first_cause(report: Report, checks: Mapping[str, Check]) -> Cause:
    if report.causes:
        return report.causes[0]
    if report.problems:
        return Cause("", report.problems[0], "", ())
    first = next(result for result in report.results if result.red)
    headline = f"{first.check}: {first.outcome.value}"
    return Cause(first.check, headline, checks[first.check].remedy, ())


def _cause(cause: Cause, report: Report, heading: str) -> Html:
    fix = tag("p", tag("b", "Fix "), clipped(cause.remedy, SENTENCE_BYTES), class_="fix")
    known = any(result.check == cause.id for result in report.results)
    evidence = tag("p", "Evidence: ", link(cause.id, report)) if known else ""
    count = len(cause.explains)
    explains = tag(
        "details",
        tag("summary", f"This explains {count} other red check{'' if count == 1 else 's'}"),
        ids(cause.explains, report),
    )
    headline = tag(heading, clipped(cause.headline, HEADLINE_BYTES))
    return join(headline, fix if cause.remedy else "", evidence, explains if count else "")


def _more_causes(report: Report) -> Html:
    """Return the other reasons why the run is red; beyond the first few they are folded."""
    # What is said as a cause, or stands in the headline, is not said again.
    told = {cause.headline for cause in report.causes} or set(report.problems[:1])
    problems = [problem for problem in report.problems if problem not in told]
    said = [tag("li", _cause(cause, report, "h3")) for cause in report.causes[1:]]
    said += [tag("li", clipped(p, SENTENCE_BYTES)) for p in problems[:SHOWN_PROBLEMS]]
    if len(problems) > SHOWN_PROBLEMS:
        said.append(tag("li", f"{len(problems) - SHOWN_PROBLEMS} more, in the JSON report"))
    few, rest = said[:SHOWN_CAUSES], said[SHOWN_CAUSES:]
    more = tag("details", tag("summary", f"{len(rest)} more"), tag("ul", *rest, class_="causes"))
    shown = (tag("ul", *few, class_="causes"), more if rest else "")
    return section("causes", "Also", *shown) if few else Html()


def _run(report: Report) -> Html:
    facts: dict[str, str] = {
        "target": report.target,
        "mode": report.mode,
        "profile": report.profile,
        "started": _moment(report.started),
        "took": spent(report.seconds),
        "seed": str(report.seed),
        "exit code": str(report.exit_code),
        "toolbridge": report.version,
        **{
            key: value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
            for key, value in sorted(report.extra.items())
            if key != UNSELECTED
        },
    }
    rows = [
        join(tag("dt", name), tag("dd", clipped(value, SENTENCE_BYTES)))
        for name, value in facts.items()
    ]
    return section("run", "This run", tag("dl", *rows))


def _moment(started: str) -> str:
    """Return an RFC 3339 time without its fraction, in words of UTC."""
    return started[:19].replace("T", " ") + " UTC" if started.endswith("+00:00") else started
