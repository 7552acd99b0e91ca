"""`toolbridge sign`: the tenant headers as lines, or as arguments of curl."""

import hashlib
import hmac
import os
import shlex
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from toolbridge_harness.commands.sign import sign

SETTINGS = {"TOOLBRIDGE_TENANT_HEADER_SECRET": "s3cret-key", "TOOLBRIDGE_TENANT_ID": "tenant-1"}
AT = "1700000000000"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder and no TOOLBRIDGE_ variable of the person who runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("TOOLBRIDGE_"):
            monkeypatch.delenv(name)
    return tmp_path


def run(*arguments: str, **settings: str) -> Result:
    return CliRunner().invoke(sign, arguments, env=SETTINGS | settings)


def signature(tenant: str, timestamp: str) -> str:
    """The rule as the deployment's documentation states it."""
    return hmac.new(b"s3cret-key", f"{tenant}:{timestamp}".encode(), hashlib.sha256).hexdigest()


def test_the_three_headers_are_printed_as_lines() -> None:
    """Tenant, timestamp and signature, ready for `curl -H @-`."""
    assert (
        "X-TB-Tenant-ID: tenant-1\n"
        f"X-TB-Timestamp: {AT}\n"
        f"X-TB-Signature: {signature('tenant-1', AT)}\n"
    ) == run("--timestamp-ms", AT).stdout


def test_the_signature_is_the_known_one() -> None:
    """A fixed vector, computed with openssl: HMAC-SHA256 of `t:1` under the key `k`."""
    result = run("--tenant", "t", "--timestamp-ms", "1", TOOLBRIDGE_TENANT_HEADER_SECRET="k")

    assert VECTOR in result.stdout


VECTOR = "e905697055b27f2a1f842692908d9662bef3cdb3b94973c40b70d5efb26ccede"


def test_without_a_timestamp_it_signs_now() -> None:
    """The default is the current time in milliseconds."""
    before = int(time.time() * 1000)

    _, line, signed = run().stdout.splitlines()

    timestamp = line.removeprefix("X-TB-Timestamp: ")
    assert before <= int(timestamp) <= time.time() * 1000
    assert f"X-TB-Signature: {signature('tenant-1', timestamp)}" == signed


def test_curl_gets_quoted_arguments() -> None:
    """--curl prints -H arguments that a shell takes apart into exactly the three headers."""
    tenant = "o'neil & sons"

    words = shlex.split(run("--tenant", tenant, "--timestamp-ms", AT, "--curl").stdout)

    assert words[::2] == ["-H", "-H", "-H"]
    assert [
        f"X-TB-Tenant-ID: {tenant}",
        f"X-TB-Timestamp: {AT}",
        f"X-TB-Signature: {signature(tenant, AT)}",
    ] == words[1::2]


def test_settings_are_read_from_env_file(folder: Path) -> None:
    """.env serves where the environment has nothing."""
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in SETTINGS.items()))

    result = CliRunner().invoke(sign, ["--timestamp-ms", AT])

    assert signature("tenant-1", AT) in result.stdout


@pytest.mark.parametrize(
    ("arguments", "settings", "line"),
    [
        (
            [],
            {"TOOLBRIDGE_TENANT_HEADER_SECRET": ""},
            (
                "TOOLBRIDGE_TENANT_HEADER_SECRET is not set: it is the key of the signature; put "
                "it in the environment or in .env"
            ),
        ),
        (
            [],
            {"TOOLBRIDGE_TENANT_HEADER_SECRET": "s3cret-key\n"},
            (
                "TOOLBRIDGE_TENANT_HEADER_SECRET has blanks or line breaks around its value: "
                "remove them"
            ),
        ),
        (
            [],
            {"TOOLBRIDGE_TENANT_ID": " tenant-1"},
            "TOOLBRIDGE_TENANT_ID has blanks or line breaks around its value: remove them",
        ),
        (
            ["--tenant", "tenant-1\t"],
            {},
            "--tenant has blanks or line breaks around its value: remove them",
        ),
        (
            ["--tenant", "a\nX-Evil: 1"],
            {},
            "the tenant holds a line break or control character: no header can",
        ),
        (
            [],
            {"TOOLBRIDGE_TENANT_ID": ""},
            (
                "TOOLBRIDGE_TENANT_ID is not set: it is what gets signed (or: --tenant); put it in "
                "the environment or in .env"
            ),
        ),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_4(
    arguments: list[str], settings: dict[str, str], line: str
) -> None:
    """The line says what is wrong; nothing is signed and no secret is shown."""
    result = run(*arguments, **settings)

    assert result.exit_code == 4
    assert f"toolbridge: {line}\n" == result.stderr
    assert result.stdout == ""


def test_a_timestamp_is_a_number() -> None:
    """click refuses anything else; the command line turns its code into 4."""
    result = run("--timestamp-ms", "yesterday")

    assert result.exit_code == 2
    assert "Invalid value for '--timestamp-ms'" in result.stderr
