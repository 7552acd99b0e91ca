"""The MCP Inspector's command line, as a person or a CI job calls it."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interop.node import STABLE, NodeTools

# A call takes a second; the Inspector itself gives up a connection after 15.
SECONDS = 60
TOOL_ERROR, AUTH_REQUIRED = 5, 3


@dataclass(frozen=True)
class Answer:
    """What one command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def result(self) -> dict[str, Any]:
        """The MCP result on standard output."""
        result: dict[str, Any] = json.loads(self.out)["result"]
        return result

    @property
    def problem(self) -> str:
        """The code of the error envelope on standard error."""
        code: str = json.loads(self.err.splitlines()[-1])["error"]["code"]
        return code


class Inspector:
    """The installed Inspector, in one protocol era, with or without a token."""

    def __init__(self, tools: NodeTools, home: Path, era: str) -> None:
        self._tools, self._environment, self.era = tools, tools.environment(home), era

    def __call__(self, url: str, method: str, *options: str, token: str | None = None) -> Answer:
        """Run one method against `url`."""
        header = () if token is None else ("--header", f"Authorization: Bearer {token}")
        launcher = self._tools.package(STABLE, "@modelcontextprotocol/inspector")
        script = launcher / "clients" / "launcher" / "build" / "index.js"
        common = ("--transport", "http", "--protocol-era", self.era, "--format", "json")
        done = subprocess.run(
            ["node", str(script), "--cli", url, *common, "--method", method, *header, *options],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def call(self, url: str, tool: str, token: str | None = None, **arguments: Any) -> Answer:
        """Call a tool."""
        given = ("--tool-name", tool, "--tool-args-json", json.dumps(arguments))
        return self(url, "tools/call", *given, token=token)
