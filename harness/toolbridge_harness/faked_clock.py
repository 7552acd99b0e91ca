"""A clock that can be set for one process while it runs, by libfaketime."""

import asyncio
import tempfile
import time
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from toolbridge_harness.target import Target
from toolbridge_harness.verdicts import NotApplicable

# Where Debian, Fedora, Alpine and a build from source put it; the variant for threads first.
_FOLDERS = (
    "/usr/lib/*/faketime",
    "/usr/lib64/faketime",
    "/usr/lib/faketime",
    "/usr/local/lib/faketime",
)
_NAMES = ("libfaketimeMT.so.1", "libfaketime.so.1")
# Servers renew their Date header once a second.
_SHOWN_SECONDS = 2.5
_CLOSE_ENOUGH = 30


class FakedClock:
    """Offsets from the real time, for a process that is started with `environment`."""

    def __init__(self) -> None:
        library = _library()
        if library is None:
            raise NotApplicable("libfaketime is not installed here (Debian: apt install faketime)")
        self._folder = tempfile.TemporaryDirectory(prefix="toolbridge-clock-")
        self._file = Path(self._folder.name) / "offset"
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            # Deadlines and event loops must go on as they do on a machine whose clock is set.
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def __enter__(self) -> Self:
        self.set(0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._folder.cleanup()

    def set(self, seconds: int) -> None:
        """Let the clock show the real time plus `seconds` from now on."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n")
        new.replace(self._file)  # at once: it is read at every look at the clock


def _library() -> Path | None:
    for name in _NAMES:
        for folder in _FOLDERS:
            for path in sorted(Path("/").glob(f"{folder[1:]}/{name}")):
                return path
    return None


async def shown_clock(target: Target, offset: int) -> bool:
    """Whether the target's own Date header shows the real time plus `offset`, in the end."""
    deadline = time.monotonic() + _SHOWN_SECONDS
    while time.monotonic() < deadline:
        reply = await target.http("GET", f"{target.origin}/")
        try:
            shown = parsedate_to_datetime(reply.headers.get("date", "")).timestamp()
        except ValueError:
            return False
        if abs(shown - time.time() - offset) < _CLOSE_ENOUGH:
            return True
        await asyncio.sleep(0.1)
    return False
