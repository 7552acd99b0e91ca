"""An event loop on which waiting takes no time: its clock jumps to the next thing that is due."""

import asyncio
import selectors
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

# Any value will do that is not mistaken for a duration or for Unix seconds.
_START_SECONDS = 1_000_000.0


class _Jumping(selectors.DefaultSelector):
    """Never waits: what a wait would have taken is added to the loop's clock."""

    now = _START_SECONDS

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if not events:
            if timeout is None:
                raise RuntimeError("the loop waits for something that cannot come")
            self.now += max(0.0, timeout)
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose time passes only while everything in it waits."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Seconds on the virtual clock."""
        return self._jumping.now


@contextmanager
def on_the_clock_of(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Let `time.monotonic` and `time.perf_counter` show the loop's time."""
    with mock.patch("time.monotonic", loop.time), mock.patch("time.perf_counter", loop.time):
        yield
