"""Section 4: sessions."""

from toolbridge_contract.provider.case import Case, Want
from toolbridge_contract.provider.wants import (
    FORBIDDEN,
    NO_SESSION,
    NOTE_LIST,
    SESSION_FOREIGN,
    SESSION_INVALID,
    SESSION_REQUIRED,
    began,
)

_PATH = "/v1/notes?limit=1"
_SESSIONS = "/v1/sync/sessions"
_INVALID = {
    "unknown": "{unknown}",
    "not-a-uuid": "abc",
    "upper-cased": "{session_upper}",
    "ended": "{ended}",
}
_NONE = {
    "before-uid": ("GET", "/v1/notes/abc", ""),
    "before-json": ("POST", "/v1/notes", "{"),
    "needed-on-state": ("GET", "/v1/sync/state", ""),
    "needed-on-wipe": ("POST", "/v1/sync/wipe", '{"confirm":"WIPE"}'),
}

CASES = (
    Case("session-missing", "GET", _PATH, SESSION_REQUIRED, session=False),
    Case("session-empty", "GET", _PATH, SESSION_REQUIRED, change={"X-Sync-Session": ""}),
    *(
        Case(
            f"session-{name}",
            "GET",
            _PATH,
            SESSION_INVALID,
            given=("ended session",) if name == "ended" else (),
            change={"X-Sync-Session": value},
        )
        for name, value in _INVALID.items()
    ),
    Case(
        "session-foreign",
        "GET",
        _PATH,
        SESSION_FOREIGN,
        given=("other",),
        change={"X-Sync-Session": "{other_session}"},
    ),
    Case(
        "session-spaces-around",
        "GET",
        _PATH,
        NOTE_LIST,
        given=("one note",),
        change={"X-Sync-Session": "  {session}  "},
        wire=True,
    ),
    Case(
        "session-second-does-not-end-first",
        "GET",
        _PATH,
        NOTE_LIST,
        given=("one note", "second session"),
    ),
    Case(
        "session-second-works",
        "GET",
        _PATH,
        NOTE_LIST,
        given=("one note", "second session"),
        change={"X-Sync-Session": "{second}"},
    ),
    *(
        Case(f"session-{name}", method, path, SESSION_REQUIRED, body=body, session=False)
        for name, (method, path, body) in _NONE.items()
    ),
    Case("session-get-own", "GET", _SESSIONS + "/{session}", began(200)),
    Case(
        "session-get-foreign",
        "GET",
        _SESSIONS + "/{other_session}",
        FORBIDDEN,
        given=("other",),
    ),
    Case("session-get-unknown", "GET", _SESSIONS + "/nope", NO_SESSION),
    Case(
        "session-delete-foreign",
        "DELETE",
        _SESSIONS + "/{other_session}",
        FORBIDDEN,
        given=("other",),
    ),
    Case("session-delete-unknown", "DELETE", _SESSIONS + "/nope", NO_SESSION),
    Case("session-delete-own", "DELETE", _SESSIONS + "/{session}", Want(204, "no-type")),
    Case(
        "session-delete-ended",
        "DELETE",
        _SESSIONS + "/{ended}",
        NO_SESSION,
        given=("ended session",),
    ),
    Case("session-begin-with-garbage-body", "POST", _SESSIONS, began(), body="garbage"),
    Case("session-begin-ignores-epoch", "POST", _SESSIONS, began(), change={"X-Sync-Epoch": "99"}),
)
