"""A correct proxy that shares no code with the reference proxy passes the gate."""

import pytest

from mutants.running import launch_command
from support.command_line import toolbridge

pytestmark = pytest.mark.e2e
LACKS = ("key-sets", "metrics", "session-cache")


def test_another_proxy_is_green_on_all_that_it_does_not_lack() -> None:
    """Checks are about the contract, not about FastMCP, uvicorn or httpx."""
    declared = [word for name in LACKS for word in ("--lacks", name)]

    done = toolbridge("verify", "--launch", launch_command("plain"), *declared)

    assert (0, 0, 0) == (done.code, done.count("failed"), done.count("warned"))
    assert done.count("passed") > 150
    said = [f"the target is declared to lack {name}" for name in LACKS]
    assert said == [line for line in said if line in done.out]


def test_what_it_lacks_is_missed_when_it_is_not_declared() -> None:
    """A declaration is needed: what is silently missing is red."""
    done = toolbridge(
        *("verify", "--launch", launch_command("plain")),
        *("--only", "auth-keys-accepted", "--only", "control-token"),
    )

    assert (1, 1) == (done.code, done.count("passed"))
