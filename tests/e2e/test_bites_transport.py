"""The checks of the wire and of limits are red on the proxies that they are for."""

import pytest

from support.command_line import python_command, toolbridge
from toolbridge_harness.registry import all_checks

pytestmark = pytest.mark.bites


@pytest.mark.parametrize(
    ("bug", "check"),
    [
        ("last-length-wins", "transport-smuggling"),
        ("old-sse", "transport-no-old-sse"),
        ("same-origin", "transport-rebinding"),
        ("ids-crossed", "transport-ids"),
        ("ids-as-text", "transport-ids"),
        ("slash-redirect", "transport-trailing-slash"),
        ("split-lines", "transport-framing"),
        ("any-size", "limits-body-size"),
        ("slow-keys", "limits-json-bombs"),
        ("hidden-waits", "limits-rate-passed-on"),
    ],
)
def test_a_check_bites(bug: str, check: str) -> None:
    """The check that claims a bug's row is red on that bug, and the control is green."""
    launch = python_command("broken_transport.py", bug)

    done = toolbridge("verify", "--launch", launch, "--only", check, "--only", "control-token")

    assert 1 == done.code
    assert done.first_line == f"RED {all_checks()[check].broken}"
    assert (1, 1) == (done.count("failed"), done.count("passed"))
