"""The long run: what is run, in which order, and what is kept when it is stopped."""

import io
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

import mutate
from mutants import full, rows
from mutants.freshness import code_of
from mutants.full import jobs_for, options, run_full
from mutants.matrix import MUTANTS, VARIANTS, Matrix, Row, read, write
from mutants.pace import Pace, spoken
from mutants.table import Mutant, Variant
from support.matrix_samples import (
    BUG,
    CHECKS,
    CONTROL,
    DEEP,
    GATE,
    LATE,
    OTHER,
    OTHER_BUG,
    SLOWER,
    SPARED,
    SUITE,
    a_row,
    a_run,
)
from toolbridge_harness.model import Capability

ALL: list[Mutant | Variant] = [BUG, OTHER_BUG, SPARED, SLOWER]
KILLED = a_run({LATE: "fail"}, {LATE: ()})


@dataclass
class Stage:
    """Made-up runs by id, in the place of real ones, and what was asked for."""

    reports: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    asked: list[tuple[str, set[str]]] = field(default_factory=list)
    stop_at: str = ""

    async def run(
        self, name: str, words: Sequence[str], seconds: float, real: bool | None
    ) -> tuple[dict[str, Any] | None, float]:
        """Return the report for the checks asked for, as run_suite does."""
        if name == self.stop_at:
            raise KeyboardInterrupt
        only = {word for before, word in pairwise(words) if before == "--only"}
        self.asked.append((name, only))
        report = self.reports.get(name, a_run(ran=tuple(sorted(only))))
        if report is None:
            return None, seconds
        return report | {"results": [r for r in report["results"] if r["check"] in only]}, 2.0


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Put the made-up suite and its runs in the place of the real ones."""
    made = Stage({"a-bug": KILLED})
    monkeypatch.setattr(full, "run_suite", made.run)
    monkeypatch.setattr(full, "run_mutant", made.run)
    monkeypatch.setattr(full, "checks_for", lambda _: [*CHECKS.values()])
    monkeypatch.setattr(full, "all_checks", lambda: CHECKS)
    monkeypatch.setattr(full, "profiles", lambda _: SUITE)
    monkeypatch.setattr(full, "checks_of_matrix", _checks_of)
    monkeypatch.setattr(full, "commit_now", lambda: "abc1234")
    monkeypatch.setattr(full, "write_pages", lambda _: None)
    monkeypatch.setattr(rows, "checks_for", lambda _: [*CHECKS.values()])
    return made


def _checks_of(one: Mutant | Variant) -> list[Any]:
    return [CHECKS[name] for name in (CHECKS if isinstance(one, Variant) else GATE)]


def _known(*found: Row, now: bool = True) -> Matrix:
    matrix = Matrix()
    for row in found:
        kind = VARIANTS if row.id == "slower" else MUTANTS
        one = next(one for one in ALL if one.id == row.id)
        matrix = matrix.with_row(kind, replace(row, code=code_of(one) if now else "old"), SUITE)
    return matrix


def test_never_run_comes_first_then_what_was_wrong_then_what_is_stale(stage: Stage) -> None:
    """A survivor is what somebody waits for."""
    known = _known(a_row("a-bug"), a_row("b-bug", right=False), now=False)

    jobs = jobs_for(ALL, known, SUITE, again=False)

    assert ["c-none", "slower", "b-bug", "a-bug"] == [job.one.id for job in jobs]


def test_a_second_run_has_nothing_to_do(stage: Stage, tmp_path: Path) -> None:
    """Everything is known, and still holds."""
    first = run_full(ALL, tmp_path / "m.json", 2)
    ran = {*stage.asked[0][1]}
    count = len(stage.asked)

    second = run_full(ALL, tmp_path / "m.json", 2)

    assert ({*GATE}, 4, 4) == (ran, count, len(stage.asked))
    # b-bug survives.
    assert (1, 1) == (first, second)


def test_the_rows_of_a_run_are_kept_with_time_and_commit(stage: Stage, tmp_path: Path) -> None:
    """One of each kind."""
    assert 0 == run_full([BUG, SPARED, SLOWER], tmp_path / "m.json", 1)

    found = read(tmp_path / "m.json")
    assert ["killed", "spared", "green"] == [
        row.fate for row in (*found.mutants.values(), *found.variants.values())
    ]
    row = found.mutants["a-bug"]
    assert ("abc1234", code_of(BUG), SUITE.id, 2.0) == (
        row.commit,
        row.code,
        row.suite,
        row.seconds,
    )
    assert row.date.endswith("Z")


def test_a_run_that_is_stopped_keeps_what_it_had(stage: Stage, tmp_path: Path) -> None:
    """The next one goes on there."""
    stage.stop_at = "b-bug"
    with pytest.raises(KeyboardInterrupt):
        run_full([BUG, OTHER_BUG], tmp_path / "m.json", 1)
    assert ["a-bug"] == [*read(tmp_path / "m.json").mutants]

    stage.stop_at = ""
    run_full([BUG, OTHER_BUG], tmp_path / "m.json", 1)

    assert ["a-bug", "b-bug"] == [name for name, _ in stage.asked]


def test_a_changed_check_is_run_alone_with_what_is_red(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is mended and rests on the new state of the suite."""
    store = tmp_path / "m.json"
    run_full([BUG], store, 1)
    newer = replace(SUITE, modules={**SUITE.modules, OTHER: "new"})
    monkeypatch.setattr(full, "profiles", lambda _: newer)
    stage.reports["a-bug"] = a_run({LATE: "fail", OTHER: "fail"}, {OTHER: (LATE,)})

    run_full([BUG], store, 1)
    run_full([BUG], store, 1)

    assert [("a-bug", {*GATE}), ("a-bug", {OTHER, LATE, CONTROL})] == stage.asked
    row = read(store).mutants["a-bug"]
    assert (OTHER, frozenset(GATE), newer.id) == (row.cause, row.ran, row.suite)
    assert row.again is not None
    assert ("abc1234", 3) == (row.again.commit, row.again.checks)


