"""Run what a guide prints, in a shell, with the reader's own addresses filled in."""

import re
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

SECONDS = 60


def localised(text: str, changes: Mapping[str, str]) -> str:
    """Return `text` with each key replaced; ValueError where one is absent.

    Nothing may be left that leads anywhere but to this machine.
    """
    for old, new in changes.items():
        if old not in text:
            raise ValueError(f"the snippet has no {old!r} to replace: {text!r}")
        text = text.replace(old, new)
    elsewhere = set(re.findall(r"https?://([^/:\s\"'?]+)", text)) - {"127.0.0.1", "localhost"}
    if elsewhere:
        raise ValueError(f"the snippet would ask {', '.join(sorted(elsewhere))}: {text!r}")
    return text


def run(command: str, cwd: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run one command in bash, as pasted."""
    return subprocess.run(
        ["bash", "-c", command],
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def fly_that_prints(log: str, folder: Path) -> Path:
    """Make a `fly` whose `fly logs …` prints `log`, and return the folder to put on the PATH."""
    written = folder / "proxy.log"
    written.write_text(log)
    program = folder / "fly"
    program.write_text(
        f'#!/bin/sh\n[ "$1" = logs ] || exit 64\nexec cat {shlex.quote(str(written))}\n'
    )
    program.chmod(0o755)
    return folder
