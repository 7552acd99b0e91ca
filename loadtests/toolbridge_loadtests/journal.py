"""What a process has measured so far, and how workers hand theirs to the master."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from toolbridge_loadtests.samples import Sample


@dataclass
class Journal:
    """The raw samples of one test, and what else the verdict needs to know about it."""

    samples: list[Sample] = field(default_factory=list)
    missed: int = 0
    left: int = 0
    """Items that could not be deleted."""
    callers: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    unreachable: str = ""
    cold_start_ms: float | None = None
    started: str = ""
    lost_workers: int = 0
    in_flight: int = 0
    broken: str = ""
    """A bug of the load test itself: samples may be missing."""

    def reset(self, started: str) -> None:
        """Forget the last test; what the preflight found stays."""
        self.samples.clear()
        self.callers.clear()
        self.notes.clear()
        self.missed = self.left = self.lost_workers = 0
        self.started = started

    def note(self, text: str) -> None:
        """Remember something worth telling, once."""
        if text not in self.notes:
            self.notes.append(text)

    def take(self) -> dict[str, Any]:
        """Hand over what was collected since the last time, as plain values for the wire."""
        batch = {
            "samples": [list(sample) for sample in self.samples],
            "missed": self.missed,
            "left": self.left,
            "callers": sorted(self.callers),
            "notes": list(self.notes),
            "broken": self.broken,
        }
        self.samples.clear()
        self.missed = self.left = 0
        return batch

    def merge(self, batch: Mapping[str, Any]) -> None:
        """Add what a worker handed over."""
        self.samples += [Sample(*values) for values in batch["samples"]]
        self.missed += batch["missed"]
        self.left += batch["left"]
        self.callers.update(batch["callers"])
        self.broken = self.broken or batch["broken"]
        for text in batch["notes"]:
            self.note(text)
