"""`toolbridge diff`: what got better and worse between two recorded runs."""

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from support.harness_fakes import a_check, failed
from support.recorded_runs import recording, recordings, write
from toolbridge_harness import cli
from toolbridge_harness.compare import ABSENT, Group, compare
from toolbridge_harness.model import Cause, Outcome, Result, Severity
from toolbridge_harness.report.comparison import render, render_json
from toolbridge_harness.report.json_reader import Recording

CHECKS = {
    name: a_check(name, severity=severity)
    for name, severity in (
        ("demo-low", Severity.LOW),
        ("demo-high", Severity.HIGH),
        ("demo-top", Severity.CRITICAL),
        ("other-top", Severity.CRITICAL),
    )
}


def a_run(*results: Result, **run: Any) -> Recording:
    return recording(*results, checks={r.check: CHECKS[r.check] for r in results}, **run)


def passed(name: str) -> Result:
    return Result(name, Outcome.PASS)


def diff(old: Recording, new: Recording, tmp_path: Path, *options: str) -> int:
    files = [write(tmp_path / name, run) for name, run in (("old.json", old), ("new.json", new))]
    return cli.run(["diff", *map(str, files), *options])


STATES: dict[str, Result | None] = {
    "pass": Result("demo-top", Outcome.PASS),
    "warning": Result("demo-top", Outcome.WARNING),
    "accepted": failed("demo-top", accepted="known"),
    "fail": failed("demo-top"),
    "untestable": Result("demo-top", Outcome.UNTESTABLE),
    "error": Result("demo-top", Outcome.ERROR),
    "not applicable": Result("demo-top", Outcome.NOT_APPLICABLE),
    ABSENT: None,
}
# Rows: the old run; columns: the new run, in the order of STATES. "." is no change that matters.
TABLE = """
pass            .       warns   accepted  worse   worse   worse   gone    gone
warning         better  .       accepted  worse   worse   worse   gone    gone
accepted        better  better  .         worse   worse   worse   gone    gone
fail            better  better  accepted  .       .       .       gone    gone
untestable      better  better  accepted  .       .       .       gone    gone
error           better  better  accepted  .       .       .       gone    gone
not_applicable  new     new     new       worse   worse   worse   .       .
not_in_the_run  new     new     new       new     new     new     .       .
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]
CASES = [
    (row[0].replace("_", " "), after, group)
    for row in ROWS
    for after, group in zip(STATES, row[1:], strict=True)
]


@pytest.mark.parametrize(("before", "after", "group"), CASES)
def test_each_pair_of_outcomes_has_its_group(before: str, after: str, group: str) -> None:
    """Red now and not before is worse; red before and not looked at now is gone, not better."""
    old, new = (a_run(*filter(None, [STATES[state]])) for state in (before, after))

    found = compare(old, new)

    expected = [] if group == "." else [(group, before, after)]
    assert expected == [(c.group.value, c.before, c.after) for c in found.changes]
    assert (group == "worse") == found.worse


OLD = a_run(
    passed("demo-low"),
    passed("demo-top"),
    passed("demo-high"),
    failed("other-top"),
    causes=(Cause("other-top", "other-top is broken", "Fix it.", ()),),
)
NEW = a_run(
    failed("demo-low"),
    failed("demo-top"),
    failed("demo-high", cause="demo-top"),
    passed("other-top"),
    causes=(
        Cause("demo-low", "demo-low is broken", "Fix it.", ()),
        Cause("demo-top", "demo-top is broken", "Fix it.", ("demo-high",)),
    ),
)
WORSE_TEXT = """\
WORSE 3 worse, 0 gone, 0 accepted, 0 warns, 1 better, 0 new

worse: red now, and was not ────────────────────────────────────────────────────────────────────────
critical demo-top  pass → fail
    The claim of demo-top holds
    expected  one thing
    actual  something else
    fix  Fix demo-top.
low demo-low  pass → fail
    The claim of demo-low holds
    expected  one thing
    actual  something else
    fix  Fix demo-low.
following from demo-top
    demo-high

better ─────────────────────────────────────────────────────────────────────────────────────────────
critical other-top  fail → pass

causes that appeared ───────────────────────────────────────────────────────────────────────────────
critical demo-top  demo-top is broken
low demo-low  demo-low is broken

causes that disappeared ────────────────────────────────────────────────────────────────────────────
critical other-top  other-top is broken

old  red, 4 checks, black-box, gate, seed 7, 2026-01-02T03:04:05+00:00, toolbridge 1.2.3
new  red, 4 checks, black-box, gate, seed 7, 2026-01-02T03:04:05+00:00, toolbridge 1.2.3
"""


def test_a_worse_run_reads_severest_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What to look at comes first, with expected, actual and fix; consequences are folded."""
    assert 1 == diff(OLD, NEW, tmp_path)
    assert WORSE_TEXT == capsys.readouterr().out


def test_the_same_run_is_not_worse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A red run is no worse than itself, and nothing is listed."""
    assert 0 == diff(NEW, NEW, tmp_path)
    out = capsys.readouterr().out
    assert out.startswith(
        "NOT WORSE 0 worse, 0 gone, 0 accepted, 0 warns, 0 better, 0 new\n\nold  "
    )
    assert 4 == len(out.splitlines())


def test_what_is_compared_unalike_is_said_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another target and another profile are in the first line, with both names."""
    new = a_run(passed("demo-top"), target="https://other.test", profile="smoke")

    assert 0 == diff(a_run(passed("demo-top")), new, tmp_path)
    first = capsys.readouterr().out.partition("\n")[0]
    assert first.endswith(
        "; the target differs: https://proxy.test, now https://other.test"
        "; the profile differs: gate, now smoke"
    )


