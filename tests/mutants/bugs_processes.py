"""Proxies whose processes show what only they should know."""

import os
import subprocess
import sys

from mutants.table import mutant

# Ends with the process that started it: nobody else holds the pipe.
_WAITS = "import sys; sys.stdin.read()"
_STARTED: list[subprocess.Popen[bytes]] = []


@mutant(
    "secret-as-argument",
    "a helper process gets the tenant-header secret as an argument",
    rows="LOG-10",
    cause="hygiene-no-secret-in-processes",
)
def secret_as_argument() -> None:
    """Where every user of the machine can read it."""
    secret = os.environ.get("TOOLBRIDGE_TENANT_HEADER_SECRET", "")
    command = [sys.executable, "-c", _WAITS, f"--secret={secret}"]
    _STARTED.append(subprocess.Popen(command, stdin=subprocess.PIPE))
