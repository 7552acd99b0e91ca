"""Real processes on loopback: started, watched, their output kept, never left behind."""

import asyncio
import contextlib
import fcntl
import functools
import os
import secrets
import socket
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

# The supervisor's own grace period, and a little for the machine to breathe.
STOP_SECONDS = 8.0
# Linux takes ports of outgoing connections from 32768 on (ip(7), ip_local_port_range), other
# systems from 49152; below 20000 are the well-known services.
_PORTS = range(20_000, 32_768)
_TRIES = 1000
_handed_out: set[int] = set()
# A headline holds one line of a log, and no more of it than fits beside the verdict.
LAST_WORDS = 240


class Process:
    """One started command: its log, its end, and the way to stop it."""

    def __init__(self, process: asyncio.subprocess.Process, log: IO[bytes], name: str) -> None:
        self._process = process
        self._log = log
        self.name = name

    @classmethod
    async def start(cls, command: Sequence[str], env: Mapping[str, str], name: str) -> "Process":
        """Start `command` under the supervisor with exactly `env`."""
        log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "toolbridge_harness.supervise",
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=log,
            stderr=asyncio.subprocess.STDOUT,
            env=dict(env),
            start_new_session=True,
        )
        return cls(process, log, name)

    @property
    def pid(self) -> int:
        """The process id of the supervisor; the command and what it started are below it."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The command's exit code once it has ended: 128 + n when signal n ended it."""
        return self._process.returncode

    @property
    def log(self) -> str:
        """Everything that was written to standard output and error so far."""
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode(errors="replace")

    @property
    def last_words(self) -> str:
        """The last line of the log: where most programs say why they end."""
        lines = [line.strip() for line in self.log.splitlines() if line.strip()]
        return lines[-1][:LAST_WORDS] if lines else "it printed nothing"

    async def wait(self) -> int:
        """Wait for the command to end and return its exit code."""
        return await self._process.wait()

    async def stop(self) -> None:
        """End the command and everything it started."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), STOP_SECONDS)
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        self._log.close()


def child_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a child: this one without ToolBridge's settings, then `settings`.

    The folder of this interpreter comes first on the PATH, so that `python` is the one that
    has the same packages as the harness.
    """
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("TOOLBRIDGE_")}
    here = str(Path(sys.executable).parent)
    inherited["PATH"] = os.pathsep.join([here, inherited.get("PATH", os.defpath)])
    return inherited | dict(settings)


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket() as probe:
        # As servers do: connections that are only fading away do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


@functools.cache
def _leases() -> int:
    """Return the descriptor of this user's file of leases: a byte for each port."""
    path = Path(tempfile.gettempdir()) / f"toolbridge-ports-{os.getuid()}"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _lease(port: int) -> bool:
    """Take a port before other harnesses do; false when one of them has it."""
    try:
        fcntl.lockf(_leases(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


def free_port(host: str = "127.0.0.1") -> int:
    """Return a TCP port that nothing listens on, another one at each call and in each process.

    It lies below the range from which the system serves outgoing connections: one of those could
    take it before the server that it is meant for does. It stays this process's until it ends.
    """
    for _ in range(_TRIES):
        port = _PORTS[secrets.randbelow(len(_PORTS))]
        if port not in _handed_out and _lease(port) and port_is_free(port, host):
            _handed_out.add(port)
            return port
    raise OSError(f"no free port between {_PORTS.start} and {_PORTS.stop} on {host}")
