"""The report for code scanning: SARIF 2.1.0 (OASIS), within what GitHub accepts of it."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from toolbridge_harness.model import Check, Outcome, Report, Result, Severity
from toolbridge_harness.report.leftovers import left_behind
from toolbridge_harness.report.plain import clipped, printable
from toolbridge_harness.report.provenance import file_of
from toolbridge_harness.report.terminal import replay
from toolbridge_harness.report.wording import NOTHING_RAN, enabling, observed

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
# Not `primaryLocationLineHash`: GitHub's upload action computes that one itself, and prints a
# warning for every result that brings its own.
FINGERPRINT = "toolbridge/check/v1"
# The rule of what makes a run red beyond its results, named as in the JUnit report.
RUN_RULE = "run-complete"
# GitHub takes 10 MB of compressed SARIF; an answer of the target must not fill it.
TEXT = 4000
# Within GitHub's bands: critical above 9.0, high from 7.0, medium from 4.0, low from 0.1.
SECURITY_SEVERITY = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.0",
}
LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "error",
    Severity.LOW: "warning",
    Severity.INFO: "note",
}


def render(report: Report, checks: Mapping[str, Check]) -> str:
    """Return one SARIF log with one run: red results and warnings, accepted ones suppressed."""
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(report, checks)]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _run(report: Report, checks: Mapping[str, Check]) -> dict[str, Any]:
    rules = [*dict.fromkeys(result.check for result in report.results), RUN_RULE]
    found = [r for r in report.results if r.outcome.red or r.outcome is Outcome.WARNING]
    # Once one result says whether it is suppressed, all have to (SARIF section 3.27.23).
    return {
        "tool": {
            "driver": {
                "name": "toolbridge",
                "version": report.version,
                "rules": [*(_rule(checks[name]) for name in rules[:-1]), _RUN],
            }
        },
        "automationDetails": {"id": f"{category(report)}/"},
        "invocations": [_invocation(report)],
        "columnKind": "unicodeCodePoints",
        "results": [
            *(_result(r, checks[r.check], report, rules.index(r.check)) for r in found),
            *(_run_result(text, report, len(rules) - 1) for text in report.problems),
        ],
        "properties": _properties(report),
    }


def category(report: Report) -> str:
    """Return what GitHub files the results under: the same for every run on one target.

    A command that is launched names a build, which changes, so its mode stands for it.
    """
    target = report.target.partition("://")[2] if report.mode == "black-box" else ""
    parts = ("toolbridge", report.mode, report.profile, target)
    slugs = (re.sub(r"[^A-Za-z0-9._-]+", "-", part).strip("-") for part in parts)
    return "/".join(slug for slug in slugs if slug)


def _rule(declared: Check) -> dict[str, Any]:
    severity = SECURITY_SEVERITY.get(declared.severity)
    return {
        "id": declared.id,
        "shortDescription": {"text": declared.claim},
        "fullDescription": {"text": declared.why or declared.claim},
        "help": {
            "text": f"{declared.remedy}\nSource: {declared.source}",
            "markdown": f"**How to fix:** {declared.remedy}\n\n**Source:** {declared.source}",
        },
        "defaultConfiguration": {"level": LEVELS[declared.severity]},
        "properties": {
            "tags": [declared.area, declared.profile.value],
            "catalogue": list(declared.catalogue),
            **({"security-severity": severity} if severity else {}),
        },
    }


_RUN = {
    "id": RUN_RULE,
    "shortDescription": {"text": "The run is complete and its verdict can be believed"},
    "fullDescription": {
        "text": "Strays, a missing vantage, a stale baseline entry or a run that was cut short "
        "make a run red whatever its checks found."
    },
    "help": {"text": "Do what the message says, and run again."},
    "defaultConfiguration": {"level": "error"},
}


def _result(result: Result, declared: Check, report: Report, index: int) -> dict[str, Any]:
    lines = [
        f"{declared.claim}: {clipped(observed(result), TEXT)}.",
        *((f"Follows from {result.cause}: fix that first.",) if result.cause else ()),
        f"Fix: {declared.remedy}",
        f"Replay: {replay(report, declared.id)}",
    ]
    accepted = {
        "kind": "external",
        "status": "accepted",
        "justification": printable(result.accepted),
    }
    found = {
        "outcome": result.outcome.value,
        "expected": clipped(result.expected, TEXT),
        "actual": clipped(result.actual, TEXT),
        "detail": clipped(result.detail, TEXT),
        "cause": result.cause,
    }
    return {
        "ruleId": declared.id,
        "ruleIndex": index,
        "level": "error" if result.outcome.red else _softer(declared.severity),
        "message": {"text": _message("\n".join(lines))},
        "locations": [_location(report)],
        "partialFingerprints": {FINGERPRINT: _fingerprint(declared.id, report)},
        "suppressions": [accepted] if result.accepted else [],
        "properties": {name: value for name, value in found.items() if value},
    }


def _run_result(text: str, report: Report, index: int) -> dict[str, Any]:
    return {
        "ruleId": RUN_RULE,
        "ruleIndex": index,
        "level": "error",
        "message": {"text": _message(clipped(text, TEXT))},
        "locations": [_location(report)],
        "partialFingerprints": {FINGERPRINT: _fingerprint(_kind(text), report)},
        "suppressions": [],
    }


def _kind(problem: str) -> str:
    """Return what stays the same of a problem: counts and callers come after the colon."""
    return f"{RUN_RULE} {problem.partition(':')[0]}"


def _softer(severity: Severity) -> str:
    return "note" if severity is Severity.INFO else "warning"


def _message(text: str) -> str:
    """Return `text` without links: SARIF shows `[text](address)` as one (section 3.11.6)."""
    return printable(text).replace("](", "] (")


def _fingerprint(what: str, report: Report) -> str:
    # Of the check and the target alone: what the target answered differs from run to run.
    return hashlib.sha256(f"{what}\n{category(report)}".encode("utf-8", "replace")).hexdigest()


def _location(report: Report) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(file_of(report)), "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": 1},
        },
        "logicalLocations": [{"fullyQualifiedName": printable(report.target), "kind": "resource"}],
    }


def _uri(file: str) -> str:
    # Names of files may hold bytes that are no UTF-8 (PEP 383).
    return quote(file.encode("utf-8", "surrogateescape"))


def _invocation(report: Report) -> dict[str, Any]:
    silent = (NOTHING_RAN,) if report.exit_code == 5 else ()
    return {
        # A run that judged nothing must not close the alerts of the one before.
        "executionSuccessful": report.exit_code in {0, 1},
        "exitCode": report.exit_code,
        "startTimeUtc": report.started.replace("+00:00", "Z"),
        "toolExecutionNotifications": [
            *(_notification("error", text) for text in (*report.problems, *silent)),
            *(_notification("warning", f"left behind: {t}") for t in left_behind(report)),
        ],
        "toolConfigurationNotifications": [
            _notification("note", text) for text in enabling(report)
        ],
    }


def _notification(level: str, text: str) -> dict[str, Any]:
    return {"level": level, "message": {"text": _message(text)}}


def _properties(report: Report) -> dict[str, Any]:
    revision = report.extra.get("revision")
    return {
        "target": printable(report.target),
        "mode": report.mode,
        "profile": report.profile,
        "seed": report.seed,
        **({"revision": revision} if revision else {}),
        "verdict": "green" if report.exit_code == 0 else "red",
        "seconds": round(report.seconds, 1),
        "counts": {outcome.value: report.count(outcome) for outcome in Outcome},
        "causes": [
            {"id": c.id, "headline": printable(c.headline), "explains": list(c.explains)}
            for c in report.causes
        ],
        "notVerified": [
            {"checks": list(n.checks), "reason": printable(n.reason), "enable": n.enable}
            for n in report.not_verified
        ],
    }
