"""Processes that the harness starts never outlive it."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from toolbridge_harness.processes import Process, child_environment, free_port

ENVIRONMENT = child_environment({})

# Says its process id, then waits for ever; with "stubborn" it ignores SIGTERM.
SLEEPER = """
import os, signal, sys, time
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid(), flush=True)
signal.pause()
"""


async def _pid(process: Process) -> int:
    while not process.log.strip():
        assert process.exit_code is None
        await asyncio.sleep(0.01)
    return int(process.log.split()[0])


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie has ended; only its parent has not been told yet.
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


async def _gone(pid: int) -> bool:
    async with asyncio.timeout(20):
        while _alive(pid):
            await asyncio.sleep(0.01)
    return True


async def test_stopping_ends_the_command() -> None:
    """After stop(), the command's process is gone."""
    process = await Process.start([sys.executable, "-c", SLEEPER], ENVIRONMENT, "sleeper")
    pid = await _pid(process)

    await process.stop()

    assert not _alive(pid)


async def test_a_command_that_ignores_sigterm_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the grace period, SIGKILL."""
    process = await Process.start(
        [sys.executable, "-c", SLEEPER, "stubborn"], ENVIRONMENT, "sleeper"
    )
    pid = await _pid(process)

    await process.stop()

    assert await _gone(pid)


async def test_a_harness_that_is_killed_leaves_nothing_behind() -> None:
    """When the process that started it dies by SIGKILL, the command ends too."""
    script = f"""
import asyncio
from toolbridge_harness.processes import Process, child_environment
async def main():
    process = await Process.start(
        [{sys.executable!r}, "-c", {SLEEPER!r}], child_environment({{}}), "sleeper"
    )
    while not process.log.strip():
        await asyncio.sleep(0.01)
    print(process.log.strip(), flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
    harness = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert harness.stdout is not None
        pid = int(await harness.stdout.readline())
        assert _alive(pid)
    finally:
        harness.send_signal(signal.SIGKILL)
        await harness.wait()

    assert await _gone(pid)


@pytest.mark.parametrize(("script", "code"), [("exit(7)", 7), ("import os; os.abort()", 134)])
async def test_the_exit_code_is_the_commands_own(script: str, code: int) -> None:
    """A normal exit keeps its code; signal n is 128 + n, as in a shell."""
    process = await Process.start([sys.executable, "-c", script], ENVIRONMENT, "short")

    assert code == await process.wait()
    await process.stop()


async def test_a_command_that_does_not_exist_says_so() -> None:
    """The log names the command, as the shell's 127 does."""
    process = await Process.start(["no-such-command-here"], ENVIRONMENT, "missing")

    assert 127 == await process.wait()
    assert "no-such-command-here: cannot be started" in process.last_words
    await process.stop()


@pytest.mark.parametrize("session", [False, True])
async def test_what_a_command_starts_ends_with_it(session: bool) -> None:
    """Grandchildren are ended too, even in a session of their own."""
    script = (
        "import subprocess, sys, signal\n"
        f"subprocess.Popen([sys.executable, '-c', {SLEEPER!r}], start_new_session={session})\n"
        "signal.pause()"
    )
    process = await Process.start([sys.executable, "-c", script], ENVIRONMENT, "parent")
    pid = await _pid(process)

    await process.stop()

    assert await _gone(pid)


def test_a_child_gets_no_setting_by_accident(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of this shell do not leak into a launched proxy."""
    monkeypatch.setenv("TOOLBRIDGE_JWT_TOKEN", "shared")

    environment = child_environment({"TOOLBRIDGE_PORT": "1"})

    assert {"TOOLBRIDGE_PORT": "1"} == {
        k: v for k, v in environment.items() if k.startswith("TOOLBRIDGE_")
    }


def test_free_ports_are_free() -> None:
    """Ports asked for one after another differ, and no outgoing connection takes them."""
    ports = [free_port() for _ in range(50)]

    assert 50 == len(set(ports))
    assert max(ports) < 32_768


def test_a_port_is_handed_out_by_one_process_alone() -> None:
    """Runs side by side do not give their proxies the same port."""
    port = free_port()
    asked = (
        "import toolbridge_harness.processes as p; "
        f"p._PORTS = range({port}, {port} + 1); p._TRIES = 20; p.free_port()"
    )

    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True)

    assert f"no free port between {port} and {port + 1}" in done.stderr
