"""`python -m toolbridge_contract serve` with bad input: one line, exit 4."""

import socket
import subprocess

import pytest

from support.contract_server import SECRETS, START_SECONDS, command, environment


def run(*arguments: str, **change: str | None) -> tuple[int, str, str]:
    done = subprocess.run(
        command(*arguments),
        env=environment(**change),
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("name", ["TENANT_HEADER_SECRET", "JWT_HS256_SECRET"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_secret_is_named(name: str, value: str | None) -> None:
    """Unset and empty alike."""
    code, out, err = run("serve", **{name: value})

    assert (code, out) == (4, "")
    assert f"Error: {name} is not set: the mock verifies signatures with it\n" == err


@pytest.mark.parametrize("option", ["--port", "--control-port"])
def test_a_taken_port_is_named(option: str) -> None:
    """With its address and the system's reason."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, out, err = run("serve", option, str(port))

    assert (code, out) == (4, "")
    assert f"Error: cannot listen on 127.0.0.1:{port}: Address already in use\n" == err


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        (["serve", "--port", "x"], "'--port'"),
        (["serve", "--port", "70000"], "'--port'"),
        (["serve", "--clock-offset", "nan"], "--clock-offset is out of range"),
        (["serve", "--clock-offset", "1e300"], "--clock-offset is out of range"),
        (["serve", "--host", ""], "--host is empty"),
        (["serve", "--host", "x" * 100], "cannot listen on"),
        (["serve", "--bogus"], "--bogus"),
        (["dance"], "dance"),
        ([], "Missing command"),
    ],
)
def test_bad_input_is_one_line_without_a_secret(arguments: list[str], fragment: str) -> None:
    """Never a traceback."""
    code, out, err = run(*arguments)

    assert (code, out) == (4, "")
    assert (err.count("\n"), fragment in err) == (1, True)
    assert not [value for value in SECRETS.values() if value in err]
