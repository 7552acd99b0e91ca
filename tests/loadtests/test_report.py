"""The report as text and as JSON, word for word."""

import json
import re
from pathlib import Path
from typing import Any

from support.load_samples import mixed, run
from toolbridge_loadtests.gate import judge
from toolbridge_loadtests.report import as_json, as_text
from toolbridge_loadtests.samples import Rule

DOCUMENT = Path(__file__).parents[2] / "docs" / "load-testing.md"

FAIL = """\
FAIL: p95 is 300.0 ms, not below 200 ms: 12.5% of 400 requests were slow or failed
  -> Compare the tools and the Server-Timing of the slowest requests below.
  target    https://staging.example/mcp, shape constant
  samples   400 over 60.0 s by 10 callers; 300 over 30 s are needed
  rate      6.7 requests/s sent, 6.7 intended; generator late by 0.0 ms at p95
  slow      50 took 200 ms or longer or failed: 12.5%, 95% bounds 9.9% and 15.6%; must be below 5%
  failed    0; at most 1% may
  p50 20.0, p95 300.0 (interval 300.0 to 300.0), p99 300.0, max 300.0 ms
  tool                   samples  failed  slow      p50      p95      max
  create_note                200       0    50     20.0    300.0    300.0
  get_note                   200       0     0     20.0     20.0     20.0
  slowest   300.0 ms create_note
  slowest   300.0 ms create_note
  slowest   300.0 ms create_note
  slowest   300.0 ms create_note
  slowest   300.0 ms create_note
  note      the first answer took 2100 ms (not in the samples)
  note      Locust shows p95 300 ms: rounded, warm-up included, failures counted by their speed
"""

UNMEASURED = """\
FAIL: nothing was measured: all 300 requests failed, 300 with HTTP 500
  -> Example: the server is ill
"""


def test_a_failing_run_shows_what_it_rests_on() -> None:
    """The headline first, then the figures, the tools, the slowest, and Locust's rounded p95."""
    made = run(mixed(50, 400), cold_start_ms=2100.4, rounded_p95_ms=300.0)

    assert as_text(judge(made, Rule())) == FAIL


def test_nothing_measured_is_the_first_line() -> None:
    """Before any figure, which would be the speed of refusals."""
    assert as_text(judge(run([None] * 300), Rule())).startswith(UNMEASURED)


def test_errors_are_listed_with_an_example() -> None:
    """One line per kind."""
    text = as_text(judge(run(mixed(6, 300, slow_ms=None)), Rule()))

    assert "  error     6 x HTTP 500: the server is ill\n" in text


def test_no_verdict_is_said_once() -> None:
    """By the label, not by the headline again."""
    text = as_text(judge(run([5.0] * 10), Rule()))

    assert text.startswith("NO VERDICT: 10 samples over 60.0 s; 300 over 30 s are needed\n")


def test_a_rehearsal_says_that_it_is_not_a_gate_verdict() -> None:
    """In the first words, and as a field."""
    verdict = judge(run([5.0] * 100), Rule.for_rehearsal(200.0))

    assert as_text(verdict).startswith("REHEARSAL, not a gate verdict: PASS: p95 is 5.0 ms")
    assert as_json(verdict)["gate"] is False


def test_bursts_are_pointed_out() -> None:
    """A stall shows as a note, because the bounds take requests for independent."""
    latencies: list[float | None] = [5.0] * 1000
    latencies[500:530] = [300.0] * 30

    assert "slow requests came in bursts" in as_text(judge(run(latencies), Rule()))


def test_a_p95_that_is_a_failed_request_has_no_number() -> None:
    """JSON has no infinity: null, while the text says failed."""
    verdict = judge(run(mixed(60, 300, slow_ms=None)), Rule())

    assert as_json(verdict)["latency_ms"]["p95"] is None
    assert "p95 failed (interval failed to failed)" in as_text(verdict)


def test_the_json_report_is_strict_json_and_carries_the_verdict() -> None:
    """Whoever reads it needs no knowledge of the rule."""
    report = as_json(judge(run([5.0] * 300), Rule()))

    assert report == json.loads(json.dumps(report, allow_nan=False))
    assert tuple(report[key] for key in ("schema", "version", "outcome", "exit_code", "gate")) == (
        "toolbridge-load-report",
        1,
        "pass",
        0,
        True,
    )


def keys(value: Any, prefix: str = "") -> set[str]:
    if isinstance(value, list):
        return set().union(*(keys(entry, prefix) for entry in value)) if value else set()
    if not isinstance(value, dict):
        return {prefix}
    return set().union(*(keys(v, f"{prefix}.{k}" if prefix else k) for k, v in value.items()))


def test_every_field_of_the_json_report_is_documented_and_no_other() -> None:
    """The table in the documentation and the report name the same fields."""
    made = run(mixed(6, 300, slow_ms=None), notes=("a note",))
    documented = set(re.findall(r"^\| `([a-z0-9_.]+)` \|", DOCUMENT.read_text(), re.MULTILINE))

    assert documented == keys(as_json(judge(made, Rule())))
