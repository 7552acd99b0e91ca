"""The observations as data: complete, named for good, and able to fail."""

import re
from collections import Counter

import pytest

from support.contract_caller import TurnedClock, make_api
from support.contract_provider import InProcess, by_outcome, cases, verdicts
from toolbridge_contract.mock.messages import json_answer
from toolbridge_contract.provider.case import Case, Step
from toolbridge_contract.provider.cases import GROUPS, all_cases
from toolbridge_contract.provider.obligations import OBLIGATIONS, findings
from toolbridge_contract.provider.providers import mounted
from toolbridge_contract.provider.runner import Outcome, run
from toolbridge_contract.provider.states import STATES

IDS = [case.id for _, case in all_cases()]


def test_every_section_has_cases_and_together_they_are_many() -> None:
    """22 groups as in the notes and one of what is left behind; 700 cases; not one id twice."""
    assert (len(GROUPS), min(map(len, GROUPS.values())) > 4) == (23, True)
    assert len(IDS) >= 700
    assert {} == {name: n for name, n in Counter(IDS).items() if n > 1}


def test_an_id_is_a_slug_and_no_group() -> None:
    """So that --only takes either, and a report can be searched."""
    assert [] == [name for name in IDS if not re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", name)]
    assert set() == set(IDS) & set(GROUPS)


def test_what_only_a_socket_can_send_is_marked() -> None:
    """Two Host headers, differing lengths, odd methods and targets, huge heads."""
    wire = {case.id for _, case in all_cases() if case.wire}

    assert {
        "header-host-twice",
        "header-host-missing",
        "header-content-length-twice-differing",
        "header-content-length-and-chunked",
        "route-405-unknown-method",
        "route-bad-percent-encoding",
        "route-absolute-form",
        "route-header-of-900-kb",
        "route-header-of-1.1-mb",
        "expect-unknown",
    } <= wire


def test_every_named_state_is_used_and_every_used_one_is_there() -> None:
    """A state that nobody starts from would be dead, one that is missing a typing error."""
    used = {given for _, case in all_cases() for given in case.given if isinstance(given, str)}
    inner = {given for steps in STATES.values() for given in steps if isinstance(given, str)}

    assert set(STATES) == used | inner


def test_every_step_says_what_it_expects() -> None:
    """A state that silently failed would make a verdict about something else."""
    steps = [
        step
        for given in [*STATES.values(), *(case.given for _, case in all_cases())]
        for step in given
        if isinstance(step, Step)
    ]

    assert [] == [step for step in steps if step.status is None]


def test_an_obligation_names_cases_that_there_are() -> None:
    """And is seen when they agree, since a faithful provider has the fault."""
    named = [case for item in OBLIGATIONS for case in item.cases]
    results = run(cases(named), InProcess())

    seen = {finding.obligation.id: finding.seen for finding in findings(results)}
    assert seen.pop("if-match-is-atomic") == "not shown in this run"
    assert {"seen in this run"} == set(seen.values())
    assert [] == by_outcome(results, Outcome.DIFFERS)


def test_a_kept_promise_is_not_reported_as_seen() -> None:
    """An API whose tenants are apart differs from the observations, and the finding says so."""
    clock = TurnedClock()
    provider = InProcess(make_api(clock, tenant_scoped=True), clock)
    results = run(cases(OBLIGATIONS[0].cases), provider)

    assert "not seen: the API differs here, see above" == findings(results)[0].seen


def test_the_mock_behind_respx_agrees() -> None:
    """By httpx's own requests; what needs a socket is listed as not run, and why."""
    with mounted() as provider:
        results = run(cases(), provider)

    assert [] == by_outcome(results, Outcome.DIFFERS) + by_outcome(results, Outcome.NO_VERDICT)
    reasons = {r.case.id: r.reason for r in results if r.case.wire}
    assert {"needs raw bytes on a socket, and respx has none"} == set(reasons.values())


@pytest.mark.parametrize("group", GROUPS)
def test_the_cases_of_a_group_stand_alone(group: str) -> None:
    """In the opposite order, on a fresh provider, each makes its own state."""
    backwards = [(group, case) for case in reversed(GROUPS[group])]
    results = run(backwards, InProcess())

    assert [] == by_outcome(results, Outcome.DIFFERS) + by_outcome(results, Outcome.NO_VERDICT)


def _ran(case: Case) -> bool:
    return not (case.wire or case.slow or case.mock)


@pytest.mark.parametrize("status", [200, 201, 204, 500])
@pytest.mark.parametrize(
    "body", ["{}", "[]", "", "5", '{"id":5,"epoch":"x"}', '{"id":"a","uid":[],"epoch":1}']
)
def test_a_provider_that_always_says_the_same_agrees_with_nothing(status: int, body: str) -> None:
    """A case that such a provider passes would be vacuous; odd answers do not stop the run."""
    provider = InProcess()
    provider.api.respond = lambda request: json_answer(status, body)  # type: ignore[method-assign]
    found = verdicts(provider, [case.id for _, case in all_cases() if _ran(case)])

    assert [] == [name for name, outcome in found.items() if outcome is Outcome.AGREES]
