"""Ctrl-C, kill and crash leave no process behind."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from support.command_line import TOOLBRIDGE, alive, descendants, environment

pytestmark = pytest.mark.e2e


@contextlib.contextmanager
def _started(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [*TOOLBRIDGE, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _until_checks_run(process: "subprocess.Popen[str]") -> set[int]:
    """Wait for the first progress of the checks and return what runs below the command."""
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("running "):
            return descendants(process.pid)
    raise AssertionError("the checks never started")


def _all_gone(pids: set[int]) -> bool:
    deadline = time.monotonic() + 20
    while alive(pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(pids)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_prints_what_is_known(number: signal.Signals) -> None:
    """The report so far, exit code 130, and nothing left running."""
    with _started("verify") as process:
        below = _until_checks_run(process)
        process.send_signal(number)
        out, _ = process.communicate(timeout=60)

    assert 130 == process.returncode
    assert out.startswith("RED the run was interrupted before it ended")
    assert "could not be tested" in out
    assert len(below) >= 4
    assert _all_gone(below)


def test_a_killed_run_leaves_nothing_behind() -> None:
    """Even SIGKILL, which nobody can catch, ends mock and proxy."""
    with _started("verify") as process:
        below = _until_checks_run(process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

        assert len(below) >= 4
        assert _all_gone(below)


def test_up_ends_with_ctrl_c() -> None:
    """`toolbridge up` stops what it started."""
    with _started("up") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("MCP endpoint"):
                break
        below = descendants(process.pid)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)

    assert 130 == process.returncode
    assert _all_gone(below)


def test_a_reader_that_goes_away_is_no_error() -> None:
    """`toolbridge checks list | head -1` prints one line and no complaint."""
    first = subprocess.run(
        " ".join([*TOOLBRIDGE, "checks", "list"]) + " | head -1",
        shell=True,
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
    )

    assert (1, "") == (len(first.stdout.splitlines()), first.stderr)


def test_contract_serve_ends_with_its_command() -> None:
    """SIGTERM to `toolbridge contract serve` leaves no mock and no port behind."""
    settings = {"JWT_HS256_SECRET": "k" * 32, "TENANT_HEADER_SECRET": "s" * 32}
    process = subprocess.Popen(
        [*TOOLBRIDGE, "contract", "serve"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(**settings),
    )
    try:
        assert process.stdout is not None
        assert "url" in process.stdout.readline()
        everything = {process.pid, *descendants(process.pid)}
        process.terminate()
        process.wait(timeout=30)
    finally:
        process.kill()
        process.communicate()

    assert _all_gone(everything)
