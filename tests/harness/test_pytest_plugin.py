"""The pytest plugin, in a pytest of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from mutants.running import launch_command
from support.command_line import environment
from toolbridge_harness.model import Profile
from toolbridge_harness.registry import select

QUIET = ["-q", "-p", "no:locust", "-p", "no:asyncio", "-p", "no:cacheprovider"]


def _pytest(folder: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *QUIET, *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment(),
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


def test_other_peoples_tests_do_not_notice_it(tmp_path: Path) -> None:
    """Without its options the plugin collects nothing and imports nothing of the suite."""
    (tmp_path / "test_mine.py").write_text(
        "import sys\n\n"
        "def test_mine():\n    assert 'toolbridge_harness.registry' not in sys.modules\n"
    )

    code, text = _pytest(tmp_path)

    assert (0, True) == (code, "1 passed" in text), text


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--proxy-url", "nonsense"], "is not a URL"),
        (["--proxy-url", "http://a.test", "--proxy-launch", "x"], "exclude each other"),
        (["--proxy-url", "http://a.test", "--proxy-profile", "huge"], "--proxy-profile huge"),
        (["--proxy-url", "http://a.test", "--proxy-lacks", "jwks"], "--proxy-lacks jwks"),
    ],
)
def test_wrong_options_are_usage_errors(tmp_path: Path, arguments: list[str], problem: str) -> None:
    """Exit code 4 and one line, before anything is collected."""
    code, text = _pytest(tmp_path, *arguments)

    assert (4, True) == (code, problem in text), text


@pytest.mark.e2e
def test_it_runs_the_same_checks(tmp_path: Path) -> None:
    """`pytest --proxy-launch` makes one test per check of the profile, green on the reference."""
    launched = ["--proxy-launch", "python -m toolbridge_proxy"]

    code, text = _pytest(tmp_path, *launched, "--proxy-profile", "smoke")
    _, listed = _pytest(tmp_path, *launched, "--collect-only")

    # One test more is for the run as a whole.
    assert 0 == code, text
    assert f"{len(select(Profile.SMOKE)) + 1} passed" in text
    assert f"{len(select(Profile.GATE)) + 1} tests collected" in listed


@pytest.mark.e2e
def test_a_failed_check_is_a_failed_test_without_a_traceback(tmp_path: Path) -> None:
    """-k selects checks; a failure prints claim, expected, actual, fix and replay."""
    code, text = _pytest(
        tmp_path, "--proxy-launch", launch_command("any-tenant"), "-k", "tenant-wrong"
    )

    assert (1, True) == (code, "1 failed" in text), text
    for label in ("claim:", "expected:", "actual:", "fix:", "replay:"):
        assert label in text
    assert "Traceback" not in text


@pytest.mark.e2e
def test_nothing_ran_is_not_success(tmp_path: Path) -> None:
    """A session in which every check was skipped ends with 5."""
    from support.running_stack import running_stack

    with running_stack() as stack:
        code, text = _pytest(tmp_path, "--proxy-url", stack.proxy_url, "-k", "signing")

    assert (5, True) == (code, "skipped" in text), text
