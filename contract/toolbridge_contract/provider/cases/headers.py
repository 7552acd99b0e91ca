"""Section 18: repeated and odd headers; the first value wins."""

from toolbridge_contract.provider.case import Case, Given, Want
from toolbridge_contract.provider.wants import (
    BAD_TENANT,
    NOTE_LIST,
    SESSION_FOREIGN,
    UNAUTHORIZED,
    closed,
    error,
    item,
    mismatch,
    stale,
)

_PATH = "/v1/notes?limit=1"
_BAD_REQUEST = closed(400, "400 Bad Request")
# Header, a bad value, and the answer when it comes first.
_TWICE: dict[str, tuple[str, str, Want]] = {
    "authorization": ("Authorization", "Bearer garbage", UNAUTHORIZED),
    "tenant": ("X-TB-Tenant-ID", "evil", BAD_TENANT),
    "timestamp": ("X-TB-Timestamp", "1", BAD_TENANT),
    "signature": ("X-TB-Signature", "0" * 64, BAD_TENANT),
    "session": ("X-Sync-Session", "{other_session}", SESSION_FOREIGN),
    "epoch": ("X-Sync-Epoch", "0", stale()),
}
_GIVEN: tuple[Given, ...] = ("one note", "other")
_CIDS = (("X-Correlation-ID", "c1"), ("X-Correlation-ID", "c2"))


def _wire(name: str, want: Want, **about: object) -> Case:
    known = {"method": "GET", "path": _PATH, **about}
    # mypy cannot see which field each name stands for; Case refuses unknown ones.
    return Case(f"header-{name}", want=want, wire=True, **known)  # type: ignore[arg-type]


CASES = (
    *(
        Case(
            f"header-{name}-twice-good-bad",
            "GET",
            _PATH,
            NOTE_LIST,
            given=_GIVEN,
            extra=((header, bad),),
        )
        for name, (header, bad, _) in _TWICE.items()
    ),
    *(
        Case(
            f"header-{name}-twice-bad-good",
            "GET",
            _PATH,
            want,
            given=_GIVEN,
            first=((header, bad),),
        )
        for name, (header, bad, want) in _TWICE.items()
    ),
    Case(
        "header-if-match-twice-good-bad",
        "PUT",
        "/v1/notes/{note}",
        item(200, 2, uid="{note}"),
        given=("note",),
        body="{}",
        extra=(("If-Match", "1"), ("If-Match", "99")),
    ),
    Case(
        "header-if-match-twice-bad-good",
        "PUT",
        "/v1/notes/{note}",
        mismatch(99, 1),
        given=("note",),
        body="{}",
        extra=(("If-Match", "99"), ("If-Match", "1")),
    ),
    Case(
        "header-tenant-comma-joined",
        "GET",
        _PATH,
        BAD_TENANT,
        change={"X-TB-Tenant-ID": "{tenant}, evil"},
    ),
    _wire(
        "content-length-twice-same",
        item(201),
        method="POST",
        path="/v1/notes",
        body="{}",
        extra=(("Content-Length", "2"), ("Content-Length", "2")),
    ),
    _wire(
        "content-length-twice-differing",
        _BAD_REQUEST,
        method="POST",
        path="/v1/notes",
        body="{}",
        extra=(("Content-Length", "2"), ("Content-Length", "1")),
    ),
    _wire(
        "content-length-and-chunked",
        item(201),
        method="POST",
        path="/v1/notes",
        body=b"2\r\n{}\r\n0\r\n\r\n",
        extra=(("Content-Length", "2"), ("Transfer-Encoding", "chunked")),
    ),
    _wire("host-twice", _BAD_REQUEST, extra=(("Host", "other.test"),)),
    _wire(
        "host-missing",
        closed(400, "400 Bad Request: missing required Host header"),
        change={"Host": None},
    ),
    Case(
        "header-correlation-twice",
        "GET",
        _PATH,
        Want(NOTE_LIST.status, NOTE_LIST.headers, NOTE_LIST.body, cid="c1"),
        given=("one note",),
        extra=_CIDS,
    ),
    Case(
        "header-correlation-html",
        "GET",
        "/v1/notes/abc",
        Want(
            400,
            "J RL",
            '{"error":"invalid UID","correlation_id":"my id \\u003cx\\u003e"}\n',
            cid="my id <x>",
        ),
        change={"X-Correlation-ID": "my id <x>"},
    ),
    Case(
        "header-correlation-twice-in-error",
        "GET",
        "/v1/notes/abc",
        error(400, "invalid UID", cid="c1"),
        extra=_CIDS,
    ),
)
