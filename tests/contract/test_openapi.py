"""The OpenAPI description is valid, fresh, and says what the mock's own routes say."""

import json
import re
from importlib.resources import files
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from support.contract_caller import caller_with_session
from toolbridge_contract.mock.messages import Request
from toolbridge_contract.mock.routes import Gate, match
from toolbridge_contract.openapi import document
from toolbridge_contract.tools import ENTITIES, TOOL_NAMES

KEPT = files("toolbridge_contract.openapi") / "openapi.json"
DOCUMENT = document()
UID = "0c0ffee0-0000-4000-8000-000000000001"
SERVICE = {"health", "info", "begin_session", "get_session", "end_session", "state", "wipe"}
OPERATIONS = [
    (path, method.upper(), operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
]


def test_the_kept_file_is_what_the_generator_returns() -> None:
    """Regenerate with `python -m toolbridge_contract.openapi > …/openapi/openapi.json`."""
    assert json.dumps(DOCUMENT, indent=2) + "\n" == KEPT.read_text()


def test_the_document_is_valid_openapi_3_1() -> None:
    """The OpenAPI 3.1 schema finds nothing, nor do the rules beyond it."""
    assert [] == [error.message for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()]


def test_the_validator_would_find_a_fault() -> None:
    """The control: a parameter that no path names is refused."""
    parameter = {"name": "x", "in": "path", "required": True, "schema": {}}
    broken = DOCUMENT | {"paths": {"/a": {"get": {"parameters": [parameter], "responses": {}}}}}

    assert [] != list(OpenAPIV31SpecValidator(broken).iter_errors())


def test_operations_are_the_40_tools_the_service_and_delta_sync() -> None:
    """Operation ids of entity routes are the names of the tools that call them."""
    ids = [operation["operationId"] for _, _, operation in OPERATIONS]
    delta = {f"{verb}_{entity.plural}" for verb in ("push", "pull") for entity in ENTITIES}

    assert sorted(TOOL_NAMES | SERVICE | delta) == sorted(ids)


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_a_path_has_the_methods_and_the_gates_of_the_mock_s_route(path: str) -> None:
    """Method for method, and a 401, 428 and 429 only behind the gate that gives them."""
    route = match(re.sub(r"{\w+}", UID, path))
    assert route is not None
    item: dict[str, Any] = DOCUMENT["paths"][path]
    gates = {
        Gate.OPEN: set(),
        Gate.SIGNED: {"401"},
        Gate.SESSION: {"401", "428"},
        Gate.ENTITY: {"401", "428", "429", "409"},
        Gate.DELTA: {"401", "428", "429", "409"},
    }

    assert set(route.operations) == {method.upper() for method in item}
    for operation in item.values():
        assert gates[route.gate] == operation["responses"].keys() & {"401", "428", "429", "409"}
        assert (operation.get("security") == []) is (route.gate is Gate.OPEN)


def test_every_route_of_the_mock_is_described() -> None:
    """Six paths of the service, four of each entity and two for its delta sync."""
    assert 6 + 6 * len(ENTITIES) == len(DOCUMENT["paths"])


def _references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(_references, value.values()))
    return set().union(*map(_references, value)) if isinstance(value, list) else set()


def test_every_component_is_used() -> None:
    """Nothing is described that no operation can meet; optional headers are written out."""
    used = _references(DOCUMENT)
    kinds = ("parameters", "headers", "responses", "schemas")
    there = {f"#/components/{k}/{name}" for k in kinds for name in DOCUMENT["components"][k]}

    assert there == used


TOO_LARGE = b"x" * 1_100_000
# One request for each answer that comes before an operation is known: status, method, target,
# and a header besides the signed ones.
BEFORE: list[tuple[str, str, str, tuple[bytes, bytes]]] = [
    ("400", "GET", "/v1/notes/%zz", (b"A", b"")),
    ("400", "GET", "/v1/notes", (b"Host", b"second")),
    ("404", "GET", "/v1/nope", (b"A", b"")),
    ("405", "DELETE", "/v1/notes", (b"A", b"")),
    ("405", "FOO", "/v1/notes", (b"A", b"")),
    ("417", "GET", "/v1/notes", (b"Expect", b"foo")),
    ("431", "GET", "/v1/notes", (b"A", TOO_LARGE)),
]


@pytest.mark.parametrize(("status", "method", "target", "header"), BEFORE)
def test_what_any_request_may_meet_is_as_described(
    status: str, method: str, target: str, header: tuple[bytes, bytes]
) -> None:
    """`x-any-request` names status, headers and body of what no operation answers."""
    caller = caller_with_session()
    headers = [(name.encode(), value.encode()) for name, value in caller.headers().items()]
    answer = caller.api.respond(Request(method, target, [*headers, header]))
    name = DOCUMENT["x-any-request"][status]["$ref"].rpartition("/")[2]
    described = DOCUMENT["components"]["responses"][name]
    required = {
        key
        for key in described["headers"]
        if DOCUMENT["components"]["headers"][key].get("required")
    }
    sent = {key.decode() for key, _ in answer.headers if key != b"Content-Type"}
    content = described.get("content", {"": {"schema": {"enum": [""]}}})

    assert status == str(answer.status)
    assert required <= sent <= described["headers"].keys()
    assert (answer.header("Content-Type") or "") in content
    assert answer.body.decode() in next(iter(content.values()))["schema"]["enum"]


def test_every_such_answer_is_had() -> None:
    """The table above leaves none out."""
    assert DOCUMENT["x-any-request"].keys() == {status for status, *_ in BEFORE}
