"""A forked process is to its surroundings what the command itself would be."""

import asyncio
import inspect
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mutants import running
from mutants.fork_environment import TAKEN_OVER
from mutants.fork_programs import PROGRAMS
from mutants.forking import fork_servers, forked
from mutants.table import all_mutants
from support.command_line import environment
from toolbridge_harness.processes import Process, child_environment
from toolbridge_harness.registry import all_checks
from toolbridge_harness.stack import Launch, embedded_stack

SUPPORT = Path(__file__).parents[1] / "support"
WORDS, READS = SUPPORT / "forked_words.py", SUPPORT / "forked_reads.py"
ENDS = ("late", "seven", "nothing", "text", "error", "interrupt", "die")


@pytest.fixture(scope="module")
def words() -> Iterator[None]:
    """A server of the program of many ends."""
    with fork_servers("words", script=WORDS):
        yield


def _command(word: str) -> list[str]:
    return [sys.executable, str(WORDS), word]


def _run(command: list[str], **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        # Signals as the harness sets them, also where this shell ignores hang-ups (nohup).
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
        env=environment(**changes),
    )


def _told(word: str, **changes: str) -> Any:
    return json.loads(_run(forked("words", _command(word)), **changes).stdout)


@pytest.mark.parametrize("word", ENDS)
def test_a_fork_ends_as_the_command_does(words: None, word: str) -> None:
    """With the same code or signal, the same output, and the same last words."""
    command = _command(word)

    real, fork = _run(command), _run(forked("words", command))

    assert (real.returncode, real.stdout) == (fork.returncode, fork.stdout)
    assert real.stderr.splitlines()[-1:] == fork.stderr.splitlines()[-1:]


def test_a_fork_is_what_the_command_would_be(words: None) -> None:
    """The same environment, zone, folder, session, signals, arguments, threads and files."""
    changes = {"TZ": "Asia/Kathmandu", "TOOLBRIDGE_TENANT_ID": "t\u00e9", "HTTP_PROXY": "x:1"}

    real = json.loads(_run(_command("self"), **changes).stdout)
    fork = _told("self", **changes)

    assert [str(WORDS), "self"] == real.pop("command")
    assert [str(WORDS), "words"] == fork.pop("command")[:2]
    assert "+0545" == fork["zone"]
    assert real == fork


def test_the_server_hands_nothing_of_its_own_down(
    words: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that only the server has is not there, and one from the fork before neither."""
    assert "one" == _told("self", TOOLBRIDGE_X="one")["environment"]["TOOLBRIDGE_X"]
    monkeypatch.delenv("PATH")

    told = _told("self")

    assert "words" in told["command"]
    assert not {"TOOLBRIDGE_X", "PATH"} & set(told["environment"])


def test_two_forks_draw_other_numbers(words: None) -> None:
    """Neither `random` nor uuid, secrets, OpenSSL or tempfile goes on from the server's state."""
    pairs = list(zip(_told("randoms"), _told("randoms"), strict=True))

    assert 6 == len(pairs)
    assert [] == [one for one, other in pairs if one == other]


@pytest.mark.parametrize("variable", ["LD_PRELOAD", "PYTHONOPTIMIZE", "LC_TIME", "FASTMCP_DEBUG"])
async def test_what_a_fork_cannot_honour_is_a_real_start(words: None, variable: str) -> None:
    """The client becomes the command: what runs has the number of what was started."""
    process = await _started("asleep", None, variable)

    assert process.pid == await _number(process)

    await _ended(process, signal.SIGKILL)


async def test_another_folder_is_a_real_start(words: None, tmp_path: Path) -> None:
    """A file .env there would have been read by the imports."""
    process = await _started("asleep", folder=tmp_path)

    assert process.pid == await _number(process)

    await _ended(process, signal.SIGKILL)


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 115), (signal.SIGHUP, 101), (signal.SIGINT, -signal.SIGINT)],
)
async def test_a_signal_reaches_the_fork(words: None, number: int, code: int) -> None:
    """A handler runs, and the client ends with its exit code or by the signal."""
    process = await _started("patient")
    await _number(process)

    assert code == await _ended(process, number)


