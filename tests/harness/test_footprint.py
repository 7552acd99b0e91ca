"""What the kernel says of a server that was started."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from toolbridge_harness.footprint import command_lines, footprint

SERVER = (
    "import socket, sys\n"
    "s = socket.create_server(('127.0.0.1', 0))\n"
    "print(s.getsockname()[1], flush=True)\n"
    "kept = [open(sys.executable, 'rb') for _ in range(40)]\n"
    "data = b'x' * (64 << 20)\n"
    "print('ready', flush=True)\n"
    "sys.stdin.read()\n"
)


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a child that listens, has 40 files open and 64 MiB in use."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        number = int(child.stdout.readline())
        child.stdout.readline()
        yield number
        child.stdin.close()


def test_memory_files_and_threads_are_counted(port: int) -> None:
    """Those of the process that listens, below the one that started it."""
    seen = footprint(os.getpid(), port)

    assert seen is not None
    assert 64 << 20 < seen.memory < 1 << 30
    assert seen.files > 40
    assert seen.threads >= 1


def test_what_serves_elsewhere_is_not_seen(port: int) -> None:
    """Nothing is said of a port that no descendant listens on."""
    assert footprint(os.getpid(), port + 1 if port < 65535 else 1) is None


def test_command_lines_are_read_below_the_process_that_started_the_server(port: int) -> None:
    """With their arguments, and none where nothing below listens on the port."""
    lines = command_lines(os.getpid(), port)

    assert any(line.startswith(f"{sys.executable} -c import socket") for line in lines)
    assert [] == command_lines(os.getpid(), 1)
