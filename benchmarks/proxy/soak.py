"""Whether the reference proxy grows: memory, descriptors and tasks over many calls.

A third of the calls fail or are given up, by users that change. Each of them is seen during
the warm-up, so that what still grows after it is not a cache that fills.
"""

import asyncio
import itertools
import json
import random
import socket
import statistics
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.proxy.load import answer, request
from benchmarks.proxy.servers import KEEP_ALIVE_SECONDS, Proxy, start_proxy, start_stub, token
from benchmarks.proxy.stub import CUT, MANY_ITEMS, SLOW, SLOW_SECONDS

BATCH = 1000
WORKERS = 8
USERS = 200
WARM_UP = 0.5  # of the calls: the allocator keeps growing for longer than caches and pools
NEW_USERS = 2000
ENOUGH_SAMPLES = 16  # with fewer, one pooled connection more at the end looks like a slope
SEED = 1
# The rarest kind below makes 20 of 1,000 calls: one descriptor or task left behind by each is a
# slope of 20, with some ten objects of one of 200, with 10 kB of one of 200. The limits stay clear
# of noise: one more pooled connection is 100 objects, and the allocator gives little back.
LIMITS = {"RSS kB": 200.0, "descriptors": 1.0, "tasks": 1.0, "objects": 100.0}
REST_SECONDS = 0.5  # beyond the longest timer
NOTICED_SECONDS = 0.01  # for the proxy to read what was sent before the client goes


@dataclass(frozen=True)
class Kind:
    """One kind of call: its share in 1,000, what is sent, and what must come back.

    `wanted` is the HTTP status and the error code of the tool result; None: the client leaves.
    """

    name: str
    share: int
    tool: str
    arguments: dict[str, Any]
    wanted: tuple[int, str | None] | None = (200, None)
    leaves: str = ""


def _note(group: str) -> dict[str, str]:
    return {"uid": f"{group}-0000-4000-8000-000000000000"}


PAGE = {"limit": 10}
KINDS = (
    Kind("list", 500, "list_notes", PAGE),
    Kind("create", 180, "create_note", {"title": "T", "content": "C" * 200}),
    Kind("404", 50, "get_note", _note("00000404"), (200, "not_found")),
    Kind("bad arguments", 50, "list_notes", {"limit": "ten"}, (200, "invalid_argument")),
    Kind("bad token", 50, "list_notes", PAGE, (401, None)),
    Kind("500", 40, "get_note", _note("00000500"), (200, "upstream_error")),
    Kind("503", 20, "get_note", _note("00000503"), (200, "upstream_unavailable")),
    Kind("cut answer", 20, "get_note", _note(CUT), (200, "upstream_bad_response")),
    Kind("leaves in the body", 30, "list_notes", PAGE, None, "body"),
    Kind("leaves while waiting", 30, "get_note", _note(SLOW), None, "waiting"),
    Kind("leaves in the answer", 30, "list_notes", {"limit": MANY_ITEMS}, None, "answer"),
)