async def test_a_client_that_is_killed_leaves_nothing(words: None) -> None:
    """The fork is another process, and ends when the client does."""
    process = await _started("asleep")
    fork = await _number(process)
    assert fork != process.pid
    watched = os.pidfd_open(fork)

    await _ended(process, signal.SIGKILL)

    await _over(watched)


async def test_a_server_that_ends_leaves_nothing() -> None:
    """The client says so, and the command runs for real from then on."""
    with fork_servers("words", script=WORDS):
        command = forked("words", _command("asleep"))
        process = await _started("asleep")
        watched = os.pidfd_open(await _number(process))

    await _over(watched)
    _, said = await process.communicate()
    assert b"the fork server is gone" in said
    assert 7 == _run([*command[:-1], "seven"]).returncode


async def _started(
    word: str, folder: Path | None = None, *variables: str
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *forked("words", _command(word)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(**dict.fromkeys(variables, "")),
        cwd=folder,
    )


async def _number(process: asyncio.subprocess.Process) -> int:
    assert process.stdout is not None
    return int(await process.stdout.readline())


async def _ended(process: asyncio.subprocess.Process, number: int) -> int:
    process.send_signal(number)
    await process.communicate()
    assert process.returncode is not None
    return process.returncode


async def _over(watched: int) -> None:
    """Wait for the end of the process behind a pidfd."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(watched, over.set)
    await over.wait()
    loop.remove_reader(watched)
    os.close(watched)


@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_what_a_fork_takes_over_is_not_read_by_imports(program: str) -> None:
    """A variable that shapes a module when it is imported cannot be changed afterwards."""
    names = json.loads(_run([sys.executable, str(READS), program]).stdout)

    assert "LANG" in names  # gettext reads it
    assert [] == [name for name in names if TAKEN_OVER.fullmatch(name)]


@pytest.fixture(scope="module")
def proxies() -> Iterator[None]:
    """The servers that runs of mutants have."""
    with running.launcher():
        yield


async def test_a_forked_proxy_serves(proxies: None) -> None:
    """A start under the harness, with its mock and its supervisor."""
    async with embedded_stack(Launch(running.launch_command("slower"))) as stack:
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"{stack.proxy_url}/healthz")
        log = stack.proxy.log

    assert 200 == answer.status_code
    assert "fork_client" in running.launch_command("slower")
    assert stack.proxy_url.rpartition(":")[2] in log


async def test_a_forked_proxy_refuses_settings_in_the_same_words(proxies: None) -> None:
    """The log and the exit code are those of a real start."""
    ends = []
    for command in (
        [sys.executable, str(Path(running.__file__).parent), "slower"],
        running.launch_command("slower").split(),
    ):
        started = await Process.start(command, child_environment({"TOOLBRIDGE_PORT": "x"}), "proxy")
        ends.append((await started.wait(), started.log))
        await started.stop()

    assert 4 == ends[0][0]
    assert ends[0] == ends[1]


def test_where_processes_are_looked_at_starts_are_real(proxies: None) -> None:
    """A fork does not stand below the command that was launched."""
    looking = [c.id for c in all_checks().values() if hasattr(_module(c.run), "footprint")]
    looking += [c.id for c in all_checks().values() if hasattr(_module(c.run), "command_lines")]

    assert 4 == len(looking)
    for options in (("--profile", "soak"), *(("--only", check) for check in looking)):
        assert "fork" not in running.launch_command("slower", options)


def test_mutants_that_deal_with_processes_start_for_real(proxies: None) -> None:
    """Those that look at the one above them, or start some."""
    dealing = re.compile("getppid|/proc/|Popen|subprocess")
    found = {m.id for m in all_mutants().values() if dealing.search(inspect.getsource(m.apply))}

    assert running.REAL_STARTS == found
    assert [] == [name for name in found if "fork" in running.launch_command(name)]


def _module(function: Any) -> Any:
    return sys.modules[function.__module__]
