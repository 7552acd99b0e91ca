"""Run the suite on a mutant as a user would: a process, a launch command, a JSON report."""

import asyncio
import json
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# A gate run takes 20 s on a quiet machine; a mutant that hangs must not hold up the others.
RUN_SECONDS = 240.0
_HERE = Path(__file__).parent


def launch_command(name: str) -> str:
    """Return the --launch command that serves this mutant or variant."""
    return shlex.join([sys.executable, str(_HERE), name])


async def run_suite(
    name: str, options: Sequence[str], seconds: float = RUN_SECONDS
) -> tuple[dict[str, Any] | None, float]:
    """Run `toolbridge verify` on the mutant `name`; return its JSON report and the seconds.

    None when the run left no report: it broke, or was not over after `seconds`.
    """
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.json"
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "toolbridge_harness", "verify"),
            *("--launch", launch_command(name), "--report", f"json:{path}", *options),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env={k: v for k, v in os.environ.items() if not k.startswith("TOOLBRIDGE_")},
        )
        try:
            await asyncio.wait_for(process.wait(), seconds)
        except TimeoutError:
            process.terminate()
            await process.wait()
            return None, time.monotonic() - started
        finally:
            if process.returncode is None:
                process.kill()
        report = json.loads(path.read_text()) if path.exists() else None
    return report, time.monotonic() - started
