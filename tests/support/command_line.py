"""Run `toolbridge` as users do: as a process, with nothing of this shell's settings."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# A whole gate takes half a minute on two quiet cores; a machine may be eight times as busy.
SECONDS = 240
TOOLBRIDGE = [sys.executable, "-m", "toolbridge_harness"]
SUPPORT = Path(__file__).parent


@dataclass(frozen=True)
class Finished:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def first_line(self) -> str:
        """The verdict."""
        return self.out.partition("\n")[0]

    def count(self, word: str) -> int:
        """The number before `word` in the summary line."""
        found = re.search(rf"(\d+) {re.escape(word)}", self.out)
        assert found, self.out
        return int(found[1])


def environment(**settings: str) -> dict[str, str]:
    """Return this environment without ToolBridge's settings, then `settings`."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("TOOLBRIDGE_")}
    return inherited | settings


def toolbridge(*arguments: str, cwd: Path | None = None, **settings: str) -> Finished:
    """Run one command to its end."""
    done = subprocess.run(
        [*TOOLBRIDGE, *arguments],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        cwd=cwd,
        env=environment(**settings),
        stdin=subprocess.DEVNULL,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def python_command(script: str, *arguments: str) -> str:
    """Return a --launch command that runs a script of tests/support."""
    return " ".join(["python", str(SUPPORT / script), *arguments])


def descendants(pid: int) -> set[int]:
    """Return the living processes below `pid`."""
    children: dict[int, set[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if fields[0] != "Z":
            children.setdefault(int(fields[1]), set()).add(int(stat.parent.name))
    found, waiting = set(), [pid]
    while waiting:
        for child in children.get(waiting.pop(), set()):
            found.add(child)
            waiting.append(child)
    return found


def alive(pids: set[int]) -> set[int]:
    """Return those of `pids` that have not ended."""
    living = set()
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            living.add(pid)
    return living


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON report."""
    document: dict[str, Any] = json.loads(path.read_text())
    return document
