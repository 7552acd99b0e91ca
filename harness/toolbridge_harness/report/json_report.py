"""The report for programs: one JSON document with a version."""

import dataclasses
import json
from collections.abc import Mapping

from toolbridge_harness.model import Check, Outcome, Report

# Raised when a key changes its meaning or goes; new keys alone do not raise it.
SCHEMA = 1


def render(report: Report, checks: Mapping[str, Check]) -> str:
    """Return the whole report; each result carries its check's claim, severity and remedy."""
    document = dataclasses.asdict(report)
    document = {
        "schema": SCHEMA,
        "verdict": "green" if report.exit_code == 0 else "red",
        "exit_code": report.exit_code,
        "counts": {outcome.value: report.count(outcome) for outcome in Outcome},
        **document,
    }
    for result in document["results"]:
        declared = checks[result["check"]]
        result |= {
            "area": declared.area,
            "claim": declared.claim,
            "severity": declared.severity.value,
            "catalogue": list(declared.catalogue),
            "source": declared.source,
            "remedy": declared.remedy,
        }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
