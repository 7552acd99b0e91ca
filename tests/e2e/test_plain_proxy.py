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
        *("verify", "--launch", launch_command("plain"), "--only", "control-token"),
        *("--only", "auth-keys-accepted", "--only", "hygiene-metrics"),
    )

    assert (1, 1) == (done.code, done.count("passed"))
    assert (1, 1) == (done.count("failed"), done.count("could not be tested"))
    assert "declare it with --lacks metrics" in done.out


@pytest.mark.parametrize(
    ("lacking", "said"),
    [
        ("key-sets", "a token by the issuer's key to be refused"),
        ("metrics", "nothing at TOOLBRIDGE_METRICS_PORT"),
        ("session-cache", "a sync session for each call"),
    ],
)
def test_a_declaration_that_is_not_true_is_red(lacking: str, said: str) -> None:
    """Nobody switches the checks off of what is in use: the reference proxy has all three."""
    done = toolbridge("verify", "--lacks", lacking, "--only", "control-lacks")

    assert (1, 1) == (done.code, done.count("failed"))
    assert (
        done.first_line == "RED the target has what it is declared to lack, and nothing tested it"
    )
    assert said in done.out
