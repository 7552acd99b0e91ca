"""Properties 38 and 39: what the Go API answers, as a caller is told it."""

from collections.abc import Iterator
from typing import Any

import pytest

from support.body_answers import PROPERTIES, answering, ask, good_body
from support.body_contract import CAUSES, CODES, expected_codes
from support.body_proxy import Proxy, running_proxy, well
from support.proxy_upstream import SESSIONS
from support.signing_property import Property
from toolbridge_contract.tools import ENTITIES, Operation

pytestmark = pytest.mark.property


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    """One application for all examples; its retries wait on a virtual clock."""
    with running_proxy(virtual=True) as running:
        yield running


@pytest.mark.parametrize("one", PROPERTIES, ids=str)
def test_any_answer_becomes_one_code_and_a_bounded_text(one: Property, proxy: Any) -> None:
    """No example contradicts the property."""
    one.check(proxy)


def test_every_property_of_answers_is_there() -> None:
    """38 and 39, each with its number in its docstring."""
    assert {38, 39} == {one.number for one in PROPERTIES}
    assert all((one.body.__doc__ or "").startswith(f"Property {one.number}") for one in PROPERTIES)


@pytest.mark.parametrize("operation", ["get", "patch"])
def test_every_status_has_its_code(operation: Operation, proxy: Proxy) -> None:
    """Property 38: all of 100 to 599, for a read and for a mutation."""
    kind = [(b"Content-Type", b"text/plain")]
    for status in range(100, 600):
        outcome = ask(proxy, ENTITIES[0], operation, answering(status, b"", kind))
        assert outcome.code in expected_codes(status, b"", is_read=operation == "get"), status


@pytest.mark.parametrize("operation", ["get", "patch"])
def test_causes_that_differ_have_codes_that_differ(operation: Operation, proxy: Proxy) -> None:
    """Property 38: who acts on a code acts on one cause; a lost outcome is a cause of its own."""
    found = {}
    for cause in CAUSES:

        def answer(request: Any, cause: Any = cause) -> Any:
            return well(request) if request.url.path == SESSIONS else cause.answer(request)

        found[cause.name] = ask(proxy, ENTITIES[0], operation, answer).code
    wanted = {c.name: c.read if operation == "get" else c.mutation for c in CAUSES}
    definite = [code for code in found.values() if code != "outcome_unknown"]
    assert wanted == found
    assert len(definite) == len(set(definite))
    assert set(definite) <= CODES


def test_a_good_answer_is_the_control(proxy: Proxy) -> None:
    """The same way of asking, answered well, is a success for all forty tools."""
    for entity in ENTITIES:
        for operation in (
            "list",
            "get",
            "create",
            "update",
            "patch",
            "delete",
            "archive",
            "process",
        ):
            outcome = ask(proxy, entity, operation, well)
            assert good_body(operation) == outcome.message["result"]["structuredContent"]
