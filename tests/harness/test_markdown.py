"""The report for a job's summary page: Markdown."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from markdown_it import MarkdownIt

from support.harness_fakes import a_check, a_report, failed
from support.report_samples import (
    CHECKS,
    EVERYTHING,
    GOLDEN,
    GREEN,
    HARMLESS,
    NOTHING,
    hostile,
    hostile_reports,
    many,
)
from toolbridge_harness.model import Outcome, Report
from toolbridge_harness.report import markdown
from toolbridge_harness.report.files import parse_destinations, write_reports
from toolbridge_harness.report.plain import one_line, printable

RED = a_report(failed("demo-b"))
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


class _Page(HTMLParser):
    """How many tags of each kind a page has, and the text that follows each opening one."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.texts: list[tuple[str, str]] = []
        self.feed(PARSER.render(text))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.texts.append((tag, ""))

    def handle_endtag(self, tag: str) -> None:
        self.handle_starttag(f"/{tag}", [])

    def handle_comment(self, data: str) -> None:
        self.tags["comment"] += 1

    def handle_data(self, data: str) -> None:
        if self.texts:
            tag, before = self.texts[-1]
            self.texts[-1] = (tag, before + data)

    def text(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag]


def test_everything_reads_verdict_and_cause_first() -> None:
    """Verdict, causes, table, failures, warnings, what was not verified, slowest, the run."""
    assert (GOLDEN / "everything.md").read_text() == markdown.render(EVERYTHING, CHECKS)


def test_a_green_run_is_short() -> None:
    """The verdict, the table and the run; nothing to open."""
    text = markdown.render(GREEN, CHECKS)

    assert text.startswith("## ✅ toolbridge verify: green\n")
    assert "<details>" not in text


def test_a_run_of_nothing_is_not_green() -> None:
    """Nothing ran, and the page says so first."""
    assert markdown.render(NOTHING, CHECKS).startswith("## ⚪ toolbridge verify: nothing ran")


@pytest.mark.parametrize("quote", [markdown.text, markdown.code])
@given(words=hostile)
def test_a_line_of_hostile_text_stays_one_cell(quote: Callable[[str], str], words: str) -> None:
    """In a table, text is shown as it is: no cell, tag, link or emphasis comes of it."""
    page = _Page(f"| a | b |\n| - | - |\n| {quote(f'x{words}x')} | end |\n")
    shown = page.text("code" if quote is markdown.code else "td")[0]

    assert one_line(f"x{words}x", markdown.LINE) == shown
    assert "end" == page.text("td")[-1]
    assert {"td": 2, "th": 2}.items() <= page.tags.items()
    assert {"a", "em", "strong", "del", "img", "comment"}.isdisjoint(page.tags)


@given(words=hostile)
def test_a_block_of_hostile_text_ends_where_it_should(words: str) -> None:
    """Lines are kept, and what follows the block is Markdown again."""
    page = _Page(f"{markdown.block(f'x{words}x')}\n**after**\n")

    assert printable(f"x{words}x").splitlines() == page.text("pre")[0].splitlines()
    assert {"pre": 1, "/pre": 1, "strong": 1, "/strong": 1, "p": 1, "/p": 1} == page.tags


@given(report=hostile_reports)
def test_no_text_changes_the_shape_of_the_page(report: Report) -> None:
    """Whatever a target sends, the page has the elements that harmless words give."""
    text = markdown.render(report, CHECKS)

    assert _Page(markdown.render(HARMLESS, CHECKS)).tags == _Page(text).tags
    assert text.encode()


def test_addresses_and_names_do_not_become_links() -> None:
    """GitHub links bare addresses; an answer of the target must not bring one."""
    text = markdown.text("https://e.test www.e.test WWW.e.test @someone #1")

    assert [] == [mark for mark in ("://", "www.", "WWW.", "@", "#1") if mark in text]


@pytest.mark.parametrize("actual", ["z", "é|`<" * 10_000])
@pytest.mark.parametrize("limit", [markdown.LIMIT, 100_000])
def test_the_page_ends_at_githubs_limit(actual: str, limit: int) -> None:
    """A page over the limit is dropped whole: failures are left out, counted, and the run stays."""
    text = markdown.render(*many(400, actual), limit=limit)
    shown = text.count("<details>")

    assert len(text.encode()) <= limit
    assert (shown == 400) == ("left out" not in text)
    assert shown == 400 or f"{400 - shown} failures left out. The JSON report" in text
    assert "### Run" in text


def test_long_answers_do_not_fit_uncut() -> None:
    """The test above has a case that must be cut, at GitHub's own limit too."""
    assert "left out" in markdown.render(*many(400, "é|`<" * 10_000))


def test_failures_come_before_warnings_where_room_is_short() -> None:
    """Failures, warnings and accepted failures share the room, in this order."""
    report, checks = many(60)
    soft, more = many(60, outcome=Outcome.WARNING, prefix="soft")
    both = replace(report, results=(*report.results, *soft.results))

    text = markdown.render(both, {**checks, **more}, limit=30_000)
    shown = text.count("<summary>⚠️")

    assert len(text.encode()) <= 30_000
    assert 60 == text.count("<summary>❌")
    assert 0 < shown < 60
    assert f"limit: {60 - shown} warnings left out." in text


def test_a_claim_may_hold_any_character() -> None:
    """What stands in a `<summary>` is HTML, and still text."""
    claim = "x <b>is</b> <u & |"
    page = _Page(markdown.render(RED, {"demo-b": a_check("demo-b", claim=claim)}))

    assert 1 == page.tags["details"] == page.tags["/details"] == page.tags["/summary"]
    assert any(claim in shown for shown in page.text("/code"))
    assert {"b", "u"}.isdisjoint(page.tags)


@pytest.mark.parametrize("limit", [0, 40, 1000])
def test_what_little_room_there_is_says_the_verdict(limit: int) -> None:
    """First things first, down to nothing."""
    text = markdown.render(EVERYTHING, CHECKS, limit=limit)

    assert len(text.encode()) <= limit
    assert text.startswith("## ❌ toolbridge verify: red") or limit == 0


def test_the_weightiest_failure_is_first() -> None:
    """Critical before high: a cut takes the least."""
    text = markdown.render(EVERYTHING, CHECKS)

    assert text.index("<code>other-f</code> The") < text.index("<code>demo-b</code> The")


def test_the_steps_summary_is_appended_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other commands of the step write there too; the limit holds for all of them."""
    path = tmp_path / "summary"
    path.write_text("x" * 500_000 + "what came before")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    report, checks = many(400, "é|`<" * 10_000)

    write_reports(parse_destinations([f"markdown:{path}"]), GREEN, CHECKS)
    write_reports(parse_destinations([f"markdown:{path}"]), report, checks)

    text = path.read_text()
    assert "what came before\n\n## ✅ toolbridge verify: green\n" in text
    assert "\n## ❌ toolbridge verify: red\n" in text
    assert len(text.encode()) <= markdown.LIMIT


def test_any_other_file_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An old report never passes for this run's."""
    path = tmp_path / "summary.md"
    path.write_text("old")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)

    destinations = parse_destinations([f"markdown:{path}"])
    assert not path.exists()
    write_reports(destinations, GREEN, CHECKS)

    assert markdown.render(GREEN, CHECKS) == path.read_text()