def test_a_part_that_crashes_leaves_the_row(stage: Stage, tmp_path: Path) -> None:
    """It had nothing to add, and is due again."""
    known = _known(a_row(ran=frozenset({*GATE} - {OTHER})))
    write(tmp_path / "m.json", known)
    stage.reports["a-bug"] = None

    code = run_full([BUG], tmp_path / "m.json", 1)

    assert known == read(tmp_path / "m.json")
    # What is known is of yesterday.
    assert 1 == code


def test_a_whole_run_that_crashes_is_kept_as_such_and_repeated(
    stage: Stage, tmp_path: Path
) -> None:
    """The page names it."""
    stage.reports["a-bug"] = None
    assert 1 == run_full([BUG], tmp_path / "m.json", 1)
    assert "crashed" == read(tmp_path / "m.json").mutants["a-bug"].fate

    stage.reports["a-bug"] = KILLED
    assert 0 == run_full([BUG], tmp_path / "m.json", 1)


def test_a_variant_that_was_red_is_run_again(stage: Stage) -> None:
    """The machine may have been too busy: red is never taken from memory."""
    whole = frozenset(CHECKS)
    jobs = [
        jobs_for([SLOWER], _known(Row("slower", fate, whole)), SUITE, again=False)
        for fate in ("green", "red")
    ]

    assert [[], [whole]] == [[job.checks for job in found] for found in jobs]


def test_what_is_named_is_run_whatever_is_known(stage: Stage) -> None:
    """Somebody wants to see it."""
    assert 1 == len(jobs_for([BUG], _known(a_row()), SUITE, again=True))


def test_a_run_asks_for_its_checks_and_says_what_the_proxy_lacks(stage: Stage) -> None:
    """And it ends in time to leave a report."""
    lacking = replace(SLOWER, lacks=frozenset({Capability.METRICS}))
    job = jobs_for([lacking], Matrix(), SUITE, again=False)[0]

    words = options(replace(job, checks=frozenset({LATE, DEEP})), 100.0)

    assert ["--deadline", "70", "--lacks", "metrics", "--only", DEEP, "--only", LATE] == words


@pytest.mark.parametrize(("changed", "commit"), [("", "abc1234"), (" M proxy/x.py", "abc1234+")])
def test_a_commit_is_marked_when_the_code_has_other_changes(
    monkeypatch: pytest.MonkeyPatch, changed: str, commit: str
) -> None:
    """Nobody can check out what was run then."""
    answers = iter(["abc1234", changed])
    monkeypatch.setattr(full, "_git", lambda *_: next(answers))

    assert commit == full.commit_now()


def test_without_git_the_commit_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A source distribution has no history."""

    def fails(*_: str) -> str:
        raise subprocess.CalledProcessError(128, "git")

    monkeypatch.setattr(full, "_git", fails)

    assert "unknown" == full.commit_now()


def test_the_time_left_follows_from_the_weights() -> None:
    """A third of the work took a minute; a pipe gets plain lines, whatever is in them."""
    times, text = iter([0.0, 60.0, 61.0]), io.StringIO()
    pace = Pace(2, 30, Console(file=text, width=20), lambda: next(times))

    pace.done(10, "killed [red] a long line that a terminal would wrap")
    pace.done(20, "killed")

    assert [
        "   1/2  killed [red] a long line that a terminal would wrap  (about 2 min left)",
        "   2/2  killed  (done)",
    ] == text.getvalue().splitlines()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(12.4, "12 s"), (60, "1 min"), (3599, "1 h 00 min"), (7500, "2 h 05 min")],
)
def test_a_duration_is_spoken_in_the_unit_that_says_something(seconds: float, words: str) -> None:
    """Nobody plans a day by the second."""
    assert words == spoken(seconds)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--full", "--real-starts", "M-A99"], "there is no mutant or variant 'M-A99'"),
        (
            ["--full", "--variants", "--real-starts", "M-A01"],
            "there is no mutant or variant 'M-A01'",
        ),
        (["--full", "--changed", "--real-starts"], "--full runs every check"),
        (["--full", "--only", "x", "--real-starts"], "--full runs every check"),
    ],
)
def test_a_full_run_of_nothing_is_refused(words: list[str], said: str) -> None:
    """In a line that says what is wrong."""
    done = CliRunner().invoke(mutate.main, words)

    assert (2, True) == (done.exit_code, said in done.output)


def test_pages_and_the_list_of_grave_checks_come_from_the_store(tmp_path: Path) -> None:
    """Without a run; another file is written beside its own pages."""
    store = str(tmp_path / "scratch.json")

    listed = CliRunner().invoke(mutate.main, ["--alone", "--store", store])
    written = CliRunner().invoke(mutate.main, ["--pages", "--store", store])

    assert (0, 0) == (listed.exit_code, written.exit_code)
    assert "grave checks kill a mutant alone" in listed.output
    assert {"scratch.md", "scratch.html"} == {path.name for path in tmp_path.iterdir()}
