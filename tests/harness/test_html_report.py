"""The HTML report: one page that needs nothing else, whatever the target sent."""

import base64
import hashlib
import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from support.harness_fakes import a_check, a_report, failed
from support.html_pages import CHECKS, GREEN, HOSTILE, RED, Page
from toolbridge_harness.model import (
    UNSELECTED,
    Cause,
    Exchange,
    LeftBehind,
    NotVerified,
    Outcome,
    Report,
    Result,
)
from toolbridge_harness.report import html
from toolbridge_harness.report.files import parse_destinations, write_reports
from toolbridge_harness.report.markup import clipped, shown, tag

ACCEPTED = a_report(failed("demo-a", accepted="known"), Result("demo-b", Outcome.PASS))
EVERYWHERE = replace(
    RED,
    target=HOSTILE,
    mode=HOSTILE,
    profile=HOSTILE,
    version=HOSTILE,
    started=HOSTILE,
    results=tuple(
        replace(
            result,
            expected=HOSTILE,
            actual=HOSTILE,
            detail=HOSTILE,
            accepted=result.accepted and HOSTILE,
            exchanges=(Exchange(HOSTILE, HOSTILE, 0.1),),
        )
        for result in RED.results
    ),
    causes=(Cause("demo-b", HOSTILE, HOSTILE, ("demo-c",)), Cause(HOSTILE, HOSTILE, HOSTILE, ())),
    not_verified=(NotVerified((HOSTILE,), HOSTILE, HOSTILE),),
    problems=(HOSTILE,),
    notes=(HOSTILE,),
    extra={HOSTILE: [HOSTILE]},
    left_behind=(LeftBehind(HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
)


def a_long_run(text: str, exchanges: int, count: int = 100) -> Report:
    """Return a run of `count` failures, each with `text` wherever a target's words can stand."""
    sent = tuple(Exchange(text, text, 0.1) for _ in range(exchanges))
    return a_report(
        *(failed(f"demo-{n}", text, detail=text, exchanges=sent) for n in range(count)),
        causes=tuple(Cause(f"demo-{n}", text, "Fix.", ()) for n in range(count)),
    )


def test_every_check_appears_once() -> None:
    """Each result has one row, whose id is the check's."""
    rows = Page(html.render(RED, CHECKS)).all("details")

    ids = [row["id"] for row in rows if "id" in row]
    assert sorted(f"check-{result.check}" for result in RED.results) == sorted(ids)


@pytest.mark.parametrize("report", [RED, GREEN, EVERYWHERE, a_report()])
def test_the_page_is_well_formed(report: Report) -> None:
    """Every element is closed in order, no id is given twice, and every link leads somewhere."""
    page = Page(html.render(report, CHECKS))

    ids = [element["id"] for _, element in page.elements if "id" in element]
    targets = {link["href"] for link in page.all("a")} - {"#checks"}
    assert [] == page.open
    assert sorted(set(ids)) == sorted(ids)
    assert targets <= {f"#{name}" for name in ids}


def test_the_first_cause_comes_before_everything_else() -> None:
    """Verdict, cause and fix; then other causes, numbers, and only then the checks."""
    words = Page(html.render(RED, CHECKS)).words().partition("Skip to the checks")[2]
    order = [
        "RED",
        "demo-b is broken",
        "Fix demo-b.",
        "This explains 1 other red check",
        "other-g could not be tested",
        "2 strays",
        "Areas and severities",
        "The claim of demo-b holds",
    ]

    assert sorted(places := [words.index(said) for said in order]) == places


def test_many_causes_do_not_push_the_rest_away() -> None:
    """The first few causes are read at once; the others are counted and fold."""
    checks = {f"demo-{n}": a_check(f"demo-{n}") for n in range(30)}
    text = html.render(a_long_run("bad", exchanges=0, count=30), checks)
    also = text.partition('<section id="causes">')[2].partition("</section>")[0]

    assert "21 more" == Page(also).words("summary")
    assert 29 == len(Page(also).all("h3"))


def test_a_headline_is_cut_where_it_is_no_headline() -> None:
    """A cause of thousands of characters leaves room for its remedy."""
    report = a_report(failed("demo-a"), causes=(Cause("demo-a", "x" * 3000, "Fix.", ()),))

    assert "x" * 300 + "… (2700 characters more)" == Page(html.render(report, CHECKS)).words("h1")


@pytest.mark.parametrize("first", ["demo-b", "other-g"])
def test_the_area_and_the_check_with_the_cause_come_first_and_open(first: str) -> None:
    """Nobody has to look for the evidence of the first cause, however grave the others are."""
    causes = sorted(RED.causes, key=lambda cause: cause.id != first)
    page = Page(html.render(replace(RED, causes=tuple(causes)), CHECKS))
    rows = [row for row in page.all("details") if "id" in row]

    assert f"check-{first}" == rows[0]["id"]
    assert [f"check-{first}"] == [row["id"] for row in rows if "open" in row]


def test_in_an_area_what_needs_reading_comes_first() -> None:
    """Failures of their own, then what follows from a cause, then the rest, each by id."""
    report = a_report(
        Result("demo-a", Outcome.PASS),
        failed("demo-b", cause="demo-c"),
        Result("demo-c", Outcome.UNTESTABLE),
    )
    rows = [row for row in Page(html.render(report, CHECKS)).all("details") if "id" in row]

    assert ["check-demo-c", "check-demo-b", "check-demo-a"] == [row["id"] for row in rows]


@pytest.mark.parametrize("causes", [(), (Cause("x", "2 strays", "Fix.", ()),)])
def test_what_is_the_headline_is_said_once(causes: tuple[Cause, ...]) -> None:
    """The run's own problem that is the first cause, or stands for it, is not listed too."""
    report = a_report(problems=("2 strays", "late"), causes=causes)
    words = Page(html.render(report, CHECKS)).words("h1", "li")

    assert "2 strays\nlate" == words


def test_a_failure_carries_its_evidence() -> None:
    """Expected, actual, why, fix, source, rows, replay command and exchanges are all there."""
    words = Page(html.render(RED, CHECKS)).words()

    for said in (
        "one thing",
        "something else",
        "It matters.",
        "RFC 8725 §3.1",
        "ROW-1",
        "POST /mcp",
        "HTTP 200",
        "exchange 1 of 1, 100 ms",
        "toolbridge verify --url https://proxy.test --only demo-b --seed 7",
    ):
        assert said in words, said


def test_what_was_not_verified_says_how_to_enable_it() -> None:
    """A missing vantage and a shorter profile are both said, with the check's id."""
    report = replace(RED, extra={**RED.extra, UNSELECTED: ["other-z"]})

    words = Page(html.render(report, CHECKS)).words()

    assert "needs logs; to enable, use --launch" in words
    assert "not selected by profile gate or by --only" in words
    assert 1 == words.count("other-z")


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("warnings", "The claim of other-d holds: expected this, got that"),
        ("accepted", "known since spring"),
        ("notes", "the clock is slow"),
        ("run", "2025-11-25"),
        ("run", "https://proxy.test"),
        ("run", "1.2.3"),
        ("run", "2026-01-02 03:04:05 UTC"),
    ],
)
def test_each_kind_of_finding_has_its_section(section: str, said: str) -> None:
    """Warnings, accepted failures, notes and the facts of the run stand under their headings."""
    text = html.render(RED, CHECKS)
    part = text.partition(f'<section id="{section}">')[2].partition("</section>")[0]

    assert said in Page(part).words()


