"""Two recorded runs side by side: what got worse, better, new and gone. Pure functions."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from toolbridge_harness.model import Cause, Check, Outcome, Report, Result, Severity
from toolbridge_harness.report.json_reader import Recording

_RANK = {severity: rank for rank, severity in enumerate(Severity)}
ABSENT = "not in the run"
ACCEPTED = "accepted"


class Group(StrEnum):
    """What became of a check between two runs; each check is in one group at most."""

    WORSE = "worse"
    """Red now, and was in the old run without being red."""
    GONE = "gone"
    """Had a verdict, red or not, and has none now."""
    ACCEPTED = "accepted"
    """Fails, and the baseline accepts it now."""
    WARNS = "warns"
    """Passed, and warns now."""
    BETTER = "better"
    """Was red, accepted or a warning, and is less than that now."""
    NEW = "new"
    """Has a verdict now, red or not, and had none."""


@dataclass(frozen=True)
class Change:
    """One check in both runs; `before` and `after` are outcomes, "accepted" or ABSENT."""

    check: str
    group: Group
    severity: Severity
    claim: str
    before: str
    after: str
    red: bool
    """Whether it makes the new run red."""
    expected: str
    actual: str
    detail: str
    cause: str
    remedy: str


@dataclass(frozen=True)
class CauseChange:
    """A cause that one of the runs names and the other does not."""

    id: str
    severity: Severity | None
    """None for a cause that is about the whole run."""
    headline: str
    remedy: str


@dataclass(frozen=True)
class SeverityChange:
    """A check that the suite grades otherwise now."""

    check: str
    before: Severity
    after: Severity
    outcome: str
    """What became of it in the new run."""


@dataclass(frozen=True)
class Comparison:
    """What changed between two runs; every list is sorted, the most severe first."""

    old: Report
    new: Report
    changes: tuple[Change, ...]
    causes_appeared: tuple[CauseChange, ...]
    causes_disappeared: tuple[CauseChange, ...]
    problems_appeared: tuple[str, ...]
    """Why the new run is red as a whole, where the old one was not."""
    problems_disappeared: tuple[str, ...]
    severities: tuple[SeverityChange, ...]

    def group(self, group: Group) -> tuple[Change, ...]:
        """Return the changes of one group."""
        return tuple(change for change in self.changes if change.group is group)

    @property
    def worse(self) -> bool:
        """Whether a check turned red, or the run has a problem that it had not."""
        return bool(self.group(Group.WORSE) or self.problems_appeared)

    @property
    def differences(self) -> dict[str, tuple[str, str]]:
        """Old and new target, mode and profile, where they differ: then much else may too."""
        pairs = {
            name: (getattr(self.old, name), getattr(self.new, name))
            for name in ("target", "mode", "profile")
        }
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def compare(old: Recording, new: Recording) -> Comparison:
    """Return what changed from `old` to `new`."""
    before, after = _by_check(old.report), _by_check(new.report)
    known = old.checks | new.checks
    old_problems, new_problems = _problems(old), _problems(new)
    return Comparison(
        old=old.report,
        new=new.report,
        changes=_changes(before, after, known),
        causes_appeared=_causes(new, old),
        causes_disappeared=_causes(old, new),
        problems_appeared=_only(new_problems, old_problems),
        problems_disappeared=_only(old_problems, new_problems),
        severities=_severities(old.checks, new.checks, after),
    )


def _by_check(report: Report) -> dict[str, Result]:
    return {result.check: result for result in report.results}


def _changes(
    before: Mapping[str, Result], after: Mapping[str, Result], known: Mapping[str, Check]
) -> tuple[Change, ...]:
    found = []
    for name in before.keys() | after.keys():
        old, new = before.get(name), after.get(name)
        group = _grouped(old, new)
        if group is not None:
            found.append(_change(known[name], group, old, new))
    return tuple(sorted(found, key=lambda change: (_RANK[change.severity], change.check)))


def _grouped(old: Result | None, new: Result | None) -> Group | None:
    """Return what became of a check; None where nothing did that matters."""
    if old and new and new.red and not old.red:
        return Group.WORSE
    had, has = _verdict(old), _verdict(new)
    if had is None or has is None:
        return Group.GONE if had else Group.NEW if has else None
    if had == has or {had, has} <= _RED:
        return None
    if has == ACCEPTED:
        return Group.ACCEPTED
    return Group.WARNS if had == Outcome.PASS else Group.BETTER


_RED = {outcome.value for outcome in Outcome if outcome.red}


def _verdict(result: Result | None) -> str | None:
    """Return the word for what the run found about a check; None when it did not look."""
    if result is None or result.outcome is Outcome.NOT_APPLICABLE:
        return None
    return _word(result)


def _word(result: Result | None) -> str:
    if result is None:
        return ABSENT
    return ACCEPTED if result.accepted and result.outcome.red else result.outcome.value


def _change(declared: Check, group: Group, old: Result | None, new: Result | None) -> Change:
    return Change(
        check=declared.id,
        group=group,
        severity=declared.severity,
        claim=declared.claim,
        before=_word(old),
        after=_word(new),
        red=new is not None and new.red,
        expected=new.expected if new else "",
        actual=new.actual if new else "",
        detail=new.detail if new else "",
        cause=new.cause if new else "",
        remedy=declared.remedy,
    )


def _causes(here: Recording, there: Recording) -> tuple[CauseChange, ...]:
    """Return the causes that `here` names and `there` does not, those of the run first."""
    named = {cause.id for cause in there.report.causes}
    found = [
        CauseChange(cause.id, _severity(cause, here), cause.headline, cause.remedy)
        for cause in here.report.causes
        if cause.id not in named
    ]
    found.sort(key=lambda one: (-1 if one.severity is None else _RANK[one.severity], one.id))
    return tuple(found)


def _severity(cause: Cause, recording: Recording) -> Severity | None:
    declared = recording.checks.get(cause.id)
    return declared.severity if declared else None


def _problems(recording: Recording) -> dict[str, str]:
    """Return why the run as a whole is red, by what stays the same from run to run."""
    headlines = {cause.headline: cause.id for cause in recording.report.causes}
    return {headlines.get(problem, problem): problem for problem in recording.report.problems}


def _only(here: Mapping[str, str], there: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(problem for key, problem in here.items() if key not in there)


def _severities(
    old: Mapping[str, Check], new: Mapping[str, Check], after: Mapping[str, Result]
) -> tuple[SeverityChange, ...]:
    found = [
        SeverityChange(name, old[name].severity, new[name].severity, _word(after[name]))
        for name in old.keys() & new.keys()
        if old[name].severity is not new[name].severity
    ]
    return tuple(sorted(found, key=lambda change: (_RANK[change.after], change.check)))
