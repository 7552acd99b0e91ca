"""How long a start of the reference proxy takes, and what the first calls cost.

A process of its own for every start and era: what the first era imports is there for the second.
"""

import asyncio
import os
import statistics
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise

from rich.console import Console
from rich.table import Table

from benchmarks.proxy.load import answer, post, request
from benchmarks.proxy.servers import Proxy, start_proxy, start_stub, token

ERAS = ("legacy", "modern")
START_TARGET_SECONDS = 2.5
RSS_TARGET_MB = 120.0


@dataclass(frozen=True)
class Started:
    """One start: seconds, MB before and after the first call, CPU ms, and new modules.

    `cpu` and `modules` are by step: first list, first call, second list, second call.
    """

    seconds: float
    cpu_seconds: float
    idle_mb: float
    used_mb: float
    cpu: tuple[float, ...]
    modules: tuple[frozenset[str], ...]


async def _ask(port: int, raw: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw)
    status, body = await answer(reader)
    writer.close()
    if status != 200 or b'"isError":true' in body or b'"error":' in body:
        raise RuntimeError(f"a request failed: {body[:300]!r}")


async def _steps(proxy: Proxy, era: str) -> Started:
    user_token = token("start")
    listing = {"id": 1, "method": "tools/list"}
    idle, told = proxy.rss_kb, [proxy.inside()]
    for number in range(2):
        await _ask(proxy.port, post(proxy.port, user_token, era, listing | {"params": {}}))
        told.append(proxy.inside())
        await _ask(proxy.port, request(proxy.port, user_token, era, number))
        told.append(proxy.inside())
    steps = list(pairwise(told))
    return Started(
        proxy.seconds,
        told[0].cpu,
        idle / 1024,
        proxy.rss_kb / 1024,
        tuple((after.cpu - before.resumed) * 1000 for before, after in steps),
        tuple(frozenset(after.modules) - frozenset(before.modules) for before, after in steps),
    )


def main(starts: int) -> None:
    """Start, measure, and print."""
    found: dict[str, list[Started]] = {era: [] for era in ERAS}
    with ExitStack() as stack:
        upstream = start_stub(stack)
        for _ in range(starts):
            for era in ERAS:
                with ExitStack() as one:
                    proxy = start_proxy(one, upstream)
                    found[era].append(asyncio.run(_steps(proxy, era)))
    _print(found)


def _print(found: dict[str, list[Started]]) -> None:
    console = Console(width=100, highlight=False)
    everything = [started for starts in found.values() for started in starts]
    table = Table("", "median", "worst", "target", "", box=None)
    rows: list[tuple[str, list[float], float | None]] = [
        ("seconds from exec to port open", [s.seconds for s in everything], START_TARGET_SECONDS),
        ("CPU seconds until then", [s.cpu_seconds for s in everything], None),
        ("RSS MB before the first call", [s.idle_mb for s in everything], RSS_TARGET_MB),
        ("RSS MB after two lists and calls", [s.used_mb for s in everything], RSS_TARGET_MB),
    ]
    for name, values, target in rows:
        median = statistics.median(values)
        met = ["-", ""] if target is None else [f"≤ {target:g}", _met(median, target)]
        table.add_row(name, f"{median:.2f}", f"{max(values):.2f}", *met)
    console.print(table, "")
    if os.getloadavg()[0] > (os.cpu_count() or 1):
        console.print("The machine is busy: its load is above its cores, CPU seconds say more.", "")
    _print_steps(console, found)


def _met(median: float, target: float) -> str:
    return "met" if median <= target else "MISSED"


def _print_steps(console: Console, found: dict[str, list[Started]]) -> None:
    table = Table("era", "step", "first, CPU ms", "second, CPU ms", "first imports", box=None)
    table.add_column("second imports")
    late: dict[str, None] = {}
    for era, starts in found.items():
        for place, step in enumerate(("tools/list", "tools/call")):
            cpu = [statistics.median(s.cpu[n] for s in starts) for n in (place, place + 2)]
            new = [frozenset().union(*(s.modules[n] for s in starts)) for n in (place, place + 2)]
            late |= dict.fromkeys(sorted(new[0] | new[1]))
            numbers = [f"{value:.1f}" for value in cpu] + [str(len(names)) for names in new]
            table.add_row(era, step, *numbers)
    console.print(table, "")
    if not late:
        console.print("GREEN: no call imports a module")
        return
    console.print(f"RED: calls import {len(late)} modules late: {', '.join(late)}")
