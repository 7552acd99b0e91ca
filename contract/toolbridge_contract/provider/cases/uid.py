"""Section 7: the uid in a path."""

from toolbridge_contract.provider.case import Case
from toolbridge_contract.provider.wants import (
    INVALID_UID,
    NO_PATH,
    NOTE,
    error,
    gone,
    removed,
)

_NIL = "00000000-0000-0000-0000-000000000000"
_ACTIONS = {
    "note": "pin",
    "task": "start",
    "chat": "resolve",
    "comment": "resolve",
    "message": "mark_read",
}
_OPERATIONS = {
    "get": ("GET", ""),
    "put": ("PUT", ""),
    "patch": ("PATCH", ""),
    "delete": ("DELETE", ""),
    "archive": ("POST", "/archive"),
    "process": ("POST", "/process"),
}
# The other four: path and label by the name of their states.
_KINDS = {
    "task": ("tasks", "task"),
    "chat": ("chats", "chat"),
    "comment": ("comments", "comment"),
    "message": ("chat_messages", "chat message"),
}
_NOT_FOUND = error(404, "note not found")
_FORMS = {
    "upper-case": "{note_upper}",
    "no-dashes": "{note_bare}",
    "urn": "urn:uuid:{note}",
}


def _body(operation: str, kind: str) -> str:
    if operation == "process":
        return f'{{"action":"{_ACTIONS[kind]}"}}'
    return "{}" if operation in ("put", "patch") else ""


def _operation(name: str, state: str, uid: str) -> Case:
    method, suffix = _OPERATIONS[name]
    answers = {
        "invalid": INVALID_UID,
        "unknown": _NOT_FOUND,
        "deleted": gone("note", "already deleted" if name == "delete" else "deleted"),
    }
    return Case(
        f"uid-{name}-{state}",
        method,
        f"/v1/notes/{uid}{suffix}",
        answers[state],
        given=("deleted note",) if state == "deleted" else (),
        body=_body(name, "note"),
    )


def _of_kind(kind: str) -> list[Case]:
    path, label = _KINDS[kind]
    one, dead = f"/v1/{path}/{{{kind}}}", f"/v1/{path}/{{gone}}"
    given = (f"deleted {kind}",)
    not_found = error(404, f"{label} not found")
    return [
        *(
            Case(
                f"uid-{kind}-{name}-unknown",
                method,
                f"/v1/{path}/{{unknown}}{suffix}",
                not_found,
                body=_body(name, kind),
            )
            for name, (method, suffix) in _OPERATIONS.items()
        ),
        *(
            Case(
                f"uid-{kind}-{name}-deleted",
                method,
                dead + suffix,
                gone(label, "already deleted" if name == "delete" else "deleted"),
                given=given,
                body=_body(name, kind),
            )
            for name, (method, suffix) in _OPERATIONS.items()
        ),
        Case(f"uid-{kind}-invalid", "GET", f"/v1/{path}/abc", INVALID_UID),
        Case(f"uid-{kind}-delete", "DELETE", one, removed(2, f"{{{kind}}}"), given=(kind,)),
    ]


CASES = (
    *(
        _operation(name, state, uid)
        for name in _OPERATIONS
        for state, uid in (("invalid", "abc"), ("unknown", "{unknown}"), ("deleted", "{gone}"))
    ),
    *(
        Case(f"uid-form-{name}", "GET", f"/v1/notes/{form}", NOTE, given=("note",))
        for name, form in _FORMS.items()
    ),
    Case("uid-form-braces", "GET", "/v1/notes/{{note}}", NOTE, given=("note",), wire=True),
    Case("uid-nil", "GET", f"/v1/notes/{_NIL}", _NOT_FOUND),
    Case("uid-space-behind", "GET", "/v1/notes/{note}%20", INVALID_UID, given=("note",)),
    Case("uid-of-other-user", "GET", "/v1/notes/{foreign}", _NOT_FOUND, given=("note of other",)),
    Case("uid-encoded-slash", "GET", "/v1/notes/{note}%2Fx", INVALID_UID, given=("note",)),
    Case("uid-dot-segments", "GET", "/v1/notes/..", INVALID_UID, wire=True),
    Case("uid-dot-dot-not-resolved", "GET", "/v1/notes/../tasks", NO_PATH, wire=True),
    Case("uid-double-slash", "GET", "/v1//notes", NO_PATH, wire=True),
    *(case for kind in _KINDS for case in _of_kind(kind)),
    Case(
        "uid-include-deleted-1",
        "GET",
        "/v1/notes/{gone}?includeDeleted=1",
        gone("note"),
        given=("deleted note",),
    ),
    Case(
        "uid-include-deleted-live",
        "GET",
        "/v1/notes/{note}?includeDeleted=true",
        NOTE,
        given=("note",),
    ),
)