def test_only_what_the_baseline_accepts_is_listed_as_accepted() -> None:
    """A failure that nobody accepted is not found in that list."""
    text = html.render(RED, CHECKS)
    part = text.partition('<section id="accepted">')[2].partition("</section>")[0]

    assert ["#check-other-f"] == [link["href"] for link in Page(part).all("a")]


def test_the_matrix_counts_outcomes_by_area_and_severity() -> None:
    """Each cell's link says its number, and picks what it counts."""
    page = Page(html.render(RED, CHECKS))
    cells = {
        (cell["data-pick-area"], cell["data-pick-severity"], cell["data-pick-state"]): cell["title"]
        for cell in page.all("a")
        if "data-pick-severity" in cell
    }

    assert {
        ("demo", "critical", "pass"): "1 passed",
        ("demo", "critical", "fail"): "1 failed",
        ("demo", "high", "fail"): "1 failed",
        ("other", "low", "warning"): "1 warned",
        ("other", "high", "not applicable"): "1 did not apply",
        ("other", "high", "accepted"): "1 accepted by the baseline",
        ("other", "high", "untestable"): "1 could not be tested",
    } == cells


def test_filters_offer_only_what_is_there() -> None:
    """Without scripts the form stays hidden; every option that it offers finds a check."""
    page = Page(html.render(RED, CHECKS))
    rows = [row for row in page.all("details") if "id" in row]
    found = {row[f"data-{kind}"] for row in rows for kind in ("state", "area", "severity")}

    assert "hidden" in page.all("form")[0]
    assert {"", "red", "root"} | found == {option["value"] for option in page.all("option")}
    assert ["check-demo-b", "check-other-g"] == [row["id"] for row in rows if "data-root" in row]
    assert 3 == sum("data-red" in row for row in rows)


