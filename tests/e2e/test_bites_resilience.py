"""The checks of resilience and of hostile sessions are red on proxies that have the bug."""

import pytest

from support.command_line import python_command, toolbridge
from toolbridge_harness.registry import all_checks

pytestmark = pytest.mark.bites


@pytest.mark.parametrize(
    ("bug", "check"),
    [
        ("shared-jar", "resilience-cookies"),
        ("retry-post", "resilience-create-once"),
        ("retry-reads", "resilience-amplification"),
        ("retry-sessions", "resilience-amplification"),
        ("unpack", "resilience-huge-answers"),
        ("mcp-identity", "sessions-mcp-foreign"),
        ("mcp-delete", "sessions-mcp-foreign"),
        ("mcp-adopt", "sessions-mcp-supplied"),
        ("unshielded", "sessions-first-hangs-up"),
        ("keep-forbidden", "sessions-forbidden"),
        ("unchecked-session", "sessions-hostile-answers"),
        ("patch-truthy", "tools-patch-exact"),
        ("named-tenant", "tenant-in-arguments"),
        ("split-header", "tools-header-arguments"),
    ],
)
def test_a_check_bites(bug: str, check: str) -> None:
    """The check that claims a bug's row is red on that bug, and for that reason."""
    launch = python_command("broken_resilience.py", bug)

    done = toolbridge("verify", "--launch", launch, "--only", check, "--only", "control-token")

    assert 1 == done.code
    assert done.first_line == f"RED {all_checks()[check].broken}"
    assert (1, 1) == (done.count("failed"), done.count("passed"))
