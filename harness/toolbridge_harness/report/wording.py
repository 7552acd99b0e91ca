"""What the reports for code hosts say alike: what is wrong, and what was not looked at."""

from collections.abc import Mapping
from dataclasses import dataclass

from toolbridge_harness.model import Check, Outcome, Report, Result, Severity
from toolbridge_harness.report.terminal import replay

_SEVERITIES = {severity: rank for rank, severity in enumerate(Severity)}


def observed(result: Result) -> str:
    """Return what a result found, in words."""
    if result.expected or result.actual:
        return f"expected {result.expected}, got {result.actual}"
    return result.detail or result.outcome.value


@dataclass(frozen=True)
class Problem:
    """One independent reason why a run is red."""

    id: str
    headline: str
    lines: tuple[str, ...] = ()


def problems(report: Report, checks: Mapping[str, Check]) -> list[Problem]:
    """Return why a run is red: causes first, then the run's own problems, then what is left.

    What follows from a cause is named under it and nowhere else.
    """
    results = {result.check: result for result in report.results}
    found = [
        Problem(
            cause.id,
            cause.headline,
            (
                *(_evidence(results[cause.id]) if cause.id in results else ()),
                f"fix: {cause.remedy}",
                *((f"this explains: {', '.join(cause.explains)}",) if cause.explains else ()),
                *((f"replay: {replay(report, cause.id)}",) if cause.id in checks else ()),
            ),
        )
        for cause in report.causes
    ]
    told = {cause.headline for cause in report.causes}
    found += [Problem("run-complete", text) for text in report.problems if text not in told]
    ids = {cause.id for cause in report.causes}
    found += [
        _alone(r, checks[r.check], report) for r in roots(report, checks) if r.check not in ids
    ]
    if report.exit_code == 5:
        found.append(Problem("run-complete", NOTHING_RAN))
    return found


NOTHING_RAN = "nothing ran: no selected check applies to this target"


def roots(report: Report, checks: Mapping[str, Check]) -> list[Result]:
    """Return the red results that no other cause explains, weightiest first."""
    found = [result for result in report.results if result.red and not result.cause]
    return sorted(found, key=lambda r: (_SEVERITIES[checks[r.check].severity], r.check))


def warnings(report: Report) -> list[Result]:
    """Return what was reported without making the run red."""
    return [result for result in report.results if result.outcome is Outcome.WARNING]


def _alone(result: Result, declared: Check, report: Report) -> Problem:
    return Problem(
        declared.id,
        declared.claim,
        (
            *_evidence(result),
            f"fix: {declared.remedy}",
            f"replay: {replay(report, declared.id)}",
        ),
    )


def _evidence(result: Result) -> tuple[str, ...]:
    return (f"{result.outcome.value}: {observed(result)}",)


def enabling(report: Report) -> list[str]:
    """Return one line per group of claims that the run could not look at."""
    return [
        f"{len(group.checks)} {'check' if len(group.checks) == 1 else 'checks'} not verified: "
        f"{group.reason}{group.enabling}"
        for group in report.not_verified
    ]
