"""What a user's notes may look like, given what the proxy said of every write (SM-2).

Acknowledged means done exactly once, a definite error means not done, outcome_unknown either.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from toolbridge_harness.verdicts import Violation
from toolbridge_harness.wire import Reply

# Content and version of a note; a write that happens twice shows in its version.
State = tuple[str, int]


@dataclass
class Note:
    """One note under its title; `may` holds each state that it may be in, None for not there."""

    title: str
    may: set[State | None] = field(default_factory=lambda: {None})
    uid: str = ""

    @property
    def state(self) -> State | None:
        """The one state that it must be in; None when there are several, or it is not there."""
        return next(iter(self.may)) if len(self.may) == 1 else None


@dataclass
class Notebook:
    """The notes of one user by title, none of which anybody else writes."""

    notes: dict[str, Note] = field(default_factory=dict)

    def settled(self) -> list[Note]:
        """Return the notes that are known to be there, and how."""
        return [note for note in self.notes.values() if note.state is not None and note.uid]

    def told(self, note: Note, wanted: State | None, reply: Reply, what: str) -> None:
        """Take down what was said of a write that would have made `wanted` of the note."""
        if reply.ok:
            note.may = {wanted}
        elif reply.code == "outcome_unknown":
            note.may = note.may | {wanted}
        elif reply.status != 200 or not reply.code:
            raise Violation(f"success or a tool error with a code for {what}", reply.brief)

    def compare(self, items: Iterable[dict[str, Any]]) -> None:
        """Require that the notes read back are what they may be, and settle what was open."""
        found: dict[str, list[State]] = {title: [] for title in self.notes}
        for item in items:
            title = str(item["payload"].get("title"))
            state = (str(item["payload"].get("content")), int(item["version"]))
            found.setdefault(title, []).append(state)
            if title in self.notes:
                self.notes[title].uid = item["uid"]
        for title, states in found.items():
            note = self.notes.get(title)
            actual = states[0] if states else None
            if note is None or len(states) > 1 or actual not in note.may:
                told = "no note" if note is None else _shown(note.may)
                raise Violation(f"{told} under the title {title!r}", _shown(states) or "none")
            note.may = {actual}


def _shown(states: Iterable[State | None]) -> str:
    return " or ".join(
        "nothing" if state is None else f"{state[0]!r} in version {state[1]}" for state in states
    )
