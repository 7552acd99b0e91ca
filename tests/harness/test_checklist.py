"""The rows of the deployment guide, and the truth table of filling them."""

import pytest

from toolbridge_harness.checklist.fill import Answer, Row, Section, State, fill
from toolbridge_harness.checklist.rows import BEFORE_DEPLOYING, ROWS, SECURITY, SUCCESS_CRITERIA
from toolbridge_harness.model import Outcome, Report, Result
from toolbridge_harness.registry import all_checks

BEFORE_WORDING = [
    (
        "**Secrets exist in K8s** - Verify `kubectl get secret toolbridge-secret -n toolbridge` "
        "returns jwt-secret + tenant-header-secret"
    ),
    "**Secrets match Fly.io** - Both services must use the same TENANT_HEADER_SECRET",
    (
        "**Secrets are rotated** - If this is a re-deployment after exposure, generate new secrets"
        " first"
    ),
    "**Local .env configured** - Copy `.env.example` to `.env` and fill in secrets for testing",
]
SECURITY_WORDING = [
    "`TOOLBRIDGE_TENANT_HEADER_SECRET` matches K8s secret",
    "JWT validation working (test with invalid token)",
    "No sensitive data in logs (check `fly logs`)",
    "HTTPS enforced (check `fly.staging.toml` force_https)",
    "Tenant isolation verified (test cross-tenant access)",
    "Secrets not committed to git (check `.gitignore`)",
]
SUCCESS_WORDING = [
    'App deployed and healthy (`fly status` shows "running")',
    "Health checks passing (check Fly dashboard)",
    "Can list MCP tools via inspector",
    "At least 3 tools tested successfully",
    "Logs show successful Go API requests",
    "No errors in last 100 log lines",
    "Latency p95 < 200ms (check metrics)",
    "Documentation updated",
    "Secrets documented in secure location",
]
# A row that named a check that does not exist could never be met.
CHECK_IDS = set(all_checks())
PAIR = Row("pair", Section.SUCCESS, "Both hold", "both pass", checks=("one-a", "two-b"), run="go")


def report(*results: Result, mode: str = "black-box") -> Report:
    return Report("0.1.0", "https://proxy.example", mode, "gate", 1, "", 0.0, results)


def answer(row: Row, given: Report | None) -> Answer:
    return fill([row], given)[0].answer


@pytest.mark.parametrize(
    ("rows", "wording"),
    [
        (BEFORE_DEPLOYING, BEFORE_WORDING),
        (SECURITY, SECURITY_WORDING),
        (SUCCESS_CRITERIA, SUCCESS_WORDING),
    ],
)
def test_every_row_of_the_guide_is_there_word_for_word(
    rows: tuple[Row, ...], wording: list[str]
) -> None:
    """The list has the guide's rows, in its order and wording."""
    assert wording == [row.text for row in rows]


def test_every_row_can_be_answered() -> None:
    """A row has a unique id, a command to run, what is wanted, and only check ids that exist."""
    assert len(ROWS) == len({row.id for row in ROWS}) == 19
    assert [row.id for row in ROWS if not row.run or not row.evidence] == []
    assert set() == {check for row in ROWS for check in row.checks} - CHECK_IDS


def test_all_checks_passed_is_met() -> None:
    """A row is met when each of its checks passed; the evidence names target and checks."""
    given = report(Result("one-a", Outcome.PASS), Result("two-b", Outcome.PASS))

    assert Answer(State.MET, "passed on https://proxy.example: one-a, two-b") == answer(PAIR, given)


def test_one_failure_is_not_met_and_quotes_it() -> None:
    """One failed check is enough, whatever the other did, and both sides of it are quoted."""
    failed = Result("two-b", Outcome.FAIL, expected="status 401", actual="status 200")
    given = report(Result("one-a", Outcome.PASS), failed)

    assert Answer(
        State.NOT_MET, "two-b failed: expected status 401, got status 200", ("two-b",)
    ) == answer(PAIR, given)


def test_a_failure_counts_even_beside_a_pass_of_the_same_check() -> None:
    """A report that holds a check twice does not hide its failure."""
    given = report(
        Result("one-a", Outcome.FAIL),
        Result("one-a", Outcome.PASS),
        Result("two-b", Outcome.PASS),
    )

    assert State.NOT_MET is answer(PAIR, given).state


