"""Every report says what a run left behind."""

import json

import pytest

from support.harness_fakes import a_check, a_report
from toolbridge_harness.model import LeftBehind, Outcome, Report, Result
from toolbridge_harness.report.files import FORMATS
from toolbridge_harness.report.leftovers import SHOWN, left_behind

CHECKS = {"demo-a": a_check("demo-a")}
GREEN = a_report(Result("demo-a", Outcome.PASS))
LEFT = a_report(
    Result("demo-a", Outcome.PASS),
    left_behind=(
        LeftBehind("note", "uid-1", "anna", "deleting it failed: HTTP 500"),
        LeftBehind("chat", "", "bert", "the answer never came", certain=False),
    ),
)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_names_what_is_left(name: str) -> None:
    """Kind, uid, user and reason of each object stand in every report, and make nothing red."""
    text = FORMATS[name](LEFT, CHECKS)

    words = ("note", "uid-1", "anna", "deleting it failed", "chat", "bert", "the answer never came")
    assert [] == [word for word in words if word not in text]
    assert 0 == LEFT.exit_code


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_left_is_not_mentioned(name: str) -> None:
    """A run that cleaned up has no such section."""
    assert "left behind" not in FORMATS[name](GREEN, CHECKS).lower()


def test_what_may_be_left_is_told_from_what_is() -> None:
    """One line each; an object that may not exist is called possible."""
    assert [
        "note uid-1 of anna: deleting it failed: HTTP 500",
        "possibly, chat (uid unknown) of bert: the answer never came",
    ] == left_behind(LEFT)


def test_a_long_list_is_cut_and_counted() -> None:
    """The report for people stays readable; the JSON report holds all of it."""
    report = a_report(
        *LEFT.results,
        left_behind=tuple(LeftBehind("note", f"u{n}", "anna", "x") for n in range(SHOWN + 3)),
    )

    assert (SHOWN + 1, "3 more, in the JSON report") == (
        len(left_behind(report)),
        left_behind(report)[-1],
    )
    assert SHOWN + 3 == len(json.loads(FORMATS["json"](report, CHECKS))["left_behind"])


def test_the_text_has_a_section_of_its_own() -> None:
    """People find it between what was not verified and the counts."""
    lines = FORMATS["text"](LEFT, CHECKS).splitlines()
    place = lines.index("Left behind")

    assert "    note uid-1 of anna: deleting it failed: HTTP 500" == lines[place + 1]
    assert lines[place + 4].startswith("1 check: 1 passed")


def test_a_run_of_before_has_nothing_left() -> None:
    """The field is new: a report that is made without it has none."""
    assert (
        ()
        == Report(
            version="1",
            target="x",
            mode="embedded",
            profile="gate",
            seed=1,
            started="",
            seconds=0,
            results=(),
        ).left_behind
    )
