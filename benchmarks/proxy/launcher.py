"""The reference proxy, which tells on SIGUSR1 what only its inside knows.

`python launcher.py FD KEEP_ALIVE_SECONDS`, and otherwise as `python -m toolbridge_proxy`.

Two lines go to the inherited file descriptor FD: a JSON object (CPU seconds, asyncio tasks, objects
that are left after a full collection, modules), and the CPU seconds when all that was told.
"""

import asyncio
import gc
import json
import os
import signal
import sys
import time
from typing import Any

import uvicorn

from toolbridge_proxy.__main__ import main


class Config(uvicorn.Config):
    """uvicorn's configuration with another keep-alive time."""

    keep_alive_seconds = 0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options | {"timeout_keep_alive": self.keep_alive_seconds})


def tell_on_signal(descriptor: int) -> None:
    """Install the handler; it runs in the main thread, where the event loop is."""
    out = os.fdopen(descriptor, "w")

    def tell(*_: object) -> None:
        asked = time.process_time()
        gc.collect()
        inside = {
            "cpu": asked,
            "tasks": len(asyncio.all_tasks()),
            "objects": len(gc.get_objects()),
            "modules": list(sys.modules),
        }
        # Last, so that what the telling costs can be left out of what comes between two of them.
        print(json.dumps(inside), time.process_time(), sep="\n", file=out, flush=True)

    signal.signal(signal.SIGUSR1, tell)


if __name__ == "__main__":
    Config.keep_alive_seconds = int(sys.argv.pop())
    # A class stands in for another on purpose: the proxy makes its own Config.
    uvicorn.Config = Config  # type: ignore[misc]
    tell_on_signal(int(sys.argv.pop()))
    sys.exit(main())
