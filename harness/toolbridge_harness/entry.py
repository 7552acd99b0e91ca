"""The console script: imports nothing before Ctrl-C is taken care of.

The imports behind the command line take a good part of a second, in which an interrupt would
otherwise end in a traceback.
"""

import os
import signal
from types import FrameType


def _leave(_number: int, _frame: FrameType | None) -> None:
    os.write(2, b"toolbridge: interrupted\n")
    os._exit(130)


def main() -> None:
    """Run the command line."""
    signal.signal(signal.SIGINT, _leave)
    from toolbridge_harness.cli import main as run

    signal.signal(signal.SIGINT, signal.default_int_handler)
    run()
