"""Schemathesis in front of the mock, in process: signed requests, and answers to the byte."""

import io
from collections.abc import Mapping
from typing import Any

import requests
import schemathesis
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from schemathesis import APIOperation, CheckContext, Response
from schemathesis import Case as GenericCase
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from urllib3 import HTTPHeaderDict, HTTPResponse

from support.contract_caller import Caller, make_api
from support.wire_cases import DELETED, LIVE, sample_body
from toolbridge_contract.mock.api import GoApi
from toolbridge_contract.mock.messages import Request
from toolbridge_contract.openapi import document
from toolbridge_contract.tools import ENTITIES

Case = GenericCase[Any]
Operation = APIOperation[Any, Any, Any, Any]

BASE_URL = "http://go-api.test"
SCHEMA = schemathesis.openapi.from_dict(document())
OPERATIONS: list[Operation] = [
    found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)
]


def label(operation: Operation) -> str:
    """Return the operation id."""
    return str(operation.definition.raw["operationId"])


class InProcess(BaseAdapter):
    """Carries a requests session's calls to a mock object."""

    def __init__(self, api: GoApi) -> None:
        super().__init__()
        self._api = api

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        body = request.body or b""
        assert isinstance(body, (str, bytes))
        headers = [(b"Host", b"go-api.test")]
        headers += [(_bytes(name), _bytes(value)) for name, value in request.headers.items()]
        answer = self._api.respond(
            Request(request.method or "", request.path_url, headers, _bytes(body))
        )
        pairs = HTTPHeaderDict()
        for name, value in answer.headers:
            pairs.add(name.decode(), value.decode("latin-1"))
        found = requests.Response()
        found.status_code, found.request, found.url = answer.status, request, request.url or ""
        found.headers = CaseInsensitiveDict(pairs)
        found.raw = HTTPResponse(io.BytesIO(answer.body), pairs, answer.status, version=11)
        found.reason, found.encoding = "", "utf-8"
        found.raw.headers, found._content = pairs, answer.body
        return found

    def close(self) -> None:
        """Nothing is open."""


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1")


def nothing_undocumented(_: CheckContext, response: Response, case: Case) -> None:
    """Refuse a header, or a body, that the description does not have for this status."""
    documented = case.operation.responses.find_by_status_code(response.status_code)
    assert documented is not None
    known = {name.lower() for name, _ in documented.headers.items()} | {"content-type"}
    assert set(response.headers) <= known, sorted(set(response.headers) - known)
    assert response.content == b"" or "content" in documented.definition, response.content


CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    nothing_undocumented,
]


def stocked_caller(**options: Any) -> Caller:
    """Return a caller with a session and, of each entity, a live and a deleted object."""
    caller = Caller(make_api(**options)).begin()
    for entity in ENTITIES:
        for uid in (LIVE, DELETED):
            caller.send("POST", entity.collection, sample_body(entity) | {"uid": uid})
    for entity in ENTITIES:
        caller.send("DELETE", f"{entity.collection}/{DELETED}")
    return caller


def ask(caller: Caller, case: Case, change: Mapping[str, str | None] | None = None) -> Response:
    """Send a generated case, signed and in the caller's session, `change` put over that."""
    headers = {key: value for key, value in caller.headers().items() if key != "Host"}
    headers |= {key: value for key, value in (change or {}).items() if value is not None}
    for key, value in (change or {}).items():
        if value is None:
            headers.pop(key, None)
            case.headers.pop(key, None)
    with requests.Session() as session:
        session.mount(BASE_URL, InProcess(caller.api))
        return case.call(base_url=BASE_URL, session=session, headers=headers)
