"""`toolbridge load` refuses in one line what it cannot do, before anything is started."""

import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import pytest

from toolbridge_harness.commands.load import Plan, load

URL = "https://staging.example"


def refusal(arguments: Sequence[str]) -> tuple[int, str]:
    with pytest.raises(click.ClickException) as caught:
        load.main(list(arguments), standalone_mode=False)
    return caught.value.exit_code, caught.value.format_message()


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("JWT_SECRET", "TENANT_ID", "TOKENS_FILE"):
        monkeypatch.delenv(f"TOOLBRIDGE_{name}", raising=False)
    monkeypatch.chdir(tmp_path)


def test_without_locust_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The load extra is optional."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    assert refusal([]) == (4, "Locust is not installed: pip install 'toolbridge-mcp[load]'")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--url", URL], "TOOLBRIDGE_JWT_SECRET and TOOLBRIDGE_TENANT_ID not set"),
        (["--url", "staging.example"], "'staging.example' is not a URL"),
        (["--shape", "ramp", "--duration", "60"], "--duration does not go with --shape ramp"),
        (["--rate", "nan"], "--rate and --budget-ms must be numbers"),
        (["--report", "nowhere/report.json"], "--report nowhere/report.json: there is no folder"),
    ],
)
def test_what_it_cannot_do_is_refused_in_one_line(arguments: list[str], message: str) -> None:
    """With exit code 4 and the name of what is wrong."""
    code, text = refusal(arguments)

    assert code == 4
    assert text.startswith(message)


@pytest.mark.parametrize("rate", ["0", "-1", "2000"])
def test_a_rate_that_is_none_is_refused(rate: str) -> None:
    """By the option itself, with click's usage error."""
    code, text = refusal(["--rate", rate])

    assert code == 2
    assert "--rate" in text


@pytest.mark.parametrize(
    ("rate", "users", "each"), [(10.0, "10", "1.0"), (0.5, "1", "0.5"), (2.5, "3", "0.83333333333")]
)
def test_a_rate_becomes_so_many_users(rate: float, users: str, each: str) -> None:
    """One request per second each at most, so that the API's limit per user stays far."""
    command = Plan("constant", rate, 35, 200.0, None, rehearsal=False).command(URL)

    assert users == command[command.index("-u") + 1]
    assert command[command.index("--caller-rate") + 1].startswith(each)


def test_secrets_never_reach_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every user of a machine can read the arguments of a process."""
    monkeypatch.setenv("TOOLBRIDGE_JWT_SECRET", "very-secret-value")

    command = Plan("ramp", 10.0, 35, 200.0, Path("r.json"), rehearsal=True).command(URL)

    assert "very-secret-value" not in " ".join(command)


def test_the_gate_and_the_command_import_no_locust() -> None:
    """Importing Locust replaces the sockets of the process."""
    code = (
        "import sys, toolbridge_harness.commands.load\n"
        "from toolbridge_loadtests import answers, callers, estimates, gate, journal\n"
        "from toolbridge_loadtests import report, schedule, workload\n"
        "sys.exit(bool({'locust', 'gevent', 'pytest'} & set(sys.modules)))\n"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
