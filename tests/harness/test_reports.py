"""The reports: pure functions of the result model."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from support.harness_fakes import a_check, a_report, failed
from toolbridge_harness.errors import UsageProblem
from toolbridge_harness.model import Cause, Exchange, NotVerified, Outcome, Report, Result
from toolbridge_harness.report import json_report, junit, terminal
from toolbridge_harness.report.files import parse_destinations, write_reports

CHECKS = {name: a_check(name) for name in ("demo-a", "demo-b", "demo-c", "other-d", "other-e")}
GREEN = a_report(Result("demo-a", Outcome.PASS), Result("demo-b", Outcome.NOT_APPLICABLE))
RED = a_report(
    Result("demo-a", Outcome.PASS),
    failed("demo-b", exchanges=(Exchange("POST /mcp", "HTTP 200", 0.1),)),
    failed("demo-c", cause="demo-b"),
    Result("other-d", Outcome.WARNING, expected="this", actual="that"),
    Result("other-e", Outcome.NOT_APPLICABLE, detail="needs logs"),
    causes=(Cause("demo-b", "demo-b is broken", "Fix demo-b.", ("demo-c",)),),
    not_verified=(NotVerified(("other-e",), "needs logs", "use --launch"),),
)

RED_TEXT = """\
RED demo-b is broken
    fix  Fix demo-b.
    this explains  demo-c

demo ───────────────────────────────────────────────────────────────────────────
fail demo-b (high, ROW-1)
    The claim of demo-b holds
    expected  one thing
    actual  something else
    last exchange
      > POST /mcp
      < HTTP 200
    fix  Fix demo-b.
    replay  toolbridge verify --url https://proxy.test --only demo-b --seed 7

other ──────────────────────────────────────────────────────────────────────────
warning other-d (high, ROW-1)
    The claim of other-d holds
    expected  this
    actual  that
    fix  Fix other-d.
    replay  toolbridge verify --url https://proxy.test --only other-d --seed 7

Not verified
    1 check: needs logs; to enable, use --launch
    other-e

5 checks: 1 passed, 2 failed, 0 could not be tested, 0 broke (our bug), 1 warned, 1 did not apply
mode black-box, profile gate, seed 7, 1.5 s, toolbridge 1.2.3
"""


def test_a_red_run_reads_cause_first() -> None:
    """Verdict, cause and fix come first; consequences stay folded under their cause."""
    assert RED_TEXT == terminal.render(RED, CHECKS, width=80)


def test_a_green_run_is_short() -> None:
    """Nothing to do, nothing to read."""
    text = terminal.render(GREEN, CHECKS, width=80)

    assert text.startswith("GREEN https://proxy.test\n")
    assert 4 == len(text.splitlines())


def test_a_pipe_gets_plain_text() -> None:
    """Without colour there is no escape sequence and no blank at a line's end."""
    text = terminal.render(RED, CHECKS)

    assert "\x1b" not in text
    assert [] == [line for line in text.splitlines() if line != line.rstrip()]
    assert "\x1b[" in terminal.render(RED, CHECKS, colour=True)


def test_text_from_the_wire_is_not_markup() -> None:
    """What a target sends cannot colour, hide or break the report."""
    report = a_report(failed("demo-a", "[red]boo[/] [/bold] [link=x]"))

    assert "actual  [red]boo[/] [/bold] [link=x]" in terminal.render(report, CHECKS)


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (GREEN, 0),
        (RED, 1),
        (a_report(Result("demo-a", Outcome.UNTESTABLE)), 1),
        (a_report(Result("demo-a", Outcome.ERROR)), 3),
        (a_report(Result("demo-a", Outcome.ERROR), failed("demo-b")), 1),
        (a_report(Result("demo-a", Outcome.WARNING)), 0),
        (a_report(Result("demo-a", Outcome.NOT_APPLICABLE)), 5),
        (a_report(), 5),
        (a_report(Result("demo-a", Outcome.PASS), problems=("a stray",)), 1),
        (a_report(problems=("it died",)), 1),
        (a_report(failed("demo-a", accepted="known")), 0),
    ],
)
def test_the_exit_code_says_what_happened(report: Report, code: int) -> None:
    """0 green, 1 red, 3 our bug alone, 5 nothing ran."""
    assert code == report.exit_code


def test_json_is_one_document_with_a_version() -> None:
    """Programs find verdict, counts and each result with its check's words."""
    document = json.loads(json_report.render(RED, CHECKS))

    assert (1, "red", 1) == (document["schema"], document["verdict"], document["exit_code"])
    counts = {"pass": 1, "fail": 2, "untestable": 0, "error": 0, "warning": 1, "not applicable": 1}
    assert counts == document["counts"]
    assert "Fix demo-b." == document["results"][1]["remedy"]


def test_junit_files_each_outcome_where_ci_looks_for_it() -> None:
    """Fail is a failure, untestable an error, what did not apply is skipped; ids are names."""
    report = a_report(
        Result("demo-a", Outcome.PASS),
        failed("demo-b", "\x00\x1b[31m bad & <worse>"),
        Result("demo-c", Outcome.UNTESTABLE, detail="control failed"),
        Result("other-d", Outcome.NOT_APPLICABLE, detail="needs logs"),
        problems=("2 strays",),
    )
    root = ET.fromstring(junit.render(report, CHECKS))
    found = {
        case.get("name"): [child.tag for child in case if child.tag != "system-out"]
        for case in root.iter("testcase")
    }

    assert {
        "demo-a": [],
        "demo-b": ["failure"],
        "demo-c": ["error"],
        "other-d": ["skipped"],
        "run-complete": ["failure"],
    } == found
    assert ("5", "2", "1", "1") == tuple(
        root.get(name) for name in ("tests", "failures", "errors", "skipped")
    )


def test_reports_are_written(tmp_path: Path) -> None:
    """Each destination gets its own format."""
    paths = {name: tmp_path / name for name in ("json", "junit", "text")}
    destinations = parse_destinations([f"{name}:{path}" for name, path in paths.items()])

    write_reports(destinations, RED, CHECKS)

    assert "red" == json.loads(paths["json"].read_text())["verdict"]
    assert paths["junit"].read_text().startswith("<?xml")
    assert paths["text"].read_text().startswith("RED")


@pytest.mark.parametrize("value", ["json", "xml:file", "json:", "json:/no/such/folder/file"])
def test_a_report_that_cannot_be_written_is_found_before_the_run(value: str) -> None:
    """A wrong --report costs no run."""
    with pytest.raises(UsageProblem, match="--report"):
        parse_destinations([value])
