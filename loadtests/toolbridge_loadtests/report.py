"""A verdict as JSON and as text: pure functions of it.

The JSON is versioned: a field may be added within version 1; a change of meaning makes it 2.
docs/load-testing.md describes every field.
"""

import math
from typing import Any

from toolbridge_loadtests.figures import Figures, ToolRow
from toolbridge_loadtests.gate import Outcome, Verdict
from toolbridge_loadtests.samples import Sample

SCHEMA = "toolbridge-load-report"
VERSION = 1

REHEARSAL = "REHEARSAL, not a gate verdict"


def as_json(verdict: Verdict) -> dict[str, Any]:
    """Return the report as JSON values. A time that is a failed request is null."""
    rule, run, figures = verdict.rule, verdict.run, verdict.figures
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "outcome": verdict.outcome.value,
        "gate": not rule.rehearsal,
        "exit_code": verdict.exit_code,
        "headline": verdict.headline,
        "advice": verdict.advice,
        "target": run.target,
        "shape": run.shape,
        "started": run.started,
        "rule": {
            "budget_ms": rule.budget_ms,
            "percentile": rule.percent,
            "confidence": rule.confidence,
            "min_samples": rule.min_samples,
            "min_seconds": rule.min_seconds,
            "max_failed_share": rule.max_failed_share,
            "min_rate_share": rule.min_rate_share,
            "max_lateness_ms": rule.max_lateness_ms,
        },
        "samples": figures.count,
        "seconds": round(figures.seconds, 3),
        "callers": run.callers,
        "slow": figures.slow,
        "failed": figures.failed,
        "slow_share": figures.slow_share,
        "slow_share_bounds": list(figures.slow_bounds),
        "latency_ms": {
            "p50": _number(figures.p50),
            "p95": _number(figures.p95),
            "p95_interval": [_number(value) for value in figures.p95_interval],
            "p99": _number(figures.p99),
            "max": _number(figures.worst),
        },
        "rate": {
            "intended_per_second": round(figures.rate_intended, 3),
            "sent_per_second": round(figures.rate_sent, 3),
            "missed": run.missed,
            "lost_workers": run.lost_workers,
            "lateness_p95_ms": _number(figures.lateness_p95),
        },
        "burstiness": round(figures.burstiness, 2),
        "cold_start_ms": None if run.cold_start_ms is None else _number(run.cold_start_ms),
        "tools": [_tool_json(row) for row in figures.tools],
        "errors": [
            {"kind": kind, "count": count, "example": example}
            for kind, count, example in figures.errors
        ],
        "slowest": [_sample_json(sample) for sample in figures.slowest],
        "locust": {"p95_rounded_ms": run.rounded_p95_ms},
        "notes": list(run.notes),
    }


def _number(value: float) -> float | None:
    return round(value, 3) if math.isfinite(value) else None


def _tool_json(row: ToolRow) -> dict[str, Any]:
    return {
        "tool": row.tool,
        "samples": row.samples,
        "failed": row.failed,
        "slow": row.slow,
        "p50_ms": _number(row.p50),
        "p95_ms": _number(row.p95),
        "max_ms": _number(row.worst),
    }


def _sample_json(sample: Sample) -> dict[str, Any]:
    return {
        "tool": sample.tool,
        "at": round(sample.at, 3),
        "milliseconds": round(sample.milliseconds, 3),
        "lateness_ms": round(sample.lateness, 3),
        "server_timing": sample.server_timing,
    }


_LABELS = {
    Outcome.PASS: "PASS",
    Outcome.FAIL: "FAIL",
    Outcome.INCONCLUSIVE: "NO VERDICT",
    Outcome.UNMEASURED: "FAIL",
}


def as_text(verdict: Verdict) -> str:
    """Return the report for people: the headline first, then what it rests on."""
    label = _LABELS[verdict.outcome]
    if verdict.rule.rehearsal:
        label = f"{REHEARSAL}: {label}"
    # "no verdict" is the label's to say.
    headline = verdict.headline.removeprefix("no verdict: ")
    lines = [f"{label}: {headline}"]
    if verdict.advice:
        lines.append(f"  -> {verdict.advice}")
    lines += [f"  target    {verdict.run.target}, shape {verdict.run.shape}"]
    if verdict.figures.count:
        lines += _figure_lines(verdict)
        lines += _tool_lines(verdict.figures)
        lines += _error_lines(verdict.figures)
        lines += _slowest_lines(verdict.figures)
    lines += [f"  note      {note}" for note in _notes(verdict)]
    return "\n".join(lines) + "\n"


def _figure_lines(verdict: Verdict) -> list[str]:
    rule, run, figures = verdict.rule, verdict.run, verdict.figures
    low, high = figures.slow_bounds
    p95_low, p95_high = (_ms(value) for value in figures.p95_interval)
    return [
        (
            f"  samples   {figures.count} over {figures.seconds:.1f} s by {run.callers} callers; "
            f"{rule.min_samples} over {rule.min_seconds:g} s are needed"
        ),
        (
            f"  rate      {figures.rate_sent:.1f} requests/s sent, {figures.rate_intended:.1f} "
            f"intended; generator late by {figures.lateness_p95:.1f} ms at p95"
        ),
        (
            f"  slow      {figures.slow} took {rule.budget_ms:g} ms or longer or failed: "
            f"{figures.slow_share:.1%}, {rule.confidence:.0%} bounds {low:.1%} and {high:.1%}; "
            f"must be below {rule.slow_limit:.0%}"
        ),
        f"  failed    {figures.failed}; at most {rule.max_failed_share:.0%} may",
        (
            f"  p50 {_ms(figures.p50)}, p95 {_ms(figures.p95)} (interval {p95_low} to {p95_high}), "
            f"p99 {_ms(figures.p99)}, max {_ms(figures.worst)} ms"
        ),
    ]


def _tool_lines(figures: Figures) -> list[str]:
    head = f"  {'tool':<22}{'samples':>8}{'failed':>8}{'slow':>6}{'p50':>9}{'p95':>9}{'max':>9}"
    rows = (
        f"  {row.tool:<22}{row.samples:>8}{row.failed:>8}{row.slow:>6}"
        f"{_ms(row.p50):>9}{_ms(row.p95):>9}{_ms(row.worst):>9}"
        for row in figures.tools
    )
    return [head, *rows]


def _error_lines(figures: Figures) -> list[str]:
    return [
        f"  error     {count} x {kind}" + (f": {example}" if example else "")
        for kind, count, example in figures.errors
    ]


def _slowest_lines(figures: Figures) -> list[str]:
    return [
        f"  slowest   {sample.milliseconds:.1f} ms {sample.tool}"
        + (f" ({sample.server_timing})" if sample.server_timing else "")
        for sample in figures.slowest
    ]


def _notes(verdict: Verdict) -> list[str]:
    run, figures = verdict.run, verdict.figures
    notes = list(run.notes)
    # 2 is beyond chance: with 25 batches, independent requests stay below 1.7 (chi-square, 99 %).
    if figures.burstiness > 2:
        notes.append(
            f"slow requests came in bursts ({figures.burstiness:.0f} times the spread of "
            "independent ones): a longer run would be more certain"
        )
    if run.cold_start_ms is not None:
        notes.append(f"the first answer took {run.cold_start_ms:.0f} ms (not in the samples)")
    if run.rounded_p95_ms is not None and figures.count:
        notes.append(
            f"Locust shows p95 {run.rounded_p95_ms:.0f} ms: rounded, warm-up included, "
            "failures counted by their speed"
        )
    return notes


def _ms(value: float) -> str:
    return f"{value:.1f}" if math.isfinite(value) else "failed"
