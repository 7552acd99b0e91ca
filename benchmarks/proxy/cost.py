"""CPU per call of list_notes, read from the process, and latency, against three baselines.

Batches of all variants are interleaved, so that what else the machine does hits all of them;
the medians of the batches are compared, never absolute times.
"""

import asyncio
import statistics
import sys
from contextlib import ExitStack

from rich.console import Console
from rich.table import Table

from benchmarks.proxy.load import Measured, batch
from benchmarks.proxy.servers import HERE, proxy_settings, start, start_stub, token
from toolbridge_harness.processes import free_port

CONCURRENCIES = (1, 8, 32)
ERAS = ("legacy", "modern")
# Enough clock ticks (10 ms) per batch that the CPU time is good to a few per cent.
CALLS = {"reference": 480, "bare": 960, "stock": 320, "per-call": 64}


def main(rounds: int) -> None:
    """Run the rounds and print the table."""
    with ExitStack() as stack:
        upstream = start_stub(stack)
        servers = {}
        for name in CALLS:
            port = free_port()
            command = [sys.executable, str(HERE / "variants.py"), name, str(port), upstream]
            env = {}
            if name == "reference":
                command = [sys.executable, "-m", "toolbridge_proxy"]
                env = proxy_settings(upstream, port)
            servers[name] = (start(stack, command, env, port)[0], port)
        asyncio.run(measure(servers, token("bench"), rounds))


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
