"""Each check of forged and odd tokens is red on a proxy that falls for them."""

import pytest

from support.command_line import python_command, toolbridge
from toolbridge_harness.registry import all_checks

pytestmark = pytest.mark.bites


@pytest.mark.parametrize(
    ("bug", "check"),
    [
        ("public-key-secret", "auth-public-key-as-secret"),
        ("embedded-key", "auth-embedded-key"),
        ("embedded-secret", "auth-embedded-key"),
        ("believed-key-id", "auth-foreign-rsa-key"),
        ("key-file", "auth-key-id-file"),
        ("key-query", "auth-key-id-injection"),
        ("trusted-session", "auth-session-id"),
        ("half-signature", "auth-mutated"),
        ("tenant-secret", "auth-tenant-secret"),
        ("deep-header", "auth-deep-header"),
        ("any-serialisation", "auth-serialisation"),
        ("decrypted", "auth-encrypted"),
        ("critical", "auth-critical-header"),
        ("first-claim", "auth-duplicate-claims"),
        ("normalised", "auth-odd-subjects"),
        ("fetched-key", "auth-key-address"),
    ],
)
def test_a_check_of_tokens_bites(bug: str, check: str) -> None:
    """The check that claims a bug's row is red on that bug, and names it."""
    launch = python_command("broken_auth.py", bug)

    done = toolbridge("verify", "--launch", launch, "--only", check, "--only", "control-token")

    assert 1 == done.code
    assert done.first_line == f"RED {all_checks()[check].broken}"
    assert (1, 1) == (done.count("failed"), done.count("passed"))
