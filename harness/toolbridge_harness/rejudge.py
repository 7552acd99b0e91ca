"""Judge a recorded run again under another baseline. Pure functions over the result model."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace

from toolbridge_harness.baseline import ABOUT_ENTRY, Accepted, apply_baseline
from toolbridge_harness.causes import STRAYS, WRONG_USER, blame_strays, explain
from toolbridge_harness.model import Cause, Check, Report


def rejudge(
    report: Report, checks: Mapping[str, Check], baseline: Sequence[Accepted], today: datetime.date
) -> Report:
    """Return the report that the run would have made with `baseline` on the day `today`.

    The baseline replaces the one of the run. What ended the run, strays and missing vantages
    were observed then, so they stay.
    """
    cut = _cut_short(report, checks)
    observed = tuple(
        replace(r, accepted="", cause=r.cause if cut and r.cause == cut.id else "")
        for r in report.results
    )
    results, problems = apply_baseline(observed, baseline, today)
    # Only how many there are and the first one is said about strays, and that is recorded.
    strays = [problem for problem in report.problems if problem.startswith(WRONG_USER)]
    results, mixed = blame_strays(results, checks, strays)
    mixed = tuple(replace(cause, headline=strays[0]) for cause in mixed)
    results, causes = explain(results, checks)
    kept = [p for p in report.problems if not p.startswith(ABOUT_ENTRY)]
    first = kept[:1] if cut else []
    return replace(
        report,
        results=results,
        causes=(*((cut,) if cut else ()), *mixed, *causes),
        problems=(*first, *problems, *kept[len(first) :]),
    )


def _cut_short(report: Report, checks: Mapping[str, Check]) -> Cause | None:
    """Return the cause that ended the run early, if one did."""
    for cause in report.causes:
        if cause.id not in checks and cause.id != STRAYS:
            return cause
    return None
