"""The clock of the mock: injectable, and shifted to play an API whose clock is wrong."""

import time
from collections.abc import Callable

_NS_PER_SECOND = 1_000_000_000
_NS_PER_MS = 1_000_000
# Thirty years: every date stays one that Go and Python can both print.
MAX_OFFSET_SECONDS = 1e9


class Clock:
    """Unix nanoseconds from `source`, plus an offset in seconds."""

    def __init__(
        self, source: Callable[[], int] = time.time_ns, offset_seconds: float = 0.0
    ) -> None:
        self._source = source
        self._offset_ns = 0
        self.set_offset(offset_seconds)

    def set_offset(self, seconds: float) -> None:
        """Shift the clock: positive runs ahead; ValueError when absurd."""
        if not abs(seconds) <= MAX_OFFSET_SECONDS:
            raise ValueError(f"clock offset {seconds} is out of range: at most 1e9 s either way")
        self._offset_ns = int(seconds * _NS_PER_SECOND)

    def now_ns(self) -> int:
        """Return unix time in nanoseconds."""
        return self._source() + self._offset_ns

    def now_ms(self) -> int:
        """Return unix time in whole milliseconds, the precision of item times."""
        return self.now_ns() // _NS_PER_MS
