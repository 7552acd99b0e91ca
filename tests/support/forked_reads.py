"""Print the variables that a program's imports look up: `python forked_reads.py PROGRAM`.

Whoever goes through the whole environment, as settings with a prefix do, is not counted.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from mutants.fork_programs import PROGRAMS
from support.patching import patch

_read: set[str] = set()


def _watched(original: Any) -> Any:
    def get(self: Any, name: str) -> str:
        callers = {sys._getframe(depth).f_code.co_name for depth in (1, 2)}
        if "__iter__" not in callers:
            _read.add(name)
        value: str = original(self, name)
        return value

    return get


if __name__ == "__main__":
    patch(type(os.environ), "__getitem__", _watched)
    PROGRAMS[sys.argv[1]].prepare()
    print(json.dumps(sorted(_read)))  # noqa: T201 - what the test reads