def test_the_slowest_checks_are_drawn_to_scale() -> None:
    """The longest bar is full; a check of an eighth of its time has an eighth of its length."""
    bars = [bar["width"] for bar in Page(html.render(RED, CHECKS)).all("rect")]

    assert ["100.00", "12.50"] == bars


@pytest.mark.parametrize(
    ("report", "headline"),
    [
        (RED, "demo-b is broken"),
        (GREEN, "No failure: 3 passed"),
        (
            ACCEPTED,
            "No failure but what the baseline accepts: 1 accepted by the baseline, 1 passed",
        ),
        (a_report(), "No selected check applies to this target"),
        (a_report(problems=("it died",)), "it died"),
        (a_report(failed("demo-a")), "demo-a: fail"),
    ],
)
def test_the_headline_says_the_verdict(report: Report, headline: str) -> None:
    """The first heading is the cause, or that all is well, or that nothing ran."""
    assert headline == Page(html.render(report, CHECKS)).words("h1")


def test_hostile_text_is_text() -> None:
    """Wherever a target's words stand, they make no element, no attribute and no script."""
    mild, hostile = (Page(html.render(report, CHECKS)) for report in (RED, EVERYWHERE))
    ours = {(name, key) for name, have in mild.elements for key in have}

    assert set() == {(name, key) for name, have in hostile.elements for key in have} - ours
    assert 1 == len(hostile.all("script"))
    assert mild.words("script", "style") == hostile.words("script", "style")
    assert "<script>alert(1)</script>" in hostile.words("pre")


def test_every_text_of_a_report_was_hostile() -> None:
    """The test above leaves no text field out: a new one must be added to it."""
    plain = {"seed", "seconds", "results"}
    texts = {field.name for field in fields(Report)} - plain

    assert {name for name in texts if HOSTILE[:9] in str(getattr(EVERYWHERE, name))} == texts


def test_what_cannot_be_seen_is_spelled() -> None:
    """Control characters, half surrogates and marks that turn the text do not reach the page."""
    text = html.render(EVERYWHERE, CHECKS)

    assert [] == re.findall("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\ud800-\udfff]", text)
    assert r"\u0000\u001b[31m\u202etxt\ud800" in text


