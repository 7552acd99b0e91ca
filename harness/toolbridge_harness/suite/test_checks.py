"""One test per check, and one about the run as a whole."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from toolbridge_harness.model import Report


def test_check(toolbridge_check: str, toolbridge_report: "Report") -> None:
    """The claim of the check holds for the target."""
    from toolbridge_harness.model import Outcome
    from toolbridge_harness.pytest_plugin import explanation

    result = next(r for r in toolbridge_report.results if r.check == toolbridge_check)
    if result.accepted:
        pytest.xfail(result.accepted)
    if result.outcome is Outcome.NOT_APPLICABLE:
        pytest.skip(result.detail)
    if result.red:
        pytest.fail(explanation(result, toolbridge_report), pytrace=False)


def test_run(toolbridge_report: "Report") -> None:
    """The run had no problems beyond single checks."""
    if toolbridge_report.problems:
        pytest.fail("\n".join(toolbridge_report.problems), pytrace=False)
