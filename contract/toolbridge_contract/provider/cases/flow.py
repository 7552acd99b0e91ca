"""Section 1: one signed flow; each request stands on a state of its own."""

from typing import Any

from toolbridge_contract.provider.case import Case, Step, Want
from toolbridge_contract.provider.states import put
from toolbridge_contract.provider.wants import (
    began,
    body_of,
    gone,
    item,
    items,
    mismatch,
    removed,
)

_CREATE = '{"title":"T","content":"C","tags":["a"]}'
_MADE = Step("POST", "/v1/notes", _CREATE, "note", 201)
_NOTE: dict[str, Any] = {"uid": "{note}", "title": "T", "content": "C", "tags": ["a"]}
_PINNED = (
    _MADE,
    put("notes/{note}", '{"title":"T2"}'),
    Step("PATCH", "/v1/notes/{note}", '{"content":"X"}', status=200),
    Step("POST", "/v1/notes/{note}/archive", status=200),
    Step("POST", "/v1/notes/{note}/process", '{"action":"pin"}', status=200),
)
_DELETED = (*_PINNED, Step("DELETE", "/v1/notes/{note}", status=200))
_LATE: dict[str, Any] = {
    "uid": "{note}",
    "title": "T2",
    "content": "X",
    "status": "archived",
    "pinned": True,
}
_SID = "/v1/sync/sessions/{session}"
_PATH = "/v1/notes/{note}"

CASES = (
    Case("flow-begin-session", "POST", "/v1/sync/sessions", began()),
    Case(
        "flow-create",
        "POST",
        "/v1/notes",
        item(201, title="T", content="C", tags=["a"]),
        body=_CREATE,
    ),
    Case("flow-get", "GET", _PATH, item(200, **_NOTE), given=(_MADE,)),
    Case(
        "flow-list",
        "GET",
        "/v1/notes?limit=1",
        items(body_of(**_NOTE)),
        given=("empty", _MADE),
    ),
    Case(
        "flow-put-stale",
        "PUT",
        _PATH,
        mismatch(99, 1),
        given=(_MADE,),
        body='{"title":"T2"}',
        change={"If-Match": "99"},
    ),
    Case(
        "flow-put-current",
        "PUT",
        _PATH,
        item(200, 2, uid="{note}", title="T2"),
        given=(_MADE,),
        body='{"title":"T2"}',
        change={"If-Match": "1"},
    ),
    Case(
        "flow-patch",
        "PATCH",
        _PATH,
        item(200, 3, uid="{note}", title="T2", content="X"),
        given=_PINNED[:2],
        body='{"content":"X"}',
    ),
    Case(
        "flow-archive",
        "POST",
        _PATH + "/archive",
        item(200, 4, uid="{note}", title="T2", content="X", status="archived"),
        given=_PINNED[:3],
    ),
    Case(
        "flow-process",
        "POST",
        _PATH + "/process",
        item(200, 5, **_LATE),
        given=_PINNED[:4],
        body='{"action":"pin"}',
    ),
    Case("flow-delete", "DELETE", _PATH, removed(6, "{note}"), given=_PINNED),
    Case("flow-get-deleted", "GET", _PATH, gone("note"), given=_DELETED),
    Case(
        "flow-get-include-deleted",
        "GET",
        _PATH + "?includeDeleted=true",
        item(200, 6, deleted=True, **_LATE),
        given=_DELETED,
    ),
    Case("flow-get-session", "GET", _SID, began(200)),
    Case("flow-state", "GET", "/v1/sync/state", Want(200, "J", '{"epoch":{session_epoch}<any>}\n')),
    Case("flow-end-session", "DELETE", _SID, Want(204, "no-type")),
)
