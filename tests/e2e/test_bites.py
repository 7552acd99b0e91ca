"""Proxies with one bug, and correct ones that are built differently, under the checks."""

import pytest

from mutants.running import launch_command
from support.command_line import python_command, toolbridge
from toolbridge_harness.registry import all_checks

pytestmark = pytest.mark.bites


@pytest.mark.parametrize(
    ("bug", "check"),
    [
        ("retry-timeout", "errors-write-timeout"),
        ("relay-headers", "hygiene-upstream-headers"),
        ("late-notification", "transport-no-silent-execution"),
    ],
)
def test_a_check_bites(bug: str, check: str) -> None:
    """The check that claims a bug's row is red on that bug, and on it alone."""
    launch = python_command("broken_proxy.py", bug)

    done = toolbridge("verify", "--launch", launch, "--only", check, "--only", "control-token")

    assert 1 == done.code
    assert done.first_line == f"RED {all_checks()[check].broken}"
    assert (1, 1) == (done.count("failed"), done.count("passed"))


@pytest.mark.parametrize(
    "variant",
    [
        "event-streams-and-sessions",
        "session-per-request",
        "old-era-only",
        "tenant-as-401",
        "if-match-quoted",
        "never-retries",
        "text-alone",
    ],
)
def test_a_correct_proxy_built_differently_is_green(variant: str) -> None:
    """Nothing that the contract leaves open makes a run red."""
    done = toolbridge("verify", "--launch", launch_command(variant))

    assert (0, 0) == (done.code, done.count("warned"))
