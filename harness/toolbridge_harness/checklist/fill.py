"""The deployment guide's check lists as data, and how a row gets its state. Pure: no I/O."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from toolbridge_harness.model import Outcome, Report, Result

# What a run calls itself when it asked a live deployment, not one that the harness started.
LIVE_MODE = "black-box"

# Expected and actual of one failure fit on a line or two of a terminal.
_QUOTED = 160


class Section(StrEnum):
    """Where the guide has the row."""

    BEFORE = "Security, before deploying"
    SECURITY = "Security, after deploying"
    SUCCESS = "Success criteria"


class State(StrEnum):
    """What is known about a row."""

    MET = "met"
    NOT_MET = "not met"
    UNCHECKED = "could not be checked"


@dataclass(frozen=True)
class Row:
    """One line of the guide and what answers it."""

    id: str
    section: Section
    text: str
    """The guide's own words."""
    evidence: str
    """What would meet the row."""
    checks: tuple[str, ...] = ()
    """Ids of the checks that must all pass; none where no check can tell."""
    run: str = ""
    """The command that answers it, with {app}, {config}, {verify} and {url} to fill in."""
    fix: str = ""
    """The command that finds the cause when a check failed; by default its explanation."""
    unseen: str = "no check can see this: look, then confirm it"
    """Why the row stays open when nothing answers it and it has no checks."""
    live: bool = True
    """Only a run against the deployment itself can meet the row."""


@dataclass(frozen=True)
class Answer:
    """A state with the reason for it."""

    state: State
    evidence: str
    failed: tuple[str, ...] = ()
    """The checks that failed."""


@dataclass(frozen=True)
class FilledRow:
    """A row and its answer."""

    row: Row
    answer: Answer

    @property
    def state(self) -> State:
        """What is known about the row."""
        return self.answer.state

    @property
    def met(self) -> bool:
        """Whether the box may be ticked."""
        return self.state is State.MET

    @property
    def next_step(self) -> str:
        """The command to run now: for the cause of a failure, or for an answer; empty if met."""
        if self.met:
            return ""
        if not self.answer.failed:
            return self.row.run
        return self.row.fix or f"toolbridge checks explain {self.answer.failed[0]}"


def fill(
    rows: Iterable[Row],
    report: Report | None,
    answers: Mapping[str, Answer] | None = None,
    confirmed: Iterable[str] = (),
) -> list[FilledRow]:
    """Return every row with its state.

    `answers`, by row id, come from elsewhere: files, a load test. `confirmed` are ids of rows
    that a person vouches for; that fills what could not be checked and overrides no finding.
    """
    known, vouched = answers or {}, frozenset(confirmed)
    filled = []
    for row in rows:
        answer = known.get(row.id) or judge(row, report)
        if answer.state is State.UNCHECKED and row.id in vouched:
            answer = Answer(State.MET, "confirmed by hand (--confirm); not checked by this tool")
        filled.append(FilledRow(row, answer))
    return filled


def judge(row: Row, report: Report | None) -> Answer:
    """Return what a run says about a row: met only if every one of its checks passed."""
    if not row.checks:
        return Answer(State.UNCHECKED, row.unseen)
    if report is None:
        return Answer(State.UNCHECKED, "no run was given (--report)")
    found = [result for result in report.results if result.check in row.checks]
    failed = [result for result in found if result.outcome is Outcome.FAIL]
    if failed:
        names = tuple(result.check for result in failed)
        return Answer(State.NOT_MET, "; ".join(map(_failure, failed)), names)
    if row.live and report.mode != LIVE_MODE:
        return Answer(
            State.UNCHECKED,
            f"the run was {report.mode or 'of an unknown kind'}: "
            "it is about the software, not about a deployment",
        )
    gaps = _gaps(row, found)
    if gaps:
        return Answer(State.UNCHECKED, "; ".join(gaps))
    return Answer(State.MET, f"passed on {report.target}: {', '.join(row.checks)}")


def _failure(result: Result) -> str:
    expected, actual = _short(result.expected), _short(result.actual or result.detail)
    if not expected:
        return f"{result.check} failed: {actual}" if actual else f"{result.check} failed"
    return f"{result.check} failed: expected {expected}, got {actual or 'something else'}"


def _gaps(row: Row, found: list[Result]) -> list[str]:
    present = {result.check for result in found}
    missing = [check for check in row.checks if check not in present]
    gaps = [f"not in the report: {', '.join(missing)}"] if missing else []
    for result in found:
        if result.outcome is not Outcome.PASS:
            why = _short(result.detail or result.actual)
            gaps.append(f"{result.check} ended as {result.outcome}" + (f": {why}" if why else ""))
    return gaps


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _QUOTED else line[: _QUOTED - 1] + "…"
