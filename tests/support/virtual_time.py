"""Time that passes only by waiting: an event loop whose clock jumps to the next timer."""

import asyncio
import functools
import selectors
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")
# 2026-01-01T00:00:00Z.
START_NS = 1_767_225_600_000_000_000
NS_PER_SECOND = 1_000_000_000
_CLOCKS = ("time", "time_ns", "monotonic", "monotonic_ns")


class VirtualTime:
    """A wall clock and a monotonic one, and the loop that turns both.

    While `run` runs, the time module and every proxy module that imported one of its functions
    by name see these clocks. No real time is spent waiting.
    """

    def __init__(self) -> None:
        self._elapsed_ns = 0
        self._loop = _Loop(self)

    def time_ns(self) -> int:
        """Return unix time in nanoseconds."""
        return START_NS + self._elapsed_ns

    def time(self) -> float:
        """Return unix time in seconds."""
        return self.time_ns() / NS_PER_SECOND

    def monotonic_ns(self) -> int:
        """Return nanoseconds since the clock was made."""
        return self._elapsed_ns

    def monotonic(self) -> float:
        """Return seconds since the clock was made."""
        return self._elapsed_ns / NS_PER_SECOND

    def advance(self, seconds: float) -> None:
        """Let time pass: up, so that a timer is never a rounding short of due."""
        self._elapsed_ns += max(0, -int(-seconds * NS_PER_SECOND // 1))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end, with these clocks in force; what it left running waits for the next."""
        with self._in_force():
            return self._loop.run_until_complete(work)

    def close(self) -> None:
        """Cancel what still runs and close the loop."""
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        if left:
            self.run(_settle(left))
        self._loop.close()

    @contextmanager
    def _in_force(self) -> Iterator[None]:
        places = _places()
        try:
            for owner, name, original in places:
                setattr(owner, name, getattr(self, original.__name__))
            yield
        finally:
            for owner, name, original in places:
                setattr(owner, name, original)


async def _settle(tasks: set["asyncio.Task[Any]"]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)


@functools.cache
def _places() -> tuple[tuple[Any, str, Callable[[], float]], ...]:
    """Find every name by which the proxy, or who imports the time module, reads a clock."""
    originals = {getattr(time, name) for name in _CLOCKS}
    owners = [m for name, m in sorted(sys.modules.items()) if name.startswith("toolbridge_proxy")]
    return tuple(
        (owner, name, value)
        for owner in [time, *owners]
        for name, value in vars(owner).items()
        if getattr(value, "__hash__", None) and _is_clock(value, originals)
    )


def _is_clock(value: Any, originals: set[Any]) -> bool:
    return type(value) is type(time.time) and value in originals


class _NeverBlocks(selectors.SelectSelector):
    """Instead of waiting for a timer, turns the clock to it."""

    def __init__(self, clock: VirtualTime) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise RuntimeError("deadlock: everything waits, and no timer is set")
        self._clock.advance(timeout)
        return []


class _Loop(asyncio.SelectorEventLoop):
    """The loop; its time is the clock's."""

    def __init__(self, clock: VirtualTime) -> None:
        self._clock = clock
        super().__init__(_NeverBlocks(clock))

    def time(self) -> float:
        return self._clock.monotonic()
