"""Secrets stay out of the list of processes."""

import httpx

from toolbridge_harness.footprint import command_lines
from toolbridge_harness.model import Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import NotApplicable, require


@check(
    "hygiene-no-secret-in-processes",
    "No command line of the proxy's processes holds a secret",
    severity=Severity.HIGH,
    catalogue="LOG-10",
    source="CWE-214; OWASP MCP01",
    remedy="Hand secrets over in the environment or in a file; never as an argument.",
    why="Every user of the machine can list the arguments of every process; monitors keep them.",
    needs=(Vantage.TOKENS, Vantage.LOGS),
    broken="a secret stands on a command line of the proxy, for every local user to read",
)
async def command_lines_hold_no_secret(target: Target, caller: Caller) -> None:
    """Makes a call, and reads the command lines of the process that serves and of its children."""
    await caller.control()
    process, port = target.deployment.process, httpx.URL(target.origin).port
    lines = command_lines(process.pid, port) if process is not None and port else []
    if not lines:
        raise NotApplicable("the process that serves cannot be seen from here")
    for line in lines:
        found = target.deployment.redactor.finds(line)
        require(not found, f"no secret on the command line of {line.split()[0]}", ", ".join(found))
