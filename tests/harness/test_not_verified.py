"""What a run did not look at is listed, with the reason, whatever the reason."""

from support.harness_fakes import a_report
from toolbridge_harness.model import NotVerified, Outcome, Result
from toolbridge_harness.registry import all_checks
from toolbridge_harness.report.terminal import render
from toolbridge_harness.verify import _without_subject

REASON = "the target mints no MCP session ids"


def test_a_claim_without_a_subject_is_listed() -> None:
    """A check that found nothing to look at is named beside those that lacked a vantage."""
    results = [
        Result("sessions-id-entropy", Outcome.NOT_APPLICABLE, detail=REASON),
        Result("hygiene-debug-log", Outcome.NOT_APPLICABLE, detail="needs logs"),
        Result("control-token", Outcome.PASS),
    ]
    others = [NotVerified(("hygiene-debug-log",), "needs logs", "use --launch")]

    found = _without_subject(results, others)

    assert [NotVerified(("sessions-id-entropy",), REASON)] == found


def test_the_report_names_it() -> None:
    """Green with something untried says so, and promises no way to enable what is not there."""
    group = NotVerified(("sessions-id-entropy",), REASON)
    report = a_report(Result("control-token", Outcome.PASS), not_verified=(group,))

    printed = render(report, all_checks(), colour=False, width=100)

    assert f"1 check: {REASON}\n" in printed
    assert "sessions-id-entropy" in printed
    assert "to enable" not in printed
