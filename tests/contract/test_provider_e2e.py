"""`contract verify` as a real process, against real servers."""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from support.contract_caller import TENANT
from support.contract_provider import SECRETS, by_outcome, cases
from support.contract_server import (
    CONTROL_TOKEN,
    START_SECONDS,
    ServedMock,
    environment,
    served_mock,
)
from support.contract_server import (
    SECRETS as SERVED,
)
from support.contract_threaded import threaded_mock
from toolbridge_contract.control import MockControl
from toolbridge_contract.provider.cases import GROUPS
from toolbridge_contract.provider.preflight import preflight
from toolbridge_contract.provider.providers import Served
from toolbridge_contract.provider.runner import Outcome, run

pytestmark = pytest.mark.e2e

# A run takes three seconds; a busy machine may take ten times as long.
RUN_SECONDS = 60.0
TOOLBRIDGE = [sys.executable, "-m", "toolbridge_harness", "contract", "verify"]
CONTRACT = [sys.executable, "-m", "toolbridge_contract", "verify"]


def verify(
    *arguments: str,
    command: Sequence[str] = TOOLBRIDGE,
    change: Mapping[str, str | None] | None = None,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command, *arguments],
        env=environment(**{"TOOLBRIDGE_TENANT_ID": TENANT, **(change or {})}),
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )


def test_the_served_mock_agrees_with_every_case_on_the_wire(tmp_path: Path) -> None:
    """More than 700 cases, the wire ones with them; nothing but the report is printed."""
    file = tmp_path / "report.json"
    done = verify("--report", f"json:{file}")
    written = json.loads(file.read_text())

    assert (0, "") == (done.returncode, done.stderr), done.stdout
    agrees = written["counts"]["agrees"]
    last = done.stdout.splitlines()[-1]
    assert re.fullmatch(rf"served mock: {agrees} of {agrees} cases agree, \d+ not run", last)
    assert agrees > 700
    wire = {case.id for _, case in cases() if case.wire and not case.slow}
    assert wire <= {c["id"] for c in written["cases"] if c["outcome"] == "agrees"}


def test_the_contract_alone_has_the_command_too() -> None:
    """Without the harness."""
    done = verify("--only", "wipe", command=CONTRACT)
    wipes = len(GROUPS["wipe"])

    assert (0, "") == (done.returncode, done.stderr)
    assert "finding" not in done.stdout
    assert done.stdout.endswith(f"served mock: {wipes} of {wipes} cases agree\n")


def test_a_real_api_by_its_address_is_asked_and_cleaned_up() -> None:
    """A mock in the place of one: same cases, its users wiped, no secret printed."""
    with served_mock() as mock:
        done = verify("--url", mock.url)

    assert (0, "") == (done.returncode, done.stderr), done.stdout
    note = r"\nwiped \d+ users \(toolbridge-contract-…\); their user rows remain"
    assert re.search(note, done.stdout)
    assert "tried, and one alone won the race" in done.stdout
    assert re.search(r": (\d+) of \1 cases agree, \d+ not run\n\Z", done.stdout)
    assert not [value for value in SERVED.values() if value in done.stdout]


@pytest.mark.parametrize(
    ("arguments", "change", "code", "named"),
    [
        ([], {"JWT_HS256_SECRET": "w" * 32}, 4, "the JWT secret is wrong"),
        ([], {"TENANT_HEADER_SECRET": "w" * 32}, 4, "the tenant secret is wrong"),
        (["--clock-offset", "900"], {}, 1, "the clocks differ: the API's runs 900 s ahead of"),
        (["--clock-offset", "-900"], {}, 1, "the clocks differ: the API's runs 900 s behind"),
    ],
)
def test_what_is_wrong_is_named(
    arguments: list[str], change: dict[str, str | None], code: int, named: str
) -> None:
    """One line on standard error, nothing on standard output."""
    with served_mock(*arguments) as mock:
        done = verify("--url", mock.url, change=change)

    assert (code, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith(f"toolbridge: {named}")
    assert 1 == done.stderr.count("\n")


async def _interrupt(mock: ServedMock) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        *TOOLBRIDGE,
        "--url",
        mock.url,
        env=environment(TOOLBRIDGE_TENANT_ID=TENANT),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    async with MockControl(mock.control_url, CONTROL_TOKEN) as control:
        while (await control.stats())["recorded"] < 100:
            assert process.returncode is None
            await asyncio.sleep(0.005)
    process.send_signal(signal.SIGINT)
    out, err = await asyncio.wait_for(process.communicate(), RUN_SECONDS)
    return process.returncode, out.decode(), err.decode()


async def test_ctrl_c_wipes_and_says_so() -> None:
    """Code 130, no traceback."""
    with served_mock() as mock:
        code, out, err = await _interrupt(mock)

    assert (130, "") == (code, out)
    assert re.fullmatch(r"wiped \d+ users .*\ntoolbridge: interrupted\n", err)


def test_the_mock_ends_with_whoever_started_it() -> None:
    """When its standard input ends, which no way of dying can avoid."""
    process = subprocess.Popen(
        [sys.executable, "-m", "toolbridge_contract", "serve", "--until-eof"],
        env={**os.environ, **SERVED},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    with process.stdout:
        assert "url" in json.loads(process.stdout.readline())
        process.stdin.close()

        assert 0 == process.wait(timeout=START_SECONDS)


def test_an_api_behind_tls_is_asked_by_both_ways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By httpx and by a raw socket, trusting SSL_CERT_FILE."""
    with threaded_mock(tmp_path) as url:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        with contextlib.closing(Served(url, SECRETS)) as api:
            preflight(api)
            results = run(cases(["flow-create", "header-host-twice", "uid-form-braces"]), api)

    assert ["flow-create", "uid-form-braces", "header-host-twice"] == by_outcome(
        results, Outcome.AGREES
    )
