"""The command line: wrong usage is one clear line and exit code 4."""

from pathlib import Path

import click
import pytest

from toolbridge_harness import cli
from toolbridge_harness.registry import all_checks


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("JWT_SECRET", "TENANT_ID", "TOKENS_FILE", "TENANT_HEADER_SECRET"):
        monkeypatch.delenv(f"TOOLBRIDGE_{name}", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["verify", "--only", "no-such-check"], "'no-such-check'"),
        (["verify", "--url", "not a url"], "is not a URL"),
        (["verify", "--url", "https://a.test", "--launch", "x"], "exclude each other"),
        (["verify", "--baseline", "missing.toml"], "missing.toml: cannot be read"),
        (["verify", "--env", "staging"], "toolbridge.toml: cannot be read"),
        (["verify", "--report", "pdf:x"], "FORMAT:FILE"),
        (["verify", "--require", "psychic"], "no vantage or capability 'psychic'"),
        (["verify", "--profile", "huge"], "huge"),
        (["verify", "--jobs", "0"], "--jobs"),
        (["verify", "--stop-cmd", "x"], "go with --launch"),
        (["verify", "--launch", "'unclosed"], "No closing quotation"),
        (["verify", "--nonsense"], "--nonsense"),
        (["verify", "--url", ""], "--url is empty"),
        (["verify", "--launch", " "], "--launch is empty"),
        (["verify", "--url", "https://a.test/mcp?token=x"], "query or a fragment"),
        (["verify", "--url", "https://a.test:99999"], "is not a URL"),
        (["verify", "--deadline", "nan"], "--deadline"),
        (["nonsense"], "nonsense"),
        (["checks", "explain", "no-such"], "no check 'no-such'"),
        (["up", "--port", "70000"], "--port"),
    ],
)
def test_wrong_usage_is_one_line(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is wrong is said in one line on standard error; standard output stays empty."""
    code = cli.run(arguments)

    captured = capsys.readouterr()
    last = captured.err.splitlines()[-1]
    assert (4, "") == (code, captured.out)
    assert last.startswith("toolbridge: ")
    assert problem in last
    assert "Traceback" not in captured.err


def test_no_command_shows_the_help_and_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """A bare `toolbridge` does nothing, and says what it could do."""
    assert 4 == cli.run([])
    assert "verify" in capsys.readouterr().err


def test_help_and_version_succeed(capsys: pytest.CaptureFixture[str]) -> None:
    """Asking is not an error."""
    assert 0 == cli.run(["--help"])
    assert 0 == cli.run(["--version"])
    assert "Exit codes" in capsys.readouterr().out


def test_a_missing_tenant_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A key without a tenant is a configuration error, found before anything is sent."""
    monkeypatch.setenv("TOOLBRIDGE_JWT_SECRET", "k" * 32)

    assert 4 == cli.run(["verify", "--url", "http://127.0.0.1:9"])
    assert "TOOLBRIDGE_TENANT_ID is not" in capsys.readouterr().err


def test_a_bug_of_ours_is_one_line_and_its_own_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unforeseen exception ends with 3 and no traceback."""

    def broken(*arguments: object, **options: object) -> None:
        raise KeyError("secret-value")

    monkeypatch.setattr(click.Group, "main", broken)

    assert 3 == cli.run(["verify"])
    captured = capsys.readouterr()
    assert "internal error: KeyError in broken" in captured.err
    assert "secret-value" not in captured.err


def test_checks_are_listed_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """In a pipe, the list is one line per check, separated by tabs."""
    assert 0 == cli.run(["checks", "list"])

    lines = capsys.readouterr().out.splitlines()
    assert list(all_checks()) == [line.split("\t")[0] for line in lines]


def test_a_check_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """Claim, reason, method, remedy and source of one check are printed."""
    assert 0 == cli.run(["checks", "explain", "auth-alg-none"])

    text = capsys.readouterr().out
    for label in ("claim", "why it matters", "how it is tested", "how to fix", "source"):
        assert f"  {label}: " in text
