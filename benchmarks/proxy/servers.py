"""The servers that are measured: started on loopback, looked into, ended."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import jwt

from toolbridge_harness.processes import child_environment, free_port

HERE = Path(__file__).parent
SECRET = "benchmark-secret-of-more-than-32-bytes"
START_SECONDS = 30
# uvicorn keeps what a reset connection leaves until its keep-alive time is over: with the proxy's
# 75 s, calls would look like growth whenever the machine gets faster.
KEEP_ALIVE_SECONDS = 2


def token(subject: str, lifetime: int = 7200) -> str:
    """Return a token of `subject` that lives for `lifetime` seconds."""
    claims = {"sub": subject, "tenant_id": "t1", "exp": int(time.time()) + lifetime}
    return jwt.encode(claims, SECRET, "HS256")


def start(
    stack: ExitStack, command: list[str], env: dict[str, str], port: int, *fds: int
) -> tuple[int, float]:
    """Start a server; return its process id and the seconds until it listened."""
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        env=child_environment(env),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=fds,
    )
    stack.callback(process.wait)
    stack.callback(process.terminate)
    while time.monotonic() < started + START_SECONDS and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            time.sleep(0.005)
            continue
        return process.pid, time.monotonic() - started
    raise SystemExit(f"{command}: did not start")


def start_stub(stack: ExitStack) -> str:
    """Start the Go API that costs next to nothing; return its URL."""
    port = free_port()
    start(stack, [sys.executable, str(HERE / "stub.py"), str(port)], {}, port)
    return f"http://127.0.0.1:{port}"


def proxy_settings(upstream: str, port: int) -> dict[str, str]:
    """Return the environment of the reference proxy."""
    return {
        "TOOLBRIDGE_GO_API_BASE_URL": upstream,
        "TOOLBRIDGE_TENANT_ID": "t1",
        "TOOLBRIDGE_TENANT_HEADER_SECRET": "s" * 32,
        "TOOLBRIDGE_JWT_SECRET": SECRET,
        "TOOLBRIDGE_HOST": "127.0.0.1",
        "TOOLBRIDGE_PORT": str(port),
        "TOOLBRIDGE_METRICS_PORT": "0",
    }


@dataclass(frozen=True)
class Inside:
    """What the launcher tells: CPU seconds before and after it, tasks, objects, modules."""

    cpu: float
    resumed: float
    tasks: int
    objects: int
    modules: list[str]


@dataclass(frozen=True)
class Proxy:
    """A reference proxy behind the launcher; `seconds` is how long it took to listen."""

    pid: int
    port: int
    seconds: float
    told: TextIO

    def inside(self) -> Inside:
        """Ask the process."""
        os.kill(self.pid, signal.SIGUSR1)
        told = json.loads(self.told.readline())
        return Inside(**told, resumed=float(self.told.readline()))

    @property
    def rss_kb(self) -> int:
        """Resident memory."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") // 1024

    @property
    def descriptors(self) -> int:
        """Open file descriptors."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))


def start_proxy(stack: ExitStack, upstream: str) -> Proxy:
    """Start the reference proxy so that it can be looked into."""
    port = free_port()
    read, write = os.pipe()
    told = stack.enter_context(os.fdopen(read))
    command = [sys.executable, str(HERE / "launcher.py"), str(write), str(KEEP_ALIVE_SECONDS)]
    pid, seconds = start(stack, command, proxy_settings(upstream, port), port, write)
    os.close(write)
    return Proxy(pid, port, seconds, told)
