"""Run the official MCP conformance suite, and read what it wrote and what we expect of it."""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interop.node import NEXT, STABLE, NodeTools

PACKAGE = "@modelcontextprotocol/conformance"
BASELINES = Path(__file__).parent / "baselines"
# A whole run takes three seconds; the suite itself gives each scenario 30.
SECONDS = 150
_RESULT = re.compile(r"server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z")
_ENTRY = re.compile(r"  - (?P<name>[\w.-]+(?::[\w.-]+)?)  # (?P<cause>[a-z]+): (?P<reason>\S.+)")

CAUSES = {
    # "instead of re-requesting": the suite's words for any error where it wanted its tool.
    "fixture": (
        r"Unknown tool|Not testable: server |Prerequisite failed|not found\. Available tools"
        r"|^Expected InputRequiredResult|instead of re-requesting"
    ),
    "capability": r"Method not found|got -32601|data\.uri is undefined",
    # The suite finds no session id, says so as a warning without a message, and stops.
    "stateless": r"^$",
    "extension": r"",
}
"""Why a scenario may fail on a server with these tools, and what the suite then says."""


@dataclass(frozen=True)
class Suite:
    """One way of running the suite: version, options, and the baseline of that run."""

    name: str
    manifest: str
    options: tuple[str, ...]
    listing: tuple[str, ...]

    @property
    def baseline(self) -> Path:
        """The file of expected failures."""
        return BASELINES / f"{self.name}.yml"


SUITES = (
    Suite("0.1.16", STABLE, ("--suite", "all"), ("list", "--server")),
    *(
        Suite(
            f"0.2.0-alpha.12-{revision}",
            NEXT,
            ("--requirements", revision),
            ("list", "--requirements", revision),
        )
        for revision in ("2025-11-25", "2026-07-28")
    ),
)


@dataclass(frozen=True)
class Check:
    """One check of a scenario, as the suite wrote it."""

    scenario: str
    id: str
    status: str
    message: str

    @property
    def failed(self) -> bool:
        """Whether the suite wants it in a baseline; a warning counts there."""
        return self.status in ("FAILURE", "WARNING")


@dataclass(frozen=True)
class Entry:
    """One line of a baseline: a scenario, or one check of it, and why it may fail."""

    scenario: str
    check: str | None
    cause: str
    reason: str


@dataclass(frozen=True)
class Run:
    """How the suite ended, what it printed, and every check of every scenario that ran."""

    code: int
    output: str
    checks: tuple[Check, ...]
    scenarios: frozenset[str]

    def of(self, scenario: str) -> list[Check]:
        """Return a scenario's checks."""
        return [check for check in self.checks if check.scenario == scenario]


class Conformance:
    """The installed suite, pointed at one server."""

    def __init__(self, tools: NodeTools, url: str, folder: Path) -> None:
        self._tools, self._url, self._folder = tools, url, folder

    def listed(self, suite: Suite) -> set[str]:
        """Return the server scenarios that the suite says it has."""
        printed = self._run(suite, suite.listing).stdout
        server = printed.partition("Client scenarios")[0]
        return set(re.findall(r"^  - (\S+)", server, re.MULTILINE))

    def run(self, suite: Suite, baseline: Path, *options: str) -> Run:
        """Run the suite, with `options` instead of the suite's own when there are any."""
        output = self._folder / f"results-{len(list(self._folder.iterdir()))}"
        chosen = options or suite.options
        arguments = ("server", "--url", self._url, "-o", str(output), *chosen)
        done = self._run(suite, (*arguments, "--expected-failures", str(baseline)))
        checks = tuple(_results(output))
        names = frozenset(_scenario(folder) for folder in output.iterdir())
        return Run(done.returncode, done.stdout + done.stderr, checks, names)

    def _run(self, suite: Suite, arguments: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        script = self._tools.package(suite.manifest, PACKAGE) / "dist" / "index.js"
        return subprocess.run(
            ["node", str(script), *arguments],
            env=self._tools.environment(self._folder),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )


def _scenario(folder: Path) -> str:
    match = _RESULT.fullmatch(folder.name)
    assert match, f"{folder.name} is not named as the suite names results"
    return match[1]


def _results(output: Path) -> Iterator[Check]:
    for folder in sorted(output.iterdir()):
        written: list[dict[str, Any]] = json.loads((folder / "checks.json").read_text())
        for check in written:
            message = check.get("errorMessage") or ""
            yield Check(_scenario(folder), check["id"], check["status"], message)


def entries(baseline: str) -> list[Entry]:
    """Return the entries of a baseline file.

    Raises ValueError with the line that is neither comment nor entry, or has no reason.
    """
    found = []
    for number, line in enumerate(baseline.splitlines(), 1):
        if not line.strip() or line.startswith("#") or line == "server:":
            continue
        match = _ENTRY.fullmatch(line)
        if match is None or match["cause"] not in CAUSES:
            causes = ", ".join(CAUSES)
            raise ValueError(
                f"line {number}: {line!r}: write `  - scenario[:check]  # cause: reason`, "
                f"where the cause is one of {causes}"
            )
        scenario, _, check = match["name"].partition(":")
        found.append(Entry(scenario, check or None, match["cause"], match["reason"]))
    return found


def explains(entry: Entry, check: Check) -> bool:
    """Whether `entry` is about `check`, and the check failed for the reason that it names."""
    if entry.scenario != check.scenario or entry.check not in (None, check.id):
        return False
    if entry.cause == "stateless" and check.status != "WARNING":
        return False
    return re.search(CAUSES[entry.cause], check.message) is not None
