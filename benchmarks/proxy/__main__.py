"""What a call through the reference proxy costs: `python -m benchmarks.proxy`.

CPU per call of list_notes, read from the process, and latency, as ratios to three baselines of
the same run. Batches of all variants are interleaved, so that what else the machine does hits
all of them; the medians of the batches are compared, never absolute times.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen

import jwt
from rich.console import Console
from rich.table import Table

from benchmarks.proxy.load import Measured, batch
from toolbridge_harness.processes import free_port

HERE = Path(__file__).parent
SECRET = "benchmark-secret-of-more-than-32-bytes"
CONCURRENCIES = (1, 8, 32)
ERAS = ("legacy", "modern")
# Enough clock ticks (10 ms) per batch that the CPU time is good to a few per cent.
CALLS = {"reference": 480, "bare": 960, "stock": 320, "per-call": 64}


def start(stack: ExitStack, command: list[str], env: dict[str, str], port: int) -> int:
    """Start a server, wait until it listens, and return its process id."""
    process = subprocess.Popen(
        command, env=os.environ | env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    stack.callback(process.wait)
    stack.callback(process.terminate)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
        except OSError as error:
            if getattr(error, "code", None) is None:
                time.sleep(0.05)
                continue
        return process.pid
    raise SystemExit(f"{command}: did not start")


def main() -> None:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="batches per variant and cell")
    rounds = parser.parse_args().rounds
    token = jwt.encode(
        {"sub": "bench", "tenant_id": "t1", "exp": int(time.time()) + 7200}, SECRET, "HS256"
    )
    with ExitStack() as stack:
        upstream_port = free_port()
        upstream = f"http://127.0.0.1:{upstream_port}"
        start(stack, [sys.executable, str(HERE / "stub.py"), str(upstream_port)], {}, upstream_port)
        servers = {}
        for name in CALLS:
            port = free_port()
            command = [sys.executable, str(HERE / "variants.py"), name, str(port), upstream]
            env = {}
            if name == "reference":
                command = [sys.executable, "-m", "toolbridge_proxy"]
                env = {
                    "TOOLBRIDGE_GO_API_BASE_URL": upstream,
                    "TOOLBRIDGE_TENANT_ID": "t1",
                    "TOOLBRIDGE_TENANT_HEADER_SECRET": "s" * 32,
                    "TOOLBRIDGE_JWT_SECRET": SECRET,
                    "TOOLBRIDGE_HOST": "127.0.0.1",
                    "TOOLBRIDGE_PORT": str(port),
                    "TOOLBRIDGE_METRICS_PORT": "0",
                }
            servers[name] = (start(stack, command, env, port), port)
        asyncio.run(measure(servers, token, rounds))


async def measure(servers: dict[str, tuple[int, int]], token: str, rounds: int) -> None:
    """Measure every cell, variants interleaved."""
    table = Table("era", "c", "variant", "CPU µs", "p50 ms", "p95 ms", "CPU / this", box=None)
    for pid, port in servers.values():
        for era in ERAS:  # lazy imports of the baselines are not what is measured
            await batch(pid, port, token, era, connections=1, calls=20)
    for era in ERAS:
        for connections in CONCURRENCIES:
            cells: dict[str, list[Measured]] = {name: [] for name in servers}
            for _ in range(rounds):
                for name, (pid, port) in servers.items():
                    calls = max(CALLS[name], connections * 2)
                    cells[name].append(
                        await batch(pid, port, token, era, connections=connections, calls=calls)
                    )
            reference = statistics.median(m.cpu for m in cells["reference"])
            for name, found in cells.items():
                cpu = statistics.median(m.cpu for m in found)
                table.add_row(
                    era,
                    str(connections),
                    name,
                    f"{cpu:.0f}",
                    f"{statistics.median(m.quantile(0.5) for m in found):.2f}",
                    f"{statistics.median(m.quantile(0.95) for m in found):.2f}",
                    f"{reference / cpu:.2f}",
                )
            print(f"{era} c={connections} done", file=sys.stderr)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
