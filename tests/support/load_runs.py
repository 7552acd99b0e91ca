"""Start the stub MCP server, Locust and `toolbridge load` as real processes."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from support.load_server import SECRET, TENANT

ROOT = Path(__file__).parents[2]
CREDENTIALS = {"TOOLBRIDGE_JWT_SECRET": SECRET, "TOOLBRIDGE_TENANT_ID": TENANT}
# Twice what the slowest of these runs takes on a busy machine.
PATIENCE = 90.0


@dataclass
class StubServer:
    url: str

    def report(self) -> dict[str, Any]:
        content: dict[str, Any] = httpx.get(f"{self.url}/arrivals").json()
        return content

    def arrivals(self) -> list[dict[str, Any]]:
        """The tool calls that arrived, without those that warm up."""
        return [call for call in self.report()["arrivals"] if not call["warm_up"]]


@contextmanager
def stub_server(*options: str) -> Iterator[StubServer]:
    script = Path(__file__).with_name("load_server.py")
    with running([sys.executable, str(script), *options], Path.cwd()) as process:
        assert process.stdout is not None
        yield StubServer(f"http://127.0.0.1:{int(process.stdout.readline())}")


@contextmanager
def running(arguments: list[str], folder: Path, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """A process whose output can be read, ended when the block is left in whatever way."""
    with subprocess.Popen(
        arguments,
        cwd=folder,
        env=environment(**settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            # Twice, because `toolbridge load` takes the first one for a request to finish.
            for end in (process.terminate, process.kill):
                end()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(5)


def environment(**extra: str) -> dict[str, str]:
    """This environment without settings of ToolBridge or Locust that a developer may have."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TOOLBRIDGE_", "LOCUST_"))}
    return kept | extra


def command(name: str, *arguments: str) -> list[str]:
    """A command line of `locust` (with the project's locustfile) or `toolbridge load`."""
    if name == "locust":
        file = str(ROOT / "loadtests" / "locustfile.py")
        return [sys.executable, "-m", "locust", "-f", file, *arguments]
    return [sys.executable, "-c", _LOAD, *arguments]


_LOAD = "from toolbridge_harness.cli import main; import sys; main(['load', *sys.argv[1:]])"


def finished(
    arguments: list[str], folder: Path, **settings: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments,
        cwd=folder,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def until(condition: Callable[[], bool]) -> None:
    """Poll a process that has no event to wait for."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "the condition was never met"
        time.sleep(0.05)
