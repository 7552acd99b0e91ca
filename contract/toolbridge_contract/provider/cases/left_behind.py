"""What a request leaves behind: a refused one nothing, a write what it answered.

The observations followed one another on the same rows, so each answer showed what the one before
it had left.
"""

from collections.abc import Mapping
from typing import Any

from toolbridge_contract.provider.case import Case, Given, Step, Text, Then, Wait, Want
from toolbridge_contract.provider.cases.process import ENTITIES
from toolbridge_contract.provider.cases.wipe import NOT_CONFIRMED
from toolbridge_contract.provider.wants import (
    EMPTY_LIST,
    FORBIDDEN,
    INVALID_JSON,
    NO_SESSION,
    NOTE,
    NOTE_LIST,
    SESSION_INVALID,
    SESSION_REQUIRED,
    began,
    error,
    gone,
    item,
    mismatch,
    removed,
    stale,
)

_LIST = "/v1/notes?limit=1"
_NOTE = "/v1/notes/{note}"
_GONE = "/v1/notes/{gone}"
_WIPE = "/v1/sync/wipe"
_SESSION = "/v1/sync/sessions/"
_UNTOUCHED = (Then("GET", _NOTE, NOTE),)
_NOTHING = (Then("GET", _LIST, EMPTY_LIST),)
_PUT = Then("PUT", _NOTE, item(200, 2, uid="{note}", a=1), body='{"a":1}', change={"If-Match": "1"})
_TOMBSTONE = item(200, 2, uid="{gone}", title="n", deleted=True)
_STILL_GONE = (
    Then("GET", _GONE + "?includeDeleted=true", _TOMBSTONE),
    Then("POST", "/v1/notes", item(201, 3, uid="{gone}"), body='{"uid":"{gone}"}'),
)
_ALIVE = (Then("GET", _LIST, NOTE_LIST),)


def _after(
    name: str,
    request: tuple[str, str],
    want: Want,
    then: tuple[Then, ...],
    *given: Given,
    body: Text = "",
    change: Mapping[str, str | None] | None = None,
) -> Case:
    method, path = request
    return Case(
        f"after-{name}", method, path, want, given, body=body, change=change or {}, then=then
    )