@pytest.mark.parametrize("outcome", sorted(set(Outcome) - {Outcome.PASS, Outcome.FAIL}))
def test_any_other_outcome_could_not_be_checked(outcome: Outcome) -> None:
    """Untestable, error, warning and not applicable are no evidence; the reason is passed on."""
    given = report(Result("one-a", Outcome.PASS), Result("two-b", outcome, detail="no token"))

    assert Answer(State.UNCHECKED, f"two-b ended as {outcome.value}: no token") == answer(
        PAIR, given
    )


def test_a_missing_check_could_not_be_checked() -> None:
    """A check that the report does not have leaves the row open and is named."""
    given = report(Result("one-a", Outcome.PASS))

    assert Answer(State.UNCHECKED, "not in the report: two-b") == answer(PAIR, given)


def test_no_report_meets_nothing() -> None:
    """Without any evidence not one row of the guide is met."""
    assert {State.UNCHECKED} == {entry.state for entry in fill(ROWS, None)}


def test_an_empty_report_meets_nothing() -> None:
    """A run in which nothing ran meets nothing either."""
    assert {State.UNCHECKED} == {entry.state for entry in fill(ROWS, report())}


@pytest.mark.parametrize("mode", ["embedded", "grey-box", "", "something new"])
def test_a_run_that_asked_no_deployment_meets_no_row_about_one(mode: str) -> None:
    """Passing against the harness's own mock says nothing about what is deployed."""
    passed = report(*(Result(check, Outcome.PASS) for check in CHECK_IDS), mode=mode)

    assert [entry.row.id for entry in fill(ROWS, passed) if entry.met] == ["security-logs"]


def test_a_live_run_meets_exactly_what_its_checks_show() -> None:
    """When everything passed on a deployment, the rows that have checks are met, and no others."""
    passed = report(*(Result(check, Outcome.PASS) for check in CHECK_IDS))

    with_checks = [row.id for row in ROWS if row.checks]
    assert with_checks == [entry.row.id for entry in fill(ROWS, passed) if entry.met]
    assert len(with_checks) == 7


@pytest.mark.parametrize("row", [row for row in ROWS if row.checks], ids=lambda row: row.id)
def test_every_check_of_a_row_is_needed(row: Row) -> None:
    """Leaving out any one check of a row leaves it open; failing any one turns it red."""
    for left_out in row.checks:
        others = [Result(check, Outcome.PASS) for check in row.checks if check != left_out]

        assert State.UNCHECKED is answer(row, report(*others)).state
        failed = Result(left_out, Outcome.FAIL)
        assert State.NOT_MET is answer(row, report(*others, failed)).state


def test_answers_from_elsewhere_are_used() -> None:
    """A file's answer fills its row without any report."""
    given = {"pair": Answer(State.NOT_MET, "force_https is missing")}

    assert given["pair"] == fill([PAIR], None, given)[0].answer


def test_a_person_can_vouch_for_an_open_row() -> None:
    """A confirmed row is met, and says that it was confirmed and not checked."""
    filled = fill([PAIR], None, confirmed=["pair"])[0]

    assert filled.met
    assert filled.answer.evidence == "confirmed by hand (--confirm); not checked by this tool"


def test_a_person_cannot_overrule_a_failure() -> None:
    """A confirmation does not turn a red row green."""
    given = report(Result("one-a", Outcome.FAIL))

    assert State.NOT_MET is fill([PAIR], given, confirmed=["pair"])[0].state


def test_the_next_step_of_a_failure_leads_to_its_cause() -> None:
    """A red row points to the failed check's explanation, an open one to the command for it."""
    failed = fill([PAIR], report(Result("two-b", Outcome.FAIL)))[0]

    assert failed.next_step == "toolbridge checks explain two-b"
    assert fill([PAIR], None)[0].next_step == "go"
    assert fill([PAIR], None, confirmed=["pair"])[0].next_step == ""


def test_long_and_broken_lines_are_folded() -> None:
    """What a target answered takes one bounded line."""
    failed = Result("one-a", Outcome.FAIL, expected="200", actual="x\n" * 500)

    evidence = answer(PAIR, report(failed)).evidence
    assert "\n" not in evidence
    assert len(evidence) < 250
