"""A program of many ends, to be run as it is or forked: `python forked_words.py WORD`.

With a descriptor as second argument it serves forks of itself on that socket.
"""

import atexit
import json
import os
import random
import secrets
import signal
import socket
import ssl
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from mutants.fork_server import ForkServer

_DISPOSITIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGCHLD)


def _say(value: object) -> int:
    sys.stdout.write(json.dumps(value, sort_keys=True) + "\n")
    sys.stdout.flush()
    return 0


def _randoms() -> int:
    name = tempfile.mktemp()
    drawn = (str(uuid.uuid4()), random.random(), secrets.token_hex(8), ssl.RAND_bytes(8).hex())
    return _say([*drawn, str(uuid.uuid1()), name])


def _self() -> int:
    """What a process can tell of itself."""
    files = {int(name) for name in os.listdir("/proc/self/fd")}  # noqa: PTH208 - Path.iterdir opens one more
    return _say(
        {
            "command": Path("/proc/self/cmdline").read_text().split("\0")[1:-1],
            "environment": dict(os.environ),
            "zone": time.strftime("%Z"),
            "folder": str(Path.cwd()),
            "leads": os.getpid() == os.getpgid(0) == os.getsid(0),
            "signals": [str(signal.getsignal(number)) for number in _DISPOSITIONS],
            "arguments": sys.argv[1:],
            "threads": threading.active_count(),
            "files": sorted(n for n in files if Path(f"/proc/self/fd/{n}").exists()),
        }
    )


def _late() -> int:
    atexit.register(sys.stdout.write, "the hook\n")
    event = threading.Event()
    threading.Thread(target=lambda: event.wait() and sys.stdout.write("the thread\n")).start()
    threading.Timer(0.01, event.set).start()
    sys.stdout.write("the program\n")
    return 5


def _patient() -> int:
    def leave(number: int, _: object) -> None:
        sys.exit(100 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    _say(os.getpid())
    while True:
        signal.pause()


def _asleep() -> int:
    _say(os.getpid())
    while True:
        signal.pause()


def _raise(error: BaseException) -> int:
    raise error


def _die() -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


WORDS: dict[str, Callable[[], int]] = {
    "randoms": _randoms,
    "self": _self,
    "late": _late,
    "patient": _patient,
    "asleep": _asleep,
    "seven": lambda: 7,
    "nothing": lambda: sys.exit(),
    "text": lambda: sys.exit("said at the end"),
    "error": lambda: _raise(ValueError("what went wrong")),
    "interrupt": lambda: _raise(KeyboardInterrupt()),
    "die": _die,
}


def main(command: Sequence[str]) -> int:
    """Run the word of the command `python forked_words.py WORD`."""
    sys.argv[:] = command[1:]
    return WORDS[sys.argv[1]]()


if __name__ == "__main__":
    if len(sys.argv) == 3:
        with socket.socket(fileno=int(sys.argv[2])) as listener:
            ForkServer(listener, 0, main).run()
    else:
        sys.exit(main([sys.executable, *sys.argv]))
