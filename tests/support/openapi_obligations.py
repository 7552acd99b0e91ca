"""The 500s that the real API was seen to give: what Schemathesis must find, and nothing else."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from schemathesis import Response
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core import NOT_SET
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
)

from support.openapi_client import Case, label
from support.wire_cases import LIVE


@dataclass(frozen=True)
class Obligation:
    """A 500 that the real API was seen to give, so that a faithful mock must give it too.

    `example` is an operation id and a body that earn it, `sent` says which others do; `answer` is
    how the body then starts, b"" for none; `waived` the checks that cannot hold for it.
    """

    reason: str
    example: tuple[str, Any]
    sent: Callable[[str, Any], bool]
    answer: bytes
    waived: tuple[CheckFunction, ...] = (not_a_server_error,)


def _writes(operation: str, *verbs: str) -> bool:
    return operation.startswith(tuple(f"{verb}_" for verb in verbs))


def _parent_is_wrong(operation: str, body: Any) -> bool:
    """Whether a comment or message names no live parent; PATCH may leave it as it is."""
    good: dict[str, list[Any]] = {}
    if operation.endswith("_comment"):
        good = {"parentUid": [LIVE], "parentType": ["note", "task"]}
    if operation.endswith("_chat_message"):
        good = {"chatUid": [LIVE]}
    given = {key: body.get(key) for key in good if key in body or not _writes(operation, "patch")}
    return any(value not in good[key] for key, value in given.items())


OBLIGATIONS = [
    Obligation(
        "a `null` body makes the handlers of POST and PUT panic: an empty 500 (section 8)",
        ("create_note", None),
        lambda operation, body: _writes(operation, "create", "update") and body is None,
        b"",
        (not_a_server_error, content_type_conformance, response_schema_conformance),
    ),
    Obligation(
        "PostgreSQL stores no NUL, in a text or in a key (section 8)",
        ("patch_task", {"a\x00": 1}),
        lambda operation, body: (
            _writes(operation, "create", "update", "patch") and "\\u0000" in json.dumps(body)
        ),
        b'{"error":"failed to ',
    ),
    Obligation(
        "a NUL in one pushed item aborts the whole transaction (section 14)",
        ("push_notes", {"items": [{"uid": LIVE, "a": "\x00"}]}),
        lambda operation, body: _writes(operation, "push") and "\\u0000" in json.dumps(body),
        b'[{"uid":"","version":0,"updatedAt":"","error":"commit failed"}]',
    ),
    Obligation(
        "a parent that is missing, unknown, deleted or of another kind is no 4xx (10 and 11)",
        ("create_chat_message", {"content": "m"}),
        lambda operation, body: (
            _writes(operation, "create", "update", "patch")
            and isinstance(body, dict)
            and _parent_is_wrong(operation, body)
        ),
        b'{"error":"failed to ',
    ),
]


def obligation(case: Case, answer: Response) -> Obligation | None:
    """Return the documented reason for a 500, if there is one."""
    if answer.status_code != 500:
        return None
    operation = label(case.operation)
    body = "" if case.body is NOT_SET else case.body
    for row in OBLIGATIONS:
        alike = answer.content.startswith(row.answer) and bool(answer.content) == bool(row.answer)
        if alike and row.sent(operation, body):
            return row
    return None
