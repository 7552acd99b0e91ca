"""Run the suite on a mutant as a user would: a process, a launch command, a JSON report.

Inside `launcher()` the suite and the proxies are forks of processes that have their imports behind
them, which takes half of the CPU time; everything that a check can see is as at a real start.
"""

import asyncio
import contextlib
import json
import os
import re
import shlex
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mutants.forking import fork_servers, forked
from mutants.judging import CONTROL, beside, control_failed

# A gate run takes 20 s on a quiet machine; a mutant that hangs must not hold up the others.
RUN_SECONDS = 240.0
_HERE = Path(__file__).parent
# Mutants that look at, or are looked at among, the processes below the one that was launched:
# those of a fork stand elsewhere.
REAL_STARTS = frozenset({"old-secret-kept", "secret-as-argument"})
# What a run's options say when one of its checks does that: the profile soak, or the check.
_LOOKING = re.compile(r"^soak$|-soak-|-in-processes$")


@contextlib.contextmanager
def launcher(real_starts: bool = False) -> Iterator[None]:
    """Fork suite and proxies inside the block, if every start is not to be a real one."""
    with fork_servers() if real_starts else fork_servers("suite", "mutant"):
        yield


def launch_command(name: str, options: Sequence[str] = (), real: bool | None = None) -> str:
    """Return the --launch command that serves this mutant or variant to a run with `options`.

    `real` says whether it has to be a real start, where the options do not decide.
    """
    command = [sys.executable, str(_HERE), name]
    real = looks_at_processes(options) if real is None else real
    return shlex.join(command if real or name in REAL_STARTS else forked("mutant", command))


def looks_at_processes(names: Iterable[str]) -> bool:
    """Whether one of these options or checks looks at the processes that serve."""
    return any(_LOOKING.search(name) for name in names)


async def run_mutant(
    name: str, options: Sequence[str], seconds: float = RUN_SECONDS, real: bool | None = None
) -> tuple[dict[str, Any] | None, float]:
    """Run the suite as `run_suite` does; a control that failed is run again, alone.

    Beside other callers it may suffer from the very bug that another check found.
    """
    report, spent = await run_suite(name, options, seconds, real)
    if report is None or not control_failed(report):
        return report, spent
    alone, more = await run_suite(name, ["--only", CONTROL], real=real)
    return beside(report, alone), spent + more


async def run_suite(
    name: str, options: Sequence[str], seconds: float = RUN_SECONDS, real: bool | None = None
) -> tuple[dict[str, Any] | None, float]:
    """Run `toolbridge verify` on the mutant `name`; return its JSON report and the seconds.

    None when the run left no report: it broke, or was not over after `seconds`.
    """
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.json"
        verify = [sys.executable, "-m", "toolbridge_harness", "verify"]
        verify += ["--launch", launch_command(name, options, real), "--report", f"json:{path}"]
        verify += options
        process = await asyncio.create_subprocess_exec(
            *forked("suite", verify),
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
