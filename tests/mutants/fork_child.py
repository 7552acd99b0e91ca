"""The life of a forked process: from the fork to its end, as a process of its own."""

import atexit
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

# prctl(2).
_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None, use_errno=True).prctl


class Child(NamedTuple):
    """What a child is given."""

    parent: int
    streams: tuple[int, ...]
    """The descriptors that become its standard input, output and error."""
    environment: dict[bytes, bytes]


def live(child: Child, program: Callable[[], int]) -> NoReturn:
    """Become what a process started with `child` would be, run `program`, and end."""
    code = 1
    try:
        _settle(child)
        code = _exit_code(program)
    finally:
        try:
            _finish()
        finally:
            os._exit(code & 0xFF)


def _settle(child: Child) -> None:
    os.setsid()
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != child.parent:
        os._exit(1)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for wanted, stream in enumerate(child.streams):
        os.dup2(stream, wanted)
        os.close(stream)
    for output in (sys.stdout, sys.stderr):
        _reopened(output)
    os.environ.clear()
    os.environb.update(child.environment)
    time.tzset()


def _reopened(output: Any) -> None:
    output.reconfigure(line_buffering=output is sys.stderr or os.isatty(output.fileno()))


def _exit_code(program: Callable[[], int]) -> int:
    """Run the program; what it raises ends it as it would end an interpreter."""
    try:
        return program()
    except SystemExit as leaving:
        if leaving.code is None or isinstance(leaving.code, int):
            return leaving.code or 0
        sys.stderr.write(f"{leaving.code}\n")
    except BaseException as error:  # noqa: BLE001 - the end of the process
        sys.excepthook(type(error), error, error.__traceback__)
        if isinstance(error, KeyboardInterrupt):
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
    return 1


def _finish() -> None:
    """Do what an interpreter does at its end: wait for threads, call hooks, write what is left."""
    threading._shutdown()  # type: ignore[attr-defined]  # as multiprocessing does after a fork
    atexit._run_exitfuncs()
    for output in (sys.stdout, sys.stderr):
        output.flush()
