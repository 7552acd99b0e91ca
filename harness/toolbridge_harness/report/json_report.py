"""The report for programs: one JSON document with a version, which is also the run's record.

`run.schema.json` beside this file describes it; `json_reader.read` reads it back, whole.
"""

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any

from toolbridge_harness.model import Check, Outcome, Report

# Raised when a key changes its meaning or goes; new keys alone do not raise it.
SCHEMA = 1
# Half of a surrogate pair: a target can send one in JSON, and UTF-8 has no way to write it.
_UNWRITABLE = re.compile(r"[\uD800-\uDFFF]")


def render(report: Report, checks: Mapping[str, Check]) -> str:
    """Return the whole report; each result carries what its check declares."""
    document = dataclasses.asdict(report)
    document = {
        "schema": SCHEMA,
        "verdict": "green" if report.exit_code == 0 else "red",
        "exit_code": report.exit_code,
        "counts": {outcome.value: report.count(outcome) for outcome in Outcome},
        **document,
    }
    for result in document["results"]:
        result |= _declaration(checks[result["check"]])
    return _UNWRITABLE.sub("�", json.dumps(document, indent=2, ensure_ascii=False)) + "\n"


def _declaration(declared: Check) -> dict[str, Any]:
    """Return what a reader needs to present the check when the suite no longer has it."""
    return {
        "area": declared.area,
        "claim": declared.claim,
        "severity": declared.severity.value,
        "catalogue": list(declared.catalogue),
        "source": declared.source,
        "remedy": declared.remedy,
        "why": declared.why,
        "needs": sorted(declared.needs),
        "profile": declared.profile.value,
        "alone": declared.alone,
        "explained_by": list(declared.explained_by),
        "broken": declared.broken,
        "asks": declared.asks.value if declared.asks else None,
    }