@pytest.mark.parametrize("report", [RED, EVERYWHERE])
def test_nothing_is_loaded(report: Report) -> None:
    """No element has an address to load, and the policy forbids what is not on the page."""
    page = Page(html.render(report, CHECKS))
    policy = page.all("meta", http_equiv="Content-Security-Policy")[0]["content"]
    style_and_script = page.words("style", "script")

    assert [] == [have for _, have in page.elements if {"src", "srcset", "action"} & set(have)]
    assert [] == page.all("link")
    assert {"#"} == {link["href"][0] for link in page.all("a")}
    assert [] == re.findall(r"https?://|url\(|@import|fetch|XMLHttp", style_and_script)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy


@pytest.mark.parametrize(("name", "directive"), [("style", "style-src"), ("script", "script-src")])
def test_the_policy_names_the_pages_own_style_and_script(name: str, directive: str) -> None:
    """A browser applies them only when their digests are those of the policy."""
    page = Page(html.render(RED, CHECKS))
    policy = page.all("meta", http_equiv="Content-Security-Policy")[0]["content"]
    digest = base64.b64encode(hashlib.sha256(page.words(name).encode()).digest()).decode()

    assert f"{directive} 'sha256-{digest}'" in policy
    assert [] == [have for _, have in page.elements if "style" in have]


@pytest.mark.parametrize(
    "report",
    [RED, GREEN, a_report(*(Result(f"demo-{x}", Outcome.WARNING, detail=x) for x in "abc"))],
)
def test_equal_runs_make_equal_pages(report: Report) -> None:
    """A page depends on its report alone, not on the order in which checks ended."""
    turned = replace(report, results=report.results[::-1])

    assert html.render(report, CHECKS) == html.render(report, CHECKS)
    assert html.render(report, CHECKS) == html.render(turned, CHECKS)


@pytest.mark.parametrize("text", ["word " * 800, HOSTILE * 50, "\u202e" * 4000, '"' * 4000])
def test_a_run_of_a_hundred_checks_stays_under_a_megabyte(text: str) -> None:
    """Whatever a hundred failing checks kept, the page opens at once and can be mailed."""
    checks = {f"demo-{n}": a_check(f"demo-{n}") for n in range(100)}

    page = html.render(a_long_run(text, exchanges=6), checks)

    assert len(page.encode()) < 1_000_000


def test_one_failure_is_shown_whole() -> None:
    """Where there is room, nothing is cut."""
    checks = {"demo-0": a_check("demo-0")}
    text = "".join(f"line {number}\n" for number in range(150))

    words = Page(html.render(a_long_run(text, exchanges=6, count=1), checks)).words("pre")

    assert 14 == words.count(text)
    assert "characters more" not in words


def test_a_cause_shows_more_than_what_follows_from_it() -> None:
    """Where room is short, it is short for the checks that nobody reads first."""
    checks = {f"demo-{n}": a_check(f"demo-{n}") for n in range(100)}
    run = a_long_run("word " * 600, exchanges=2)
    follow = tuple(replace(r, cause="demo-0") for r in run.results[1:])
    text = html.render(replace(run, results=(run.results[0], *follow)), checks)
    rows = dict(re.findall(r'<details id="check-(demo-\d+)".*?>(.*?)</details>', text))

    assert len(rows["demo-0"]) > 3 * len(rows["demo-1"])


def test_a_cut_says_how_much_is_missing() -> None:
    """A reader is told that there is more."""
    assert "aaaa… (6 characters more)" == clipped("a" * 10, 4)
    assert "&… (1 characters more)" == clipped("&&", 9)
    assert "a" * 10 == clipped("a" * 10, 10)


def test_text_and_attributes_are_escaped() -> None:
    """The one place that writes elements escapes both."""
    assert '<p title="&quot;&lt;">a &lt;b&gt; "</p>' == tag("p", 'a <b> "', title='"<')
    assert "&lt;&#x27;" == shown("<'")


def test_the_page_is_a_report_format(tmp_path: Path) -> None:
    """`--report html:FILE` writes it, whatever the target sent."""
    path = tmp_path / "report.html"

    write_reports(parse_destinations([f"html:{path}"]), EVERYWHERE, CHECKS)

    assert path.read_text(encoding="utf-8") == html.render(EVERYWHERE, CHECKS)
