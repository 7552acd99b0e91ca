"""A load balancer without affinity: each request goes to the next server, on its own connection."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from toolbridge_harness.fronts.listener import Listener
from toolbridge_harness.fronts.relaying import Address, connected, relay_one, request_head


class RoundRobin:
    """An HTTP/1.1 relay in front of `backends`; `served` counts the requests that each got."""

    def __init__(self, backends: Sequence[Address], host: str = "127.0.0.1") -> None:
        self.served: Counter[Address] = Counter()
        self._turns = itertools.cycle(backends)
        self.listener = Listener(self._relay, host=host)

    @property
    def url(self) -> str:
        """Where it listens, as a plain URL."""
        host, port = self.listener.address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await request_head(reader)
        backend = next(self._turns)
        self.served[backend] += 1
        async with connected(backend) as server:
            await relay_one(head, (reader, writer), server)


@asynccontextmanager
async def round_robin(
    backends: Sequence[Address], host: str = "127.0.0.1"
) -> AsyncIterator[RoundRobin]:
    """Listen on a free port of `host`, in front of `backends`."""
    front = RoundRobin(backends, host)
    async with front.listener:
        yield front
