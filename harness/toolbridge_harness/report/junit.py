"""The report for CI servers: JUnit XML, one test suite per area."""

import re
from collections.abc import Mapping
from itertools import groupby

from junitparser import Error, Failure, JUnitXml, Properties, Property, Skipped, TestCase, TestSuite

from toolbridge_harness.model import Check, Outcome, Report, Result
from toolbridge_harness.report.leftovers import left_behind

# XML 1.0 has no way to write these, and a target may send any of them.
_UNWRITABLE = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


def render(report: Report, checks: Mapping[str, Check]) -> str:
    """Return JUnit XML: fail is a failure, untestable and error are errors, the rest is not."""
    document = JUnitXml("toolbridge verify")
    results = sorted(report.results, key=lambda result: result.check)
    for area, group in groupby(results, key=lambda result: checks[result.check].area):
        suite = TestSuite(area)
        for result in group:
            suite.add_testcase(_case(result, checks[result.check]))
        document.add_testsuite(suite)
    document.add_testsuite(_run_suite(report))
    document.update_statistics()
    text: bytes = document.tostring()
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text.decode()}\n'


def _case(result: Result, declared: Check) -> TestCase:
    case = TestCase(declared.id, classname=f"toolbridge.{declared.area}", time=result.seconds)
    summary = f"expected {result.expected}, got {result.actual}" if result.expected else ""
    message = _writable(summary or result.detail or result.outcome.value)
    if result.accepted or result.outcome is Outcome.NOT_APPLICABLE:
        case.result = [Skipped(_writable(result.accepted or message), type_="skipped")]
    elif result.outcome is Outcome.FAIL:
        case.result = [Failure(message, type_=declared.severity.value)]
    elif result.outcome.red:
        case.result = [Error(message, type_=result.outcome.value)]
    if result.outcome.red and not result.accepted:
        case.system_out = _writable(
            f"{declared.claim}\nfix: {declared.remedy}"
            + (f"\nfollows from: {result.cause}" if result.cause else "")
        )
    elif result.outcome is Outcome.WARNING:
        case.system_out = _writable(f"warning: {message}")
    return case


def _run_suite(report: Report) -> TestSuite:
    """Return a suite about the run itself, red when the run has problems of its own."""
    suite = TestSuite("run")
    properties = Properties()
    for name in ("version", "target", "mode", "profile", "seed", "started"):
        properties.add_property(Property(name, _writable(str(getattr(report, name)))))
    suite.append(properties)
    case = TestCase("run-complete", classname="toolbridge.run", time=report.seconds)
    if report.problems:
        case.result = [Failure(_writable("; ".join(report.problems)), type_="run")]
    if left := left_behind(report):
        case.system_out = _writable("\n".join(f"left behind: {line}" for line in left))
    suite.add_testcase(case)
    return suite


def _writable(text: str) -> str:
    return _UNWRITABLE.sub("�", text)
