"""The report for a GitHub Actions log: workflow commands."""

import os
import re
from pathlib import Path

import click
import pytest
from hypothesis import given

from support.harness_fakes import a_report, failed
from support.report_samples import (
    CHECKS,
    EVERYTHING,
    GOLDEN,
    HARMLESS,
    NOTHING,
    hostile,
    hostile_reports,
    many,
)
from toolbridge_harness.errors import UsageProblem
from toolbridge_harness.model import Outcome, Report
from toolbridge_harness.report import files, github
from toolbridge_harness.report.files import parse_destinations, write_reports
from toolbridge_harness.report.plain import printable

Command = tuple[str, dict[str, str], str]


def _unescape(text: str, codes: str) -> str:
    """Decode as the runner does (actions/runner, ActionCommand.cs): %25 last."""
    for code in codes.split():
        text = text.replace(f"%{code}", chr(int(code, 16)))
    return text.replace("%25", "%")


def _commands(text: str) -> list[Command]:
    """Read the lines as the runner does."""
    found = []
    for line in text.splitlines():
        match = re.fullmatch(r"::(\w+) ([^:]*)::(.*)", line)
        assert match, line
        pairs = (pair.partition("=") for pair in match[2].split(","))
        properties = {name: _unescape(value, "0D 0A 3A 2C") for name, _, value in pairs}
        found.append((match[1], properties, _unescape(match[3], "0D 0A")))
    return found


def _levels(report: Report) -> list[str]:
    return [level for level, _, _ in _commands(github.render(report, CHECKS))]


def test_everything_reads_cause_first() -> None:
    """Causes, the run's problems, what is left, warnings, then notices."""
    assert (GOLDEN / "everything.github").read_text() == github.render(EVERYTHING, CHECKS)


def test_a_consequence_is_not_an_error_of_its_own() -> None:
    """What follows from a cause is named in its annotation and nowhere else."""
    errors = [c for c in _commands(github.render(EVERYTHING, CHECKS)) if c[0] == "error"]

    assert [["demo-b"], [], [], [], []] == [
        re.findall("follows|demo-b(?=:)", t["title"]) for _, t, _ in errors
    ]
    assert 1 == sum("demo-c" in message for _, _, message in errors)


@given(text=hostile)
def test_escaping_is_undone_by_the_runner(text: str) -> None:
    """Any text comes back as it was, in one line, and in properties without : and ,"""
    data, value = github.escape_data(text), github.escape_property(text)

    assert (text, text) == (_unescape(data, "0D 0A"), _unescape(value, "0D 0A 3A 2C"))
    assert set() == {"\r", "\n"} & set(data)
    assert set() == {"\r", "\n", ":", ","} & set(value)


def test_escapes_are_those_of_the_toolkit() -> None:
    """As actions/toolkit writes them."""
    assert "100%25%0D%0Aa:b,c" == github.escape_data("100%\r\na:b,c")
    assert "100%25%0D%0Aa%3Ab%2Cc" == github.escape_property("100%\r\na:b,c")


@given(report=hostile_reports)
def test_no_text_makes_or_ends_a_command(report: Report) -> None:
    """Whatever a target sends, there are as many commands as for harmless words."""
    text = github.render(report, CHECKS)

    assert _levels(HARMLESS) == [level for level, _, _ in _commands(text)]
    assert printable(report.results[0].actual) in _commands(text)[0][2]
    assert text.encode()


@pytest.mark.parametrize("count", [10, 11, 40])
def test_no_more_than_github_shows(count: int) -> None:
    """Ten errors at most; the rest is counted and named in a notice."""
    commands = _commands(github.render(*many(count)))
    notices = [message for level, _, message in commands if level == "notice"]

    assert 10 == sum(level == "error" for level, _, _ in commands)
    assert (count > 10) == notices[0].startswith(f"{count - 10} more errors")
    assert (count > 10) == (f"many-{count - 1:03}" in notices[0])


def test_no_more_warnings_than_github_shows() -> None:
    """The same for warnings."""
    commands = _commands(github.render(*many(13, outcome=Outcome.WARNING)))

    assert 10 == sum(level == "warning" for level, _, _ in commands)
    assert any("3 more warnings" in message for _, _, message in commands)


def test_a_long_answer_does_not_fill_the_log() -> None:
    """The first 4,000 characters are enough to see what came back."""
    text = github.render(a_report(failed("demo-b", "y" * 100_000)), CHECKS)

    assert len(text) < 6000
    assert re.search(r"%0A… \d+ more characters", text)


def test_a_run_without_results_is_an_error() -> None:
    """Nothing ran is never silent."""
    assert ["error", "notice"] == _levels(NOTHING)[:2]


def test_commands_go_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """`github:-` needs no file: the runner reads the log."""
    write_reports(parse_destinations(["github:-"]), EVERYTHING, CHECKS)

    assert github.render(EVERYTHING, CHECKS) == capsys.readouterr().out


def test_the_text_after_the_commands_issues_none(capsys: pytest.CaptureFixture[str]) -> None:
    """What a target sent stands between a stop and a word that it cannot know."""
    with files.without_commands(parse_destinations(["github:-"])):
        click.echo("::error::from the target")
    before, text, after = capsys.readouterr().out.splitlines()
    word = before.removeprefix("::stop-commands::")

    assert "::error::from the target" == text
    assert f"::{word}::" == after
    assert re.fullmatch("[0-9a-f]{32}", word)


def test_without_commands_the_text_stands_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output is one document unless commands were asked for."""
    with files.without_commands([]):
        click.echo("text")

    assert "text\n" == capsys.readouterr().out


@pytest.mark.parametrize("value", ["json:-", "markdown:-"])
def test_only_commands_share_standard_output(value: str) -> None:
    """Two documents on one output are none."""
    with pytest.raises(UsageProblem, match="for github:- alone"):
        parse_destinations([value])


def test_a_device_is_written_to_and_stays(tmp_path: Path) -> None:
    """What a reader waits at, such as `>(command)`, is not replaced by a file."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    write_reports(parse_destinations([f"github:{pipe}"]), EVERYTHING, CHECKS)
    received = os.read(reader, 65_536)
    os.close(reader)

    assert github.render(EVERYTHING, CHECKS) == received.decode()
    assert pipe.is_fifo()


def test_the_name_of_a_stream_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """/dev/stdout that leads to a file is a name that the next program needs."""
    (tmp_path / "file").touch()
    stream = tmp_path / "stdout"
    stream.symlink_to(tmp_path / "file")
    # Never the real one: a broken program would take it from this whole machine.
    monkeypatch.setattr(files, "STREAMS", (stream,))

    with pytest.raises(UsageProblem, match="name that file"):
        parse_destinations([f"json:{stream}"])
    assert stream.is_symlink()
