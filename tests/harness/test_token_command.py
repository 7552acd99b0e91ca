"""`toolbridge token`: a token on standard output, everything else beside it."""

import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import jwt
import pytest
from click.testing import CliRunner, Result

from toolbridge_harness.commands.token import lifetime_seconds, token
from toolbridge_harness.errors import UsageProblem

SECRET = "0123456789abcdef0123456789abcdef"
SETTINGS = {"TOOLBRIDGE_JWT_SECRET": SECRET, "TOOLBRIDGE_TENANT_ID": "tenant-1"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder and no TOOLBRIDGE_ variable of the person who runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("TOOLBRIDGE_"):
            monkeypatch.delenv(name)
    return tmp_path


def run(*arguments: str, **settings: str) -> Result:
    return CliRunner().invoke(token, arguments, env=SETTINGS | settings)


def claims(result: Result, **options: str) -> dict[str, object]:
    return jwt.decode(result.stdout.strip(), SECRET, algorithms=["HS256"], **options)  # type: ignore[arg-type]


def test_a_token_verifies_and_carries_user_tenant_and_an_hour() -> None:
    """The defaults are the configured tenant and one hour."""
    before = int(time.time())

    found = claims(run("--sub", "alice"))

    assert (found["sub"], found["tenant_id"]) == ("alice", "tenant-1")
    assert isinstance(found["iat"], int)
    assert found["exp"] == found["iat"] + 3600
    assert before <= found["iat"] <= time.time()


def test_standard_output_is_the_token_alone() -> None:
    """One line, so that $(toolbridge token) can be pasted anywhere; no note off a terminal."""
    result = run("--sub", "alice")

    assert len(result.stdout.splitlines()) == 1
    assert result.stdout.count(".") == 2
    assert result.stderr == ""


def test_tenant_and_lifetime_can_be_given() -> None:
    """Options win over settings."""
    found = claims(run("--sub", "bob", "--tenant", "other", "--lifetime", "15m"))

    assert found["tenant_id"] == "other"
    assert isinstance(found["iat"], int)
    assert found["exp"] == found["iat"] + 900


def test_issuer_and_audience_become_claims_when_they_are_set() -> None:
    """A proxy that demands them accepts the token."""
    result = run(
        "--sub", "a", TOOLBRIDGE_JWT_ISSUER="https://i.example", TOOLBRIDGE_JWT_AUDIENCE="x"
    )

    found = claims(result, issuer="https://i.example", audience="x")

    assert (found["iss"], found["aud"]) == ("https://i.example", "x")


def test_settings_are_read_from_env_file(folder: Path) -> None:
    """.env serves where the environment has nothing, or nothing but an empty value."""
    lines = "".join(f"{name}={value}\n" for name, value in SETTINGS.items())
    (folder / ".env").write_text(lines)

    result = CliRunner().invoke(token, ["--sub", "alice"], env={"TOOLBRIDGE_JWT_SECRET": ""})

    assert claims(result)["tenant_id"] == "tenant-1"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("45s", 45), ("15m", 900), ("1h", 3600), ("7D", 604800), ("365d", 31536000)],
)
def test_lifetimes(text: str, seconds: int) -> None:
    """Seconds, or a number with s, m, h or d."""
    assert seconds == lifetime_seconds(text)


@pytest.mark.parametrize("text", ["", "0", "-5", "1.5h", "h", "1w", "366d", "9999999999", "1 h"])
def test_bad_lifetimes_are_refused(text: str) -> None:
    """Nothing, zero, negative, fractions, other units and more than a year are no lifetimes."""
    with pytest.raises(UsageProblem, match="is not a lifetime: give seconds, or 15m, 1h, 7d"):
        lifetime_seconds(text)


@pytest.mark.parametrize(
    ("arguments", "settings", "line"),
    [
        (
            ["--sub", "a"],
            {"TOOLBRIDGE_JWT_SECRET": ""},
            (
                "TOOLBRIDGE_JWT_SECRET is not set: it is the key that signs tokens; put it in the "
                "environment or in .env"
            ),
        ),
        (
            ["--sub", "a"],
            {"TOOLBRIDGE_JWT_SECRET": "dev-secret"},
            (
                "TOOLBRIDGE_JWT_SECRET has 10 bytes and the proxy refuses keys under 32 (RFC 7518 "
                "section 3.2): make one with `openssl rand -base64 32`"
            ),
        ),
        (
            ["--sub", "a"],
            {"TOOLBRIDGE_JWT_SECRET": SECRET + "\n"},
            "TOOLBRIDGE_JWT_SECRET has blanks or line breaks around its value: remove them",
        ),
        (
            ["--sub", "a"],
            {"TOOLBRIDGE_TENANT_ID": ""},
            (
                "TOOLBRIDGE_TENANT_ID is not set: the proxy accepts its own tenant's tokens only "
                "(or: --tenant); put it in the environment or in .env"
            ),
        ),
        (
            ["--sub", "a", "--tenant", " t"],
            {},
            "--tenant has blanks or line breaks around its value: remove them",
        ),
        (["--sub", ""], {}, "--sub is empty: name the user that the token is for"),
        (
            ["--sub", "a", "--lifetime", "soon"],
            {},
            "--lifetime 'soon' is not a lifetime: give seconds, or 15m, 1h, 7d, up to 365d",
        ),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_4(
    arguments: list[str], settings: dict[str, str], line: str
) -> None:
    """The line says what is wrong and what to do; no token is printed, and no secret."""
    result = run(*arguments, **settings)

    assert result.exit_code == 4
    assert f"toolbridge: {line}\n" == result.stderr
    assert result.stdout == ""


def test_the_secret_is_no_option() -> None:
    """Arguments show in the process list, so no option takes a secret."""
    assert {"sub", "tenant", "lifetime"} == {parameter.name for parameter in token.params}


def test_a_person_at_a_terminal_sees_a_note() -> None:
    """With standard error on a terminal it says for whom and until when; the pipe stays clean."""
    reader, terminal = pty.openpty()
    command = "from toolbridge_harness.commands.token import token; token()"
    arguments = [sys.executable, "-c", command, "--sub", "alice", "--lifetime", "60"]

    done = subprocess.run(
        arguments, stdout=subprocess.PIPE, stderr=terminal, env=os.environ | SETTINGS, timeout=60
    )

    os.close(terminal)
    note = os.read(reader, 1000).decode()
    os.close(reader)
    assert done.returncode == 0
    assert len(done.stdout.decode().splitlines()) == 1
    assert note.startswith("user alice, tenant tenant-1, expires 20")
    assert done.stdout.decode().strip() not in note
