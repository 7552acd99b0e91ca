"""Section 5: epoch."""

from toolbridge_contract.provider.case import Case, Want
from toolbridge_contract.provider.states import BEGIN
from toolbridge_contract.provider.wants import (
    EMPTY_LIST,
    NOTE_LIST,
    SESSION_INVALID,
    began,
    stale,
)

_PATH = "/v1/notes?limit=1"
_STALE = {"missing": None, "zero": "0", "text": "abc", "float": "{session_epoch}.0"}
_FINE = {"current": "{session_epoch}", "ahead": "{session_epoch+1}", "plus": "+{session_epoch}"}
_AGAIN = ("one note", "wiped", BEGIN)
_BEHIND = {"X-Sync-Epoch": "{session_epoch-1}"}

CASES = (
    *(
        Case(f"epoch-{name}", "GET", _PATH, stale(), change={"X-Sync-Epoch": value})
        for name, value in _STALE.items()
    ),
    Case(
        "epoch-missing-with-correlation-id",
        "GET",
        _PATH,
        stale(cid="cid-7"),
        change={"X-Sync-Epoch": None, "X-Correlation-ID": "cid-7"},
    ),
    *(
        Case(
            f"epoch-{name}",
            "GET",
            _PATH,
            NOTE_LIST,
            given=("one note",),
            change={"X-Sync-Epoch": value},
        )
        for name, value in _FINE.items()
    ),
    Case("epoch-before-uid", "GET", "/v1/notes/abc", stale(), change={"X-Sync-Epoch": "0"}),
    Case("epoch-on-post", "POST", "/v1/notes", stale(), body="{}", change={"X-Sync-Epoch": "0"}),
    *(
        Case(
            f"epoch-after-wipe-old-session-{name}",
            "GET",
            _PATH,
            SESSION_INVALID,
            given=("wiped",),
            change={"X-Sync-Epoch": value},
        )
        for name, value in (("old", "{session_epoch}"), ("new", "{session_epoch+1}"))
    ),
    Case(
        "epoch-after-wipe-new-session",
        "POST",
        "/v1/sync/sessions",
        began(epoch="{session_epoch+1}"),
        given=("wiped",),
    ),
    Case("epoch-after-wipe-behind", "GET", _PATH, stale(), given=_AGAIN, change=_BEHIND),
    Case("epoch-after-wipe-current", "GET", _PATH, EMPTY_LIST, given=_AGAIN),
    Case(
        "epoch-state-before-any-wipe",
        "GET",
        "/v1/sync/state",
        Want(200, "J", '{"epoch":1}\n'),
        user="unwiped",
    ),
    Case(
        "epoch-state-after-wipe",
        "GET",
        "/v1/sync/state",
        Want(
            200,
            "J",
            '{"epoch":{session_epoch},"lastWipeAt":"<us>","lastWipeBy":"{session_user}"}\n',
        ),
        given=_AGAIN,
    ),
)
