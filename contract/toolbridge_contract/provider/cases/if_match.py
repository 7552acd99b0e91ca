"""Section 13: If-Match, PUT and PATCH."""

from toolbridge_contract.provider.case import Case, Race, Want
from toolbridge_contract.provider.states import patch, put
from toolbridge_contract.provider.wants import (
    INVALID_JSON,
    body_of,
    error,
    gone,
    item,
    mismatch,
    removed,
)

_PATH = "/v1/notes/{note}"
_V3 = item(200, 3, uid="{note}", title="z")
# Against version 2.
_PUT: dict[str, tuple[str | None, Want]] = {
    "absent": (None, _V3),
    "stale": ("1", mismatch(1, 2)),
    "stale-quoted": ('"1"', mismatch(1, 2)),
    "current": ("2", _V3),
    "current-quoted": ('"2"', _V3),
    "weak-ignored": ('W/"1"', _V3),
    "star-ignored": ("*", _V3),
    "text-ignored": ("abc", _V3),
    "empty-ignored": ("", _V3),
    "list-ignored": ("1, 2", _V3),
    "plus-parsed": ("+2", _V3),
    "negative": ("-1", mismatch(-1, 2)),
    "float-ignored": ("1.0", _V3),
    "overflow-ignored": ("999999999999999999999", _V3),
}
# Eight creates of one uid make versions 1 to 8.
_ANY_VERSION = Want(
    201, "J RL", body_of(uid="{fresh}").replace('"version":1', '"version":<int>') + "\n"
)
_RACE = '{"title":"race"}'

CASES = (
    *(
        Case(
            f"match-put-{name}",
            "PUT",
            _PATH,
            want,
            given=("note v2",),
            body='{"title":"z"}',
            change={"If-Match": value},
        )
        for name, (value, want) in _PUT.items()
    ),
    Case(
        "match-patch-stale",
        "PATCH",
        _PATH,
        mismatch(1, 2),
        given=("note v2",),
        body="{}",
        change={"If-Match": "1"},
    ),
    Case(
        "match-patch-current",
        "PATCH",
        _PATH,
        _V3,
        given=("note v2",),
        body="{}",
        change={"If-Match": "2"},
    ),
    Case(
        "match-delete-ignored",
        "DELETE",
        _PATH,
        removed(2, "{note}"),
        given=("note",),
        change={"If-Match": "99"},
    ),
    Case(
        "match-archive-ignored",
        "POST",
        _PATH + "/archive",
        item(200, 2, uid="{note}", title="n", status="archived"),
        given=("note",),
        change={"If-Match": "99"},
    ),
    Case(
        "match-process-ignored",
        "POST",
        _PATH + "/process",
        item(200, 2, uid="{note}", title="n", pinned=True),
        given=("note",),
        body='{"action":"pin"}',
        change={"If-Match": "99"},
    ),
    Case(
        "match-unknown-uid",
        "PUT",
        "/v1/notes/{unknown}",
        error(404, "note not found"),
        body="{}",
        change={"If-Match": "1"},
    ),
    Case(
        "match-json-before-stale",
        "PUT",
        _PATH,
        INVALID_JSON,
        given=("note v2",),
        body="{",
        change={"If-Match": "1"},
    ),
    Case(
        "match-if-none-match-ignored",
        "GET",
        _PATH,
        item(200, uid="{note}", title="n"),
        given=("note",),
        change={"If-None-Match": "1"},
    ),
    Case(
        "match-put-body-uid-ignored",
        "PUT",
        _PATH,
        item(200, 2, uid="{note}", a=1),
        given=("note",),
        body='{"uid":"{unknown}","a":1}',
    ),
    Case(
        "match-patch-uid-and-sync-ignored",
        "PATCH",
        _PATH,
        item(200, 2, uid="{note}", title="n", b=2),
        given=("note",),
        body='{"uid":"{unknown}","sync":{"version":9},"b":2}',
    ),
    Case(
        "match-patch-null-stays",
        "PATCH",
        _PATH,
        item(200, 2, uid="{note}", title=None),
        given=("note",),
        body='{"title":null}',
    ),
    Case(
        "match-patch-is-shallow",
        "PATCH",
        _PATH,
        item(200, 3, uid="{note}", title="n", o={"x": 9}),
        given=("note", patch("notes/{note}", '{"o":{"x":1,"y":2}}')),
        body='{"o":{"x":9}}',
    ),
    Case(
        "match-deleted-before-stale",
        "PUT",
        "/v1/notes/{gone}",
        gone("note"),
        given=("deleted note",),
        body="{}",
        change={"If-Match": "99"},
    ),
    Case(
        "match-not-atomic",
        "PUT",
        _PATH,
        Want(200, "J RL", Race(412, 2, 7, by_luck=True)),
        given=("note", put("notes/{note}", _RACE)),
        body=_RACE,
        change={"If-Match": "2"},
        at_once=8,
        timing=True,
        mock="it answers one request at a time, so that its If-Match is atomic",
    ),
    Case(
        "match-creates-at-once",
        "POST",
        "/v1/notes",
        _ANY_VERSION,
        body='{"uid":"{fresh}"}',
        at_once=8,
    ),
)