@dataclass
class Load:
    """What is sent, in a fixed order; `wrong` counts the answers that were not as wanted."""

    port: int
    calls: Iterator[tuple[int, Kind, str | None]]
    wrong: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)

    async def run(self, count: int) -> None:
        """Make `count` calls over a few connections, and leave none open."""
        batch = iter(list(itertools.islice(self.calls, count)))
        await asyncio.gather(*(self._work(batch) for _ in range(WORKERS)))

    async def _work(self, batch: Iterator[tuple[int, Kind, str | None]]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for number, kind, user_token in batch:
            era = "modern" if number % 2 else "legacy"
            raw = request(self.port, user_token, era, number, kind.tool, kind.arguments)
            self.done[kind.name] += 1
            if kind.wanted is None:
                await self._leave(raw, kind.leaves)
                continue
            writer.write(raw)
            status, body = await answer(reader)
            if (status, _code(body)) != kind.wanted:
                self.wrong[f"{kind.name}: HTTP {status}, {body[:120]!r}"] += 1
        writer.close()

    async def _leave(self, raw: bytes, when: str) -> None:
        """Break off on a connection whose buffers are too small for a large answer."""
        bare = socket.socket()
        bare.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        bare.setblocking(False)
        await asyncio.get_running_loop().sock_connect(bare, ("127.0.0.1", self.port))
        reader, writer = await asyncio.open_connection(sock=bare, limit=1024)
        writer.write(raw[:-20] if when == "body" else raw)
        if when == "answer":
            await reader.readexactly(1000)
        else:
            await asyncio.sleep(NOTICED_SECONDS)
        writer.transport.abort()


def _code(body: bytes) -> str | None:
    result = json.loads(body).get("result", {})
    return result["structuredContent"]["error"]["code"] if result.get("isError") else None


def mixture() -> Iterator[tuple[int, Kind, str | None]]:
    """Yield calls for ever: kinds by their share, users at random, with one of two tokens each."""
    dice = random.Random(SEED)
    users = [[token(f"user-{n}"), token(f"user-{n}", 7300)] for n in range(USERS)]
    refused = [None, "x.y.z", token("late", -60), token("user-0")[:-4] + "AAAA"]
    shares = [kind.share for kind in KINDS]
    for number in itertools.count():
        [kind] = dice.choices(KINDS, shares)
        bad = kind.wanted is not None and kind.wanted[0] == 401
        yield number, kind, dice.choice(refused if bad else dice.choice(users))


def newcomers() -> Iterator[tuple[int, Kind, str | None]]:
    """Yield good calls, each of a user never seen before."""
    for number in itertools.count():
        yield number, KINDS[0], token(f"newcomer-{number}")


async def sample(proxy: Proxy) -> tuple[float, ...]:
    """Return what LIMITS names, at rest: what clients gave up has ended, and its timers too."""
    await asyncio.sleep(KEEP_ALIVE_SECONDS + SLOW_SECONDS + REST_SECONDS)
    inside = proxy.inside()
    return proxy.rss_kb, proxy.descriptors, inside.tasks, inside.objects


def main(calls: int) -> None:
    """Run the calls, print the samples and the slopes; ends with 1 when something grows."""
    with ExitStack() as stack:
        proxy = start_proxy(stack, start_stub(stack))
        sys.exit(asyncio.run(_soak(proxy, max(calls // BATCH, 8))))


async def _soak(proxy: Proxy, batches: int) -> int:
    load = Load(proxy.port, mixture())
    samples = [await sample(proxy)]
    for number in range(batches):
        await load.run(BATCH)
        samples.append(await sample(proxy))
        print(f"{(number + 1) * BATCH} calls: {samples[-1]}", file=sys.stderr)
    late = Load(proxy.port, newcomers())
    await late.run(NEW_USERS)
    grown = (await sample(proxy))[-1] - samples[-1][-1]
    wrong = load.wrong + late.wrong
    return _print(samples, load.done, wrong, grown / NEW_USERS)


def _print(
    samples: list[tuple[float, ...]],
    done: Counter[str],
    wrong: Counter[str],
    objects_per_user: float,
) -> int:
    warm = max(int(len(samples) * WARM_UP), 1)
    table = Table("", "before", "warm", "end", "per 1,000 calls", "limit", "verdict", box=None)
    columns = dict(zip(LIMITS, zip(*samples, strict=True), strict=True))
    grows = []
    for name, values in columns.items():
        slope = statistics.linear_regression(range(warm, len(samples)), values[warm:]).slope
        good = slope <= LIMITS[name]
        grows += [] if good else [name]
        ends = [f"{value:.0f}" for value in (values[0], values[warm], values[-1])]
        verdict = "flat" if good else "GROWS"
        table.add_row(name, *ends, f"{slope:+.2f}", f"{LIMITS[name]:g}", verdict)
    console = Console(width=100, highlight=False)
    console.print(table)
    console.print(", ".join(f"{name} {count}" for name, count in sorted(done.items())))
    console.print(
        f"each of {NEW_USERS} new users: {objects_per_user:.1f} objects (not judged: caches)"
    )
    for text, count in wrong.items():
        console.print(f"WRONG ANSWER, {count} times: {text}", markup=False)
    if len(samples) < ENOUGH_SAMPLES:
        console.print("few samples: a slope of this run may be noise, repeat it with more calls")
    bad = grows or wrong
    share = f"{sum(wrong.values())} of {sum(done.values())} answers are wrong"
    console.print(f"{'RED' if bad else 'GREEN'}: growing: {', '.join(grows) or 'nothing'}; {share}")
    return 1 if bad else 0