_PUT_NOTE, _PATCH_NOTE, _CREATE = ("PUT", _NOTE), ("PATCH", _NOTE), ("POST", "/v1/notes")
_OTHERS_SESSION = (
    Then("GET", _SESSION + "{other_session}", Want(200, "J", "{<any>}\n"), who="other"),
)
_REFUSED = (
    _after("get", ("GET", _NOTE), NOTE, (*_UNTOUCHED, _PUT), "note"),
    _after(
        "412-on-put",
        _PUT_NOTE,
        mismatch(99, 1),
        (*_UNTOUCHED, _PUT),
        "note",
        body='{"a":9}',
        change={"If-Match": "99"},
    ),
    _after(
        "412-on-patch",
        _PATCH_NOTE,
        mismatch(99, 1),
        (*_UNTOUCHED, _PUT),
        "note",
        body='{"a":9}',
        change={"If-Match": "99"},
    ),
    _after(
        "400-invalid-action",
        ("POST", _NOTE + "/process"),
        error(400, "invalid action: bogus"),
        (*_UNTOUCHED, _PUT),
        "note",
        body='{"action":"bogus"}',
    ),
    _after(
        "400-invalid-json-on-put", _PUT_NOTE, INVALID_JSON, (*_UNTOUCHED, _PUT), "note", body="{"
    ),
    _after("400-invalid-json-on-create", _CREATE, INVALID_JSON, _NOTHING, "empty", body="{"),
    _after(
        "403-on-delete-session",
        ("DELETE", _SESSION + "{other_session}"),
        FORBIDDEN,
        _OTHERS_SESSION,
        "other",
    ),
    _after(
        "403-on-create",
        _CREATE,
        error(403, "Session does not belong to authenticated user.", "J"),
        _NOTHING,
        "empty",
        "other",
        body="{}",
        change={"X-Sync-Session": "{other_session}"},
    ),
    _after(
        "404-on-put",
        ("PUT", "/v1/notes/{fresh}"),
        error(404, "note not found"),
        (Then("GET", "/v1/notes/{fresh}", error(404, "note not found")), *_NOTHING),
        "empty",
        body="{}",
    ),
    _after(
        "409-on-create",
        _CREATE,
        stale(),
        _NOTHING,
        "empty",
        body="{}",
        change={"X-Sync-Epoch": "0"},
    ),
    _after(
        "409-on-delete",
        ("DELETE", _NOTE),
        stale(),
        (*_UNTOUCHED, _PUT),
        "note",
        change={"X-Sync-Epoch": "0"},
    ),
    _after(
        "410-on-delete",
        ("DELETE", _GONE),
        gone("note", "already deleted"),
        _STILL_GONE,
        "deleted note",
    ),
    _after("410-on-put", ("PUT", _GONE), gone("note"), _STILL_GONE, "deleted note", body="{}"),
    _after(
        "428-missing-on-create",
        _CREATE,
        SESSION_REQUIRED,
        _NOTHING,
        "empty",
        body="{}",
        change={"X-Sync-Session": None},
    ),
    _after(
        "428-unknown-on-create",
        _CREATE,
        SESSION_INVALID,
        _NOTHING,
        "empty",
        body="{}",
        change={"X-Sync-Session": "{unknown}"},
    ),
    _after(
        "wipe-not-confirmed",
        ("POST", _WIPE),
        NOT_CONFIRMED,
        _ALIVE,
        "one note",
        body='{"confirm":"wipe"}',
    ),
    _after(
        "wipe-without-body",
        ("POST", _WIPE),
        error(400, "invalid request body", "J"),
        _ALIVE,
        "one note",
    ),
    _after(
        "500-on-create",
        ("POST", "/v1/comments"),
        error(500, "failed to create comment"),
        (Then("GET", "/v1/comments", EMPTY_LIST),),
        "empty",
        "note",
        body='{"content":"x","parentType":"note","parentUid":"{unknown}"}',
    ),
)
_SINCE = Want(410, "J RL", '{"deletedAt":"{dead_at}","error":"note deleted"}\n')
_DELETED = ("note", Step("DELETE", _NOTE, keep="dead", status=200), Wait(0.01))
_SESSION_ENDS = (
    _after(
        "delete-its-time-stays", ("GET", _NOTE), _SINCE, (Then("GET", _NOTE, _SINCE),), *_DELETED
    ),
    _after(
        "delete-session",
        ("DELETE", _SESSION + "{second}"),
        Want(204, "no-type"),
        (
            Then("GET", _SESSION + "{second}", NO_SESSION),
            Then("GET", _LIST, SESSION_INVALID, change={"X-Sync-Session": "{second}"}),
            Then("GET", _SESSION + "{session}", began(200)),
        ),
        "second session",
    ),
)
# What keeps the parent of a child in a whole new payload.
_PARENTS: dict[str, dict[str, Any]] = {
    "comment": {"parentType": "note", "parentUid": "{note}"},
    "message": {"chatUid": "{chat}"},
}


def _stored(kind: str) -> list[Case]:
    """Each write on an entity, the item as a list and a GET show it, and the end of it."""
    plural, payload, actions, archive = ENTITIES[kind]
    path = f"/v1/{plural}/{{{kind}}}"
    uid, parent = f"{{{kind}}}", _PARENTS.get(kind, {})
    action, sets = next(iter(actions.items()))
    members = "".join(f',"{key}":"{value}"' for key, value in parent.items())
    writes: dict[str, tuple[str, str, str, dict[str, Any]]] = {
        "put": ("PUT", "", f'{{"a":1{members}}}', {"a": 1, **parent}),
        "patch": ("PATCH", "", '{"b":2}', {**payload, "b": 2}),
        "process": ("POST", "/process", f'{{"action":"{action}"}}', {**payload, **sets}),
        "archive": ("POST", "/archive", "", {**payload, **archive}),
    }
    label = kind if kind != "message" else "chat message"
    refusal = Then("PUT", path, mismatch(1, 2), body="{}", change={"If-Match": "1"})
    cases = [
        Case(
            f"stored-{kind}-{name}",
            method,
            path + suffix,
            item(200, 2, uid=uid, **about),
            given=(kind,),
            body=body,
            then=(Then("GET", path, item(200, 2, uid=uid, **about)), refusal),
        )
        for name, (method, suffix, body, about) in writes.items()
    ]
    tombstone = item(200, 2, uid=uid, deleted=True, **payload)
    return [
        *cases,
        Case(
            f"stored-{kind}-delete",
            "DELETE",
            path,
            removed(2, uid),
            given=(kind,),
            then=(
                Then("GET", path, gone(label)),
                Then("GET", path + "?includeDeleted=true", tombstone),
            ),
        ),
    ]


CASES = (*_REFUSED, *_SESSION_ENDS, *(case for kind in ENTITIES for case in _stored(kind)))
