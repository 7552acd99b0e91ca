"""The command that a failure prints runs that check alone, as it was run."""

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from support.harness_fakes import a_check, a_report, failed
from toolbridge_harness.commands import verify as command
from toolbridge_harness.model import Profile, Report
from toolbridge_harness.registry import select
from toolbridge_harness.report import terminal
from toolbridge_harness.verify import Options

CHECK = "auth-alg-none"
SETTINGS = """
[env.staging]
url = "https://staging.test"
tenant_id = "t 1"
profile = "full"
require = ["tokens"]
baseline = "known.toml"
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOOLBRIDGE_TENANT_ID", "t1")
    Path("toolbridge.toml").write_text(SETTINGS)


def _given(arguments: list[str]) -> dict[str, Any]:
    """Return what the command line understands."""
    return command.verify.make_context("toolbridge verify", list(arguments)).params


def _run(arguments: list[str]) -> tuple[Options, Report]:
    """Return the options of a run, and the report that it would make of one failure."""
    parsed = _given(arguments)
    options = command._options(parsed)
    report = a_report(
        failed(CHECK),
        mode=options.mode,
        target=options.target,
        profile=options.profile.value,
        seed=options.seed,
        extra={terminal.REPLAY: command.repeated(parsed, options)},
    )
    return options, report


def _replayed(printed: str) -> Options:
    """Return the options that a printed command has, read as a shell and the command read it."""
    program, subcommand, *arguments = shlex.split(printed)
    assert ("toolbridge", "verify") == (program, subcommand)
    return command._options(_given(arguments))


def _alone(options: Options) -> Options:
    """Return the same run with the one check; jobs and baseline change nothing for it."""
    return replace(options, checks=select(Profile.SOAK, [CHECK]), jobs=None, baseline=None)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--seed", "0", "--jobs", "3", "--baseline", "known.toml"],
        ["--only", "auth", "--only", "tenant", "--profile", "full"],
        ["--url", "https://proxy.test/mcp", "--rate", "0.3", "--deadline", "12345.678"],
        ["--url", "https://proxy.test", "--profile", "smoke", "--require", "tokens,mint"],
        ["--env", "staging"],
        ["--env", "staging", "--profile", "gate", "--rate", "20"],
        ["--env", "staging", "--url", "https://other.test"],
        ["--launch", "docker run -e 'A=it'\"'\"'s' --name {name} $IMAGE; rm x"],
        ["--launch", "a\nb", "--mock-host", "0.0.0.0", "--stop-cmd", "docker rm -f '{name}'"],
    ],
)
def test_the_replay_has_the_options_of_the_run(arguments: list[str]) -> None:
    """Target, pace, deadline, vantages and seed are the same; only the check is one."""
    options, report = _run(arguments)

    again = _replayed(terminal.replay(report, CHECK))

    assert _alone(options) == replace(again, baseline=None)


@given(text=st.text(min_size=1).filter(str.strip))
@example("-x")
@example("'")
def test_any_command_is_quoted(text: str) -> None:
    """A shell gives the command back as it was, whatever it holds."""
    options, report = _run([f"--launch={text}"])

    assert options.launch == _replayed(terminal.replay(report, CHECK)).launch


@pytest.mark.parametrize("width", [60, 120])
def test_the_printed_line_can_be_pasted(width: int) -> None:
    """However long it is, no line break comes into it."""
    options, report = _run(["--launch", f"python -m 'a  b' {'word ' * 60}"])
    text = terminal.render(report, {CHECK: a_check(CHECK)}, width=width)

    (line,) = [line for line in text.splitlines() if line.startswith("    replay  ")]
    assert options.launch == _replayed(line.removeprefix("    replay  ")).launch


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("embedded", []),
        ("black-box", ["--url", "https://a.test/it's"]),
        ("grey-box", ["--launch", "https://a.test/it's"]),
    ],
)
@pytest.mark.parametrize("recorded", [{}, {"replay": "--url x"}, {"replay": [1]}])
def test_a_run_without_recorded_options_has_its_target(
    mode: str, words: list[str], recorded: dict[str, Any]
) -> None:
    """Runs of before, of pytest, or with an edited file are repeated by what is known."""
    report = a_report(mode=mode, target="https://a.test/it's", extra=recorded)

    printed = terminal.replay(report, "demo-a")

    assert ["toolbridge", "verify", *words, "--only", "demo-a", "--seed", "7"] == shlex.split(
        printed
    )
