"""What this thread reads or asks for, seen by the interpreter's audit events (PEP 578)."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

_WATCHED = frozenset(
    [
        "open",
        "os.listdir",
        "os.system",
        "os.exec",
        "os.posix_spawn",
        "subprocess.Popen",
        "sqlite3.connect",
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "urllib.Request",
    ]
)
# A module that is imported late is no input of the program.
_CODE = (".py", ".pyc", ".so")

_watching: list[tuple[int, list[str]]] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watching or event not in _WATCHED:
        return
    thread, touched = _watching[-1]
    if thread == threading.get_ident() and not str(arguments[0]).endswith(_CODE):
        touched.append(f"{event} {arguments[0]!r}")


@cache
def _installed() -> None:
    sys.addaudithook(_hook)


@contextmanager
def io_watched() -> Iterator[list[str]]:
    """Collect file, socket and process events of this thread until the block ends."""
    _installed()
    touched: list[str] = []
    _watching.append((threading.get_ident(), touched))
    try:
        yield touched
    finally:
        _watching.pop()
