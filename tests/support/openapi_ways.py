"""A way to have each documented status of any operation."""

from collections.abc import Callable
from typing import Any

from support.contract_caller import JWT_SECRET, START_NS, TENANT, Caller
from support.openapi_client import Case, Operation, label
from support.wire_cases import DELETED, LIVE, sample_body
from toolbridge_contract.tokens import mint
from toolbridge_contract.tools import ENTITIES

UNKNOWN = "0c0ffee0-0000-4000-8000-00000000ffff"


def valid_case(operation: Operation, caller: Caller) -> Case:
    """Return a request about a live object, or the caller's own session."""
    name = label(operation)
    parameters = {"uid": LIVE} if "{uid}" in operation.path else {"id": caller.session}
    bodies: dict[str, Any] = {"wipe": {"confirm": "WIPE"}}
    for entity in ENTITIES:
        bodies |= {entity.tool(verb): sample_body(entity) for verb in ("create", "update")}
        bodies[entity.tool("patch")] = {"title": "new"}
        bodies[f"push_{entity.plural}"] = {"items": [sample_body(entity) | {"uid": LIVE}, {}]}
        bodies[entity.tool("process")] = {"action": min(entity.actions)}
    typed = {"body": bodies[name], "media_type": "application/json"} if name in bodies else {}
    return operation.Case(path_parameters=parameters if "{" in operation.path else {}, **typed)


Changes = dict[str, str | None]


def _foreign_session(caller: Caller, case: Case) -> Changes:
    other = Caller(caller.api).begin().session
    if "id" in case.path_parameters:
        case.path_parameters["id"] = other
    return {"X-Sync-Session": other}


def _unknown(_: Caller, case: Case) -> Changes:
    case.path_parameters = dict.fromkeys(case.path_parameters, UNKNOWN)
    return {}


def _deleted(_: Caller, case: Case) -> Changes:
    case.path_parameters["uid"] = DELETED
    return {}


def _unreadable(_: Caller, case: Case) -> Changes:
    if "uid" in case.path_parameters:
        case.path_parameters["uid"] = "abc"
    else:
        case.body = []
    return {}


def _drained(caller: Caller, _: Case) -> Changes:
    for bucket in ("/v1/notes", "/v1/sync/notes/pull"):
        while caller.send("GET", f"{bucket}?limit=1").status != 429:
            pass
    return {}


def _user_failed(caller: Caller, _: Case) -> Changes:
    token = mint("\x00", TENANT, JWT_SECRET, now=START_NS / 1e9)
    return {"Authorization": f"Bearer {token}"}


Way = Callable[[Caller, Case], Changes]


def _headers(**changes: str | None) -> Way:
    return lambda *_: {name.replace("_", "-"): value for name, value in changes.items()}


# Status, and what to change about a valid case to have it; None leaves a header out.
WAYS: list[tuple[int, Way]] = [
    (200, _headers()),
    (201, _headers()),
    (204, _headers()),
    (400, _unreadable),
    (401, _headers(Authorization=None)),
    (401, _headers(X_TB_Signature="0" * 64)),
    (403, _foreign_session),
    (404, _unknown),
    (409, _headers(X_Sync_Epoch=None)),
    (409, _headers(X_Sync_Epoch="0", X_Correlation_ID="c")),
    (410, _deleted),
    (412, _headers(If_Match="99")),
    (428, _headers(X_Sync_Session=None)),
    (428, _headers(X_Sync_Session=UNKNOWN)),
    (429, _drained),
    (500, _user_failed),
]
