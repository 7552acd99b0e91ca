"""Proxies as processes that tests signal, kill and replace; their whole log is kept."""

import asyncio
import json
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from support.command_line import environment
from support.contract_caller import JWT_SECRET, TENANT, TENANT_SECRET

# Imports take two seconds on a quiet machine.
START_SECONDS = 30.0


class ProxyProcess:
    """One `python -m toolbridge_proxy` on a free port; starting does not wait for it.

    `lines` is what it has logged; `errors` is its standard error, once it is closed.
    """

    def __init__(self, go_api_url: str, **settings: str) -> None:
        own = {
            "TOOLBRIDGE_GO_API_BASE_URL": go_api_url, "TOOLBRIDGE_TENANT_ID": TENANT,
            "TOOLBRIDGE_TENANT_HEADER_SECRET": TENANT_SECRET, "TOOLBRIDGE_JWT_SECRET": JWT_SECRET,
            "TOOLBRIDGE_HOST": "127.0.0.1", "TOOLBRIDGE_PORT": "0", "TOOLBRIDGE_METRICS_PORT": "",
        }  # fmt: skip
        self.lines: list[str] = []
        self.errors = ""
        self._port = ""
        self._listening = threading.Event()
        self._stderr = tempfile.TemporaryFile("w+")  # noqa: SIM115 - lives as long as the process
        self.process = subprocess.Popen(
            [sys.executable, "-m", "toolbridge_proxy"],
            env=environment(**own | settings),
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if found := re.search(r"Uvicorn running on http://127\.0\.0\.1:(\d+)", line):
                self._port = found[1]
                self._listening.set()
        self._listening.set()

    @property
    def port(self) -> int:
        """Where it listens; waits until it does."""
        assert self._listening.wait(START_SECONDS), self.lines
        assert self._port, (self.lines, self.process.poll())
        return int(self._port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def ended(self, seconds: float) -> int:
        """Return the exit code (-n for signal n); raises TimeoutExpired when it still runs."""
        code = await asyncio.to_thread(self.process.wait, seconds)
        await asyncio.to_thread(self._reader.join)
        return code

    async def refuses_connections(self, seconds: float = 5) -> None:
        """Return once nothing listens on its port any more."""
        async with asyncio.timeout(seconds):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except ConnectionRefusedError:
                    return
                writer.close()
                await asyncio.sleep(0.01)

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the log lines of one event; each line must be one whole JSON object."""
        lines = [json.loads(line) for line in self.lines if line.endswith("\n")]
        assert len(self.lines) == len(lines), f"cut: {self.lines[-1]!r}"
        return [line for line in lines if line["event"] == name]

    def close(self) -> None:
        """End it, whatever state it is in."""
        if self._stderr.closed:
            return
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._stderr.seek(0)
        self.errors = self._stderr.read()
        self._stderr.close()


class Fleet:
    """Several proxies before one Go API, of which one can be replaced."""

    def __init__(self, go_api_url: str, size: int) -> None:
        self._go_api_url = go_api_url
        self.proxies = [ProxyProcess(go_api_url) for _ in range(size)]

    @property
    def ports(self) -> list[int]:
        return [proxy.port for proxy in self.proxies]

    async def replace(self, place: int) -> int:
        """Start a new proxy in the place of one that has ended; return its port."""
        self.proxies[place].close()
        self.proxies[place] = ProxyProcess(self._go_api_url)
        return await asyncio.to_thread(lambda: self.proxies[place].port)

    def close(self) -> None:
        for proxy in self.proxies:
            proxy.close()


@contextmanager
def running_proxy(go_api_url: str, **settings: str) -> Iterator[ProxyProcess]:
    """Run one proxy."""
    proxy = ProxyProcess(go_api_url, **settings)
    try:
        yield proxy
    finally:
        proxy.close()
