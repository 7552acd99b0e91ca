"""Schemathesis holds the mock's answers against the OpenAPI description."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CheckFunction, not_a_server_error

from support.openapi_client import (
    CHECKS,
    OPERATIONS,
    SCHEMA,
    Case,
    Operation,
    ask,
    label,
    stocked_caller,
)
from support.openapi_obligations import OBLIGATIONS, Obligation, obligation
from support.openapi_ways import UNKNOWN, WAYS, valid_case
from support.wire_cases import DELETED, LIVE

UIDS = [LIVE, LIVE, LIVE, DELETED, UNKNOWN]


@st.composite
def cases(draw: st.DrawFn, operation: Operation) -> Case:
    """Generate a request, valid or not, that mostly means an object that exists."""
    mode = draw(st.sampled_from([GenerationMode.POSITIVE, GenerationMode.NEGATIVE]))
    case = draw(operation.as_strategy(generation_mode=mode))
    if "uid" in case.path_parameters and draw(st.booleans()):
        case.path_parameters["uid"] = draw(st.sampled_from(UIDS))
    if isinstance(case.body, dict) and draw(st.booleans()):
        known = {"parentUid": LIVE, "parentType": "note", "chatUid": LIVE}
        case.body |= {key: known[key] for key in known.keys() & case.body.keys()}
    return case


@pytest.mark.parametrize("operation", OPERATIONS, ids=label)
def test_answers_to_generated_requests_conform(operation: Operation) -> None:
    """Valid and invalid requests, signed: status, type, headers and body as described."""

    @given(cases(operation))
    @settings(
        max_examples=15,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        # The request is small enough to read as it is; shrinking a failure would take minutes.
        phases=[Phase.generate],
    )
    def conforms(case: Case) -> None:
        answer = ask(stocked_caller(), case)
        expected = obligation(case, answer)
        case.validate_response(
            answer, checks=CHECKS, excluded_checks=list(expected.waived) if expected else None
        )

    conforms()


@pytest.mark.parametrize("row", OBLIGATIONS, ids=lambda row: row.reason[:20])
def test_each_excepted_500_is_the_api_s_own(row: Obligation) -> None:
    """No exception without its cause: the example is answered so, and no other row explains it."""
    operation_id, body = row.example
    operation = SCHEMA.find_operation_by_id(operation_id)
    case = operation.Case(path_parameters={"uid": LIVE}, body=body, media_type="application/json")
    answer = ask(stocked_caller(), case)

    assert (500, row) == (answer.status_code, obligation(case, answer))


@pytest.mark.parametrize("operation", OPERATIONS, ids=label)
def test_every_documented_status_is_answered_and_conforms(operation: Operation) -> None:
    """No status is described that the API does not give; each is had on purpose, and checked."""
    documented = {int(status) for status in operation.responses.status_codes}
    seen = set()
    for status, change in WAYS:
        if status in documented:
            caller = stocked_caller()
            case = valid_case(operation, caller)
            answer = ask(caller, case, change(caller, case))
            waived: list[CheckFunction] = [not_a_server_error] if status == 500 else []
            case.validate_response(answer, checks=CHECKS, excluded_checks=waived)
            assert (status, change) == (answer.status_code, change), answer.content
            seen.add(answer.status_code)

    assert documented == seen
