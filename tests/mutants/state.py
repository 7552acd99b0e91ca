"""What is known of earlier runs, so that a run goes on where it stopped and need not repeat."""

import hashlib
import inspect
import json
from collections.abc import Iterable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import toolbridge_proxy
from mutants.judging import Fate, Verdict
from mutants.table import Mutant
from toolbridge_harness import causes
from toolbridge_harness.model import Check


class State:
    """Verdicts by mutant, each with the fingerprint of the code that it rests on; kept in a file.

    Every verdict is written at once: a run that is stopped loses the one at hand.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, Any] = {}
        if path.exists():
            self._known = json.loads(path.read_text())

    def put(self, verdict: Verdict, fingerprint: str) -> None:
        """Keep a verdict."""
        self._known[verdict.mutant] = {"fingerprint": fingerprint, "verdict": asdict(verdict)}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(self._known, indent=1, sort_keys=True))
        fresh.replace(self._path)

    def get(self, mutant: str, fingerprint: str) -> Verdict | None:
        """Return the verdict on this very code, None when there is none."""
        known = self._known.get(mutant)
        if known is None or known["fingerprint"] != fingerprint:
            return None
        told = known["verdict"]
        return Verdict(
            **told
            | {
                "fate": Fate(told["fate"]),
                "killers": tuple(told["killers"]),
                "red": tuple(told["red"]),
            }
        )

    def was_wrong(self, mutant: str) -> bool:
        """Whether the last verdict, on whatever code, was not as it should be, or is unknown."""
        known = self._known.get(mutant)
        if known is None:
            return True
        told = known["verdict"]
        return told["fate"] != Fate.SPARED and not (
            told["fate"] == Fate.KILLED and told["cause_right"]
        )


def fingerprint(mutant: Mutant, checks: Iterable[Check]) -> str:
    """Return a digest of what the verdict rests on: the bug, the checks, the proxy."""
    files = {inspect.getsourcefile(declared.run) for declared in checks}
    files |= {inspect.getsourcefile(mutant.apply), causes.__file__}
    words = (mutant.id, *mutant.rows, mutant.cause, mutant.spared)
    return digest([name for name in files if name], *words)


def digest(files: Iterable[str], *words: str) -> str:
    """Return a digest of the proxy's code, of other files, and of words."""
    found = hashlib.sha256(_proxy())
    for name in sorted(files):
        found.update(Path(name).read_bytes())
    found.update(" ".join(words).encode())
    return found.hexdigest()


@cache
def _proxy() -> bytes:
    folder = Path(toolbridge_proxy.__file__).parent
    return b"".join(path.read_bytes() for path in sorted(folder.glob("*.py")))
