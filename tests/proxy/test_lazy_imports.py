"""No caller pays for an import that belongs to the start."""

import json
import subprocess
import sys
from pathlib import Path

import support.lazy_imports


def test_calls_import_nothing_late() -> None:
    """The first round in both eras loads no store of FastMCP's, the second one nothing at all."""
    done = subprocess.run(
        [sys.executable, str(Path(support.lazy_imports.__file__))],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (0, "") == (done.returncode, done.stderr)
    first, second = json.loads(done.stdout.splitlines()[-1])
    assert [] == [name for name in first if name.split(".")[0] in ("key_value", "beartype")]
    assert [] == second