def test_a_red_check_that_did_not_run_is_gone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not looking is no improvement, and the reason that the run gave is repeated."""
    new = a_run(Result("demo-top", Outcome.NOT_APPLICABLE, detail="needs logs"))

    assert 0 == diff(a_run(failed("demo-top")), new, tmp_path)
    out = capsys.readouterr().out
    assert "NOT WORSE 0 worse, 1 gone, 0 accepted, 0 warns, 0 better, 0 new" in out
    assert "critical demo-top  fail → not applicable: needs logs\n" in out


def test_a_required_vantage_that_went_missing_is_worse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Checks that are gone for want of something required do not leave the gate open."""
    missing = "the vantage mint is required but missing: set TOOLBRIDGE_JWT_SECRET"
    gone = Result("demo-top", Outcome.NOT_APPLICABLE, detail="needs mint")
    new = a_run(gone, passed("demo-low"), problems=(missing,))
    old = a_run(passed("demo-top"), passed("demo-low"))

    assert 1 == diff(old, new, tmp_path)
    out = capsys.readouterr().out
    assert out.startswith("WORSE 0 worse, 1 gone")
    assert f"\nnew problem  {missing}\n" in out
    assert 0 == diff(new, new, tmp_path)
    assert 0 == diff(new, old, tmp_path)
    assert f"\nsolved problem  {missing}\n" in capsys.readouterr().out


def test_a_problem_of_the_run_is_known_by_its_cause_and_not_its_words() -> None:
    """Strays are the same problem, whichever request was the first one this time."""

    def strays(first: str) -> Recording:
        cause = Cause("run-strays", f"the wrong user: {first}", "Send the right token.", ())
        return a_run(passed("demo-top"), causes=(cause,), problems=(cause.headline,))

    again = compare(strays("POST /v1/notes"), strays("GET /v1/tasks"))
    first = compare(a_run(passed("demo-top")), strays("GET /v1/tasks"))

    assert (False, (), ()) == (again.worse, again.problems_appeared, again.causes_appeared)
    assert (True, ("the wrong user: GET /v1/tasks",)) == (first.worse, first.problems_appeared)
    assert [("run-strays", None)] == [(c.id, c.severity) for c in first.causes_appeared]


def test_a_check_graded_otherwise_is_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A suite that takes a claim more seriously now does not make the target worse."""
    result = failed("demo-a")
    old = recording(result, checks={"demo-a": a_check("demo-a", severity=Severity.LOW)})
    new = recording(result, checks={"demo-a": a_check("demo-a", severity=Severity.CRITICAL)})

    assert 0 == diff(old, new, tmp_path)
    assert "\ndemo-a  low → critical, fail\n" in capsys.readouterr().out


def test_programs_get_one_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same facts as JSON, with a version, and the same exit code."""
    assert 1 == diff(OLD, NEW, tmp_path, "--json")

    document = json.loads(capsys.readouterr().out)
    assert (1, True) == (document["schema"], document["worse"])
    counts = {"worse": 3, "gone": 0, "accepted": 0, "warns": 0, "better": 1, "new": 0}
    assert counts == document["counts"]
    worse = [(c["severity"], c["check"], c["cause"]) for c in document["changes"]["worse"]]
    assert [
        ("critical", "demo-top", ""),
        ("high", "demo-high", "demo-top"),
        ("low", "demo-low", ""),
    ] == worse
    assert ["demo-top", "demo-low"] == [c["id"] for c in document["causes"]["appeared"]]
    assert ["other-top"] == [c["id"] for c in document["causes"]["disappeared"]]


@pytest.mark.parametrize("bad", ["old.json", "new.json"])
def test_a_file_that_is_no_run_is_named(
    bad: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Either file is refused in one line, exit code 4, nothing on standard output."""
    files = [write(tmp_path / name, OLD) for name in ("old.json", "new.json")]
    (tmp_path / bad).write_text("{}")

    assert 4 == cli.run(["diff", *map(str, files)])
    captured = capsys.readouterr()
    assert ("", 1) == (captured.out, len(captured.err.splitlines()))
    assert f"{tmp_path / bad}: not a recorded run" in captured.err


@given(recordings(), recordings())
def test_every_check_is_in_one_group_at_most(old: Recording, new: Recording) -> None:
    """Any two runs can be compared and printed, and no text in them acts on the terminal."""
    found = compare(old, new)

    names = [change.check for change in found.changes]
    assert len(set(names)) == len(names)
    ranks = [list(Severity).index(change.severity) for change in found.changes]
    assert sorted(ranks) == ranks
    assert {"\n", "\t"} >= {c for c in render(found) if unicodedata.category(c) == "Cc"}
    assert found.worse == json.loads(render_json(found))["worse"]


@given(recordings())
def test_nothing_changed_between_a_run_and_itself(run: Recording) -> None:
    """Comparing a run with itself finds nothing, whatever it holds."""
    found = compare(run, run)

    assert ((), (), (), ()) == (
        found.changes,
        found.causes_appeared,
        found.problems_appeared,
        found.severities,
    )
    assert not found.worse
    assert [(), ()] == [found.group(Group.WORSE), found.group(Group.NEW)]
