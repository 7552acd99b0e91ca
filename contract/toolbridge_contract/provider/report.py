"""What a run says: as text for people, as JSON for programs."""

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from toolbridge_contract.provider.obligations import Finding, findings
from toolbridge_contract.provider.runner import Outcome, Result

_WIDTH = 100
_COLUMNS = tuple(Outcome)


@dataclass(frozen=True)
class Report:
    """The results of a run against `provider`, and a note about what remains there."""

    provider: str
    results: Sequence[Result]
    note: str = ""

    @property
    def red(self) -> bool:
        """Whether any case that ran differs or has no verdict, or none ran."""
        counts = self.counts
        return (
            bool(counts[Outcome.DIFFERS] or counts[Outcome.NO_VERDICT])
            or not (counts[Outcome.AGREES])
        )

    @property
    def counts(self) -> Counter[Outcome]:
        """Return how many cases came to each outcome."""
        return Counter(result.outcome for result in self.results)


def render(report: Report, *, every: bool = False) -> str:
    """Return the report as text; `every` lists the cases that agree one by one."""
    parts = [_table(report.results)]
    if every:
        parts.append("\n".join(f"agrees      {r.case.id}" for r in _of(report, Outcome.AGREES)))
    parts += [_difference(r) for r in _of(report, Outcome.DIFFERS)]
    parts += [f"no verdict  {r.case.id}\n    {r.reason}" for r in _of(report, Outcome.NO_VERDICT)]
    parts += list(_not_run(report))
    parts += [_finding(f) for f in findings(report.results)]
    if report.note:
        parts.append(report.note)
    return "\n\n".join(part for part in [*parts, _last(report)] if part) + "\n"


def _of(report: Report, outcome: Outcome) -> list[Result]:
    return [result for result in report.results if result.outcome is outcome]


def _table(results: Sequence[Result]) -> str:
    groups = list(dict.fromkeys(result.group for result in results))
    counts = Counter((result.group, result.outcome) for result in results)
    lines = ["group".ljust(12) + "".join(c.value.rjust(12) for c in _COLUMNS)]
    for group in groups:
        cells = (str(counts[group, c] or "").rjust(12) for c in _COLUMNS)
        lines.append((group.ljust(12) + "".join(cells)).rstrip())
    return "\n".join(lines)


def _difference(result: Result) -> str:
    lines = [f"differs     {result.case.id}: {result.case.method} {result.case.path}"]
    for difference in result.differences:
        lines.append(f"    {difference.what}")
        lines.append(f"        expected  {difference.expected}")
        lines.append(f"        got       {difference.got}")
    return "\n".join(lines)


def _not_run(report: Report) -> Iterator[str]:
    reasons: dict[str, list[str]] = {}
    for result in _of(report, Outcome.NOT_RUN):
        reasons.setdefault(result.reason, []).append(result.case.id)
    for reason, ids in reasons.items():
        yield f"not run     {reason}\n{_wrapped(', '.join(ids))}"


def _finding(finding: Finding) -> str:
    item = finding.obligation
    head = f"finding: [{item.severity.value}] {item.id} ({finding.seen})"
    rows = (("promised", item.promise), ("observed", item.observed), ("remedy", item.remedy))
    return "\n".join([head, *(_wrapped(f"{name}: {text}") for name, text in rows)])


def _wrapped(text: str) -> str:
    # An id is one word: broken at its hyphens it could not be searched for.
    return textwrap.fill(
        text, _WIDTH, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False
    )


def _last(report: Report) -> str:
    counts = report.counts
    ran = len(report.results) - counts[Outcome.NOT_RUN]
    rest = "".join(
        f", {counts[outcome]} {words}"
        for outcome, words in (
            (Outcome.DIFFERS, "differ"),
            (Outcome.NO_VERDICT, "without a verdict"),
            (Outcome.NOT_RUN, "not run"),
        )
        if counts[outcome]
    )
    return f"{report.provider}: {counts[Outcome.AGREES]} of {ran} cases agree{rest}"


def to_json(report: Report) -> dict[str, Any]:
    """Return the report as JSON data."""
    return {
        "provider": report.provider,
        "counts": {outcome.value: report.counts[outcome] for outcome in Outcome},
        "cases": [
            {
                "id": result.case.id,
                "group": result.group,
                "outcome": result.outcome.value,
                "reason": result.reason,
                "differences": [asdict(difference) for difference in result.differences],
            }
            for result in report.results
        ],
        "findings": [
            {
                **asdict(finding.obligation),
                "severity": finding.obligation.severity.value,
                "seen": finding.seen,
            }
            for finding in findings(report.results)
        ],
        "note": report.note,
    }
