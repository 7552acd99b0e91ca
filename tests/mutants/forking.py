"""Fork servers around a block, and the commands that make use of them."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

_HERE = Path(__file__).parent
PROGRAMS = _HERE / "fork_programs.py"
# The sockets of the servers that run, by program.
_sockets: dict[str, Path] = {}
# More clients than any number of runs starts at one time.
_BACKLOG = 128


def forked(program: str, command: Sequence[str]) -> list[str]:
    """Return the command that forks `program` in place of `command`, or that one without server."""
    if program not in _sockets:
        return list(command)
    client = str(_HERE / "fork_client.py")
    return [sys.executable, "-ISE", client, str(_sockets[program]), *command]


@contextlib.contextmanager
def fork_servers(*programs: str, script: Path = PROGRAMS) -> Iterator[None]:
    """Run a server for each program; when the block ends, so do they and all their children.

    They run the code as it is when the block is entered, whatever is edited later.
    """
    with contextlib.ExitStack() as stack:
        # Only this user may enter it (mode 0700).
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="toolbridge-fork-")))
        stack.callback(_sockets.clear)
        for program in programs:
            path = folder / program
            stack.enter_context(_server([str(script), program], path))
            _sockets[program] = path
        yield


@contextlib.contextmanager
def _server(program: Sequence[str], path: Path) -> Iterator[None]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(_BACKLOG)
        process = subprocess.Popen(
            [sys.executable, *program, str(listener.fileno())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env={k: v for k, v in os.environ.items() if not k.startswith("TOOLBRIDGE_")},
            pass_fds=[listener.fileno()],
            start_new_session=True,  # Ctrl-C is for the run, which ends this server
        )
    with process:
        try:
            yield
        finally:
            process.stdin.close()  # type: ignore[union-attr]  # a pipe
