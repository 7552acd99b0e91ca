"""The error contract as data: what the Go API does, and what a read and a mutation then say."""

import gzip
import zlib
from collections.abc import Container
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx

from support import error_bodies as bodies
from support.error_bodies import CANARY, GATEWAYS, HTML, JSON, KINDS, TEXT, Body, go_json
from support.error_plans import (
    Endless,
    Plan,
    answer,
    breaks_after,
    caused,
    changed,
    fails,
    hangs,
    hangs_after,
    not_connected,
    not_trusted,
    spoiled,
    streamed,
    unresolved,
)
from support.error_verdicts import ALL, OBJECTS, WITH_PAYLOAD, Row, Verdict, lost, same
from toolbridge_contract.tools import Operation

ELSEWHERE = "http://elsewhere.example/v1/notes"  # a host whose requests are recorded


RENEWED = same("session_unavailable", attempts=2, renewals=1)
NOT_SENT = 2  # attempts where nothing has reached the Go API

VERDICTS: dict[int, Verdict] = {
    400: same("invalid_argument"),
    401: same("upstream_token_rejected"),
    403: same("upstream_forbidden"),
    404: same("not_found"),
    408: lost("upstream_timeout"),
    409: same("conflict"),
    410: same("gone"),
    412: same("precondition_failed"),
    413: same("payload_too_large"),
    428: RENEWED,
    429: same("rate_limited"),
    **dict.fromkeys((405, 406, 415, 418, 422), same("upstream_rejected")),
    **dict.fromkeys((500, 501, 599), same("upstream_error")),
    502: lost("upstream_unavailable"),
    503: Verdict("upstream_unavailable", "upstream_unavailable", reads=2),
    504: lost("upstream_timeout"),
}


def _row(status: int, kind: str, body: Body, verdict: Verdict | None = None, **headers: str) -> Row:
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    plan = answer(status, body, *pairs)
    return Row(f"{status} {kind}", plan, verdict or VERDICTS[status], (status,))


STATUS_ROWS = [
    *(_row(s, kind, make(s)) for s in VERDICTS for kind, make in KINDS.items()),
    *(_row(s, kind, make(s)) for s in (408, 502, 503, 504) for kind, make in GATEWAYS.items()),
    _row(401, "unauthorized", (b"unauthorized\n", TEXT)),
    _row(
        401,
        "tenant headers",
        (b"Unauthorized: invalid tenant headers\n", TEXT),
        same("tenant_headers_rejected"),
    ),
    _row(403, "foreign session", go_json(bodies.FOREIGN_SESSION), RENEWED),
    _row(403, "forbidden", (b"forbidden\n", TEXT)),
    _row(403, "login page", bodies.login_page(403)),
    _row(405, "allow", (b"", None), allow="GET"),
    _row(
        409,
        "epoch",
        go_json("epoch_mismatch", epoch=7, correlation_id=""),
        same("epoch_mismatch", attempts=2, renewals=1),
        x_sync_epoch="7",
    ),
    _row(410, "go", go_json("note deleted", deletedAt="2025-01-01T00:00:00Z")),
    _row(428, "no session", go_json(bodies.NO_SESSION)),
    _row(404, "path", (b"404 page not found\n", TEXT)),
    *(_row(s, "html", bodies.nginx(s), same("upstream_rejected")) for s in (402, 421, 431, 499)),
    *(_row(s, "html", bodies.nginx(s), same("upstream_error")) for s in (505, 520)),
]

REDIRECTS = (300, 301, 302, 303, 307, 308)


def _redirect(status: int, name: str, *headers: tuple[str, str]) -> Row:
    plan = answer(status, (b"<a>moved</a>", HTML), *headers)
    return Row(f"{status} {name}", plan, same("upstream_redirect"), (status,))


REDIRECT_ROWS = [
    *(_redirect(s, "elsewhere", ("Location", ELSEWHERE)) for s in REDIRECTS),
    *(_redirect(s, "nowhere") for s in (302, 304)),
    _redirect(307, "other path", ("Location", "/v1/tasks")),
    _redirect(308, "slash", ("Location", "/v1/notes/")),
    _redirect(302, "file", ("Location", "file:///etc/passwd")),
    _redirect(301, "scheme", ("Location", "//elsewhere.example/v1/notes")),
]


def _date(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


# What Retry-After says (RFC 9110 section 10.2.3), and the seconds that may be told.
RETRY_AFTER: dict[str, tuple[str, Container[int | None]]] = {
    "1": ("1", (1,)),
    "7": ("7", (7,)),
    "0": ("0", (0,)),
    "in an hour": (_date(3600), range(3300, 3601)),
    "in the past": (_date(-60), (0, None)),
    "negative": ("-1", (None,)),
    "a fraction": ("1.5", (None,)),
    "an exponent": ("1e9", (None,)),
    "a word": ("soon", (None,)),
    "no date": ("Fri, 99 Foo 2025 99:99:99 GMT", (None,)),
    "empty": ("", (None,)),
    "thirty years": ("999999999", range(86401)),
    "beyond an int64": ("9" * 30, (None, 86400)),
}

RETRY_AFTER_ROWS = [
    Row(
        f"429 Retry-After {name}",
        answer(429, bodies.said(429), ("Retry-After", value)),
        VERDICTS[429],
        (429,),
        seconds,
    )
    for name, (value, seconds) in RETRY_AFTER.items()
] + [
    Row(
        "429 Retry-After twice",
        answer(429, bodies.said(429), ("Retry-After", "7"), ("Retry-After", "9")),
        VERDICTS[429],
        (429,),
        (7, 9, None),
    ),
    Row(
        "503 Retry-After 5",
        answer(503, bodies.nginx(503), ("Retry-After", "5")),
        VERDICTS[503],
        (503,),
        (5,),
    ),
    Row(
        "504 Retry-After 3",
        answer(504, bodies.nginx(504), ("Retry-After", "3")),
        VERDICTS[504],
        (504,),
        (3, None),  # whether it is told beside an unknown outcome is left open
    ),
]

BAD = lost("upstream_bad_response", attempts=1)


def _bad(
    name: str, plan: Plan, operations: tuple[Operation, ...] = ALL, session: bool = True
) -> Row:
    return Row(f"200 {name}", plan, BAD, (200,), operations=operations, session=session)


def _replaced(old: bytes, new: bytes) -> Plan:
    return spoiled(lambda body: body.replace(old, new))


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body)


# What spoils any good answer.
BYTES_ROWS = [
    _bad("html", answer(200, bodies.nginx(200))),
    _bad("text", answer(200, (b"ok", TEXT))),
    _bad("empty", answer(200, (b"", JSON))),
    *(Row(f"{s} no body", answer(s), BAD, (s,)) for s in (200, 201, 202, 204, 205)),
    *(
        _bad(f"body {body.decode()}", answer(200, (body, JSON)))
        for body in (b"[]", b"{}", b"5", b"null", b"true", b'"ok"')
    ),
    _bad("error in a 200", answer(200, go_json("note not found"))),
    *(
        _bad(f"called {kind}", spoiled(bytes, kind))
        for kind in (HTML, TEXT, "application/octet-stream", "application/problem+json", None)
    ),
    _bad("truncated", spoiled(lambda body: body[:-1])),
    _bad("followed by more", spoiled(lambda body: body + b"{}")),
    _bad("byte order mark", spoiled(lambda body: b"\xef\xbb\xbf" + body)),
    _bad("UTF-16", spoiled(lambda body: body.decode().encode("utf-16"))),
    _bad("gzip", spoiled(_gzip, JSON, ("Content-Encoding", "gzip"))),
    _bad(
        "gzip twice", spoiled(lambda b: _gzip(_gzip(b)), JSON, ("Content-Encoding", "gzip, gzip"))
    ),
    _bad("deflate", spoiled(zlib.compress, JSON, ("Content-Encoding", "deflate"))),
    _bad("gzip untold", spoiled(_gzip)),
    _bad("deep", answer(200, (b"[" * 100_000 + b"]" * 100_000, JSON))),
]
_PAGES = [
    *(
        ("nextCursor", value, b'{"items": [], "nextCursor": %s}' % value.encode())
        for value in ("5", "null", "[]", "{}", "true")
    ),
    *(
        ("items", value, b'{"items": %s}' % value.encode())
        for value in ("null", "{}", '""', "[null]", "[{}]")
    ),
]
# What spoils an object or a page.
SHAPE_ROWS = [
    _bad("not UTF-8", _replaced(b'"2025', b'"\xff2025'), session=False),
    _bad("NaN", _replaced(b'"updatedAt"', b'"n": NaN, "updatedAt"'), session=False),
    _bad("two versions", _replaced(b'"version"', b'"version": 1, "version"'), session=False),
    _bad("raw newline", _replaced(b'"2025', b'"\n2025'), session=False),
    *(
        _bad(f"{name} {value!r}", changed(**{name: value}), session=False)
        for name, values in {
            "uid": (5, None),
            "version": ("3", True, None),
            "updatedAt": (None, 1732000000),
        }.items()
        for value in values
    ),
    *(
        _bad(f"payload {value!r}", changed(payload=value), WITH_PAYLOAD, session=False)
        for value in (None, 5, "{}")
    ),
    *(
        _bad(f"{name} {value}", answer(200, (body, JSON)), ("list",), session=False)
        for name, value, body in _PAGES
    ),
    _bad(
        "page for an object",
        answer(200, (b'{"items": [], "nextCursor": "bmV4dA"}', JSON)),
        OBJECTS,
        session=False,
    ),
]
TOO_LARGE = Row(
    "200 too large",
    streamed(200, lambda: Endless().stream()),
    lost("response_too_large", attempts=1),
    (200,),
)


def _short() -> Exception:
    return httpx.RemoteProtocolError(
        f"peer closed connection without sending complete message body {CANARY}"
    )


def _reset() -> Exception:
    return httpx.ReadError(f"[Errno 104] Connection reset by peer {CANARY}")


ANSWERED = (None, 200)  # whether the status of half an answer is told is left open
HANG_SECONDS = 0.8  # eight calls that start together on a busy machine are all sent by then

TRANSPORT_ROWS = [
    Row(
        "refused",
        not_connected(ConnectionRefusedError(111, f"Connection refused {CANARY}")),
        same("upstream_unreachable", NOT_SENT),
    ),
    Row("DNS", unresolved(), same("upstream_dns", NOT_SENT)),
    Row("TLS", not_trusted(), same("upstream_tls", NOT_SENT)),
    Row(
        "connect time-out",
        caused(httpx.ConnectTimeout),
        same("upstream_connect_timeout", NOT_SENT),
    ),
    Row("pool full", caused(httpx.PoolTimeout), same("busy")),
    Row("reset", fails(_reset), lost("upstream_unreachable")),
    Row("broken pipe", caused(httpx.WriteError), lost("upstream_unreachable")),
    Row(
        "closed unanswered",
        fails(lambda: httpx.RemoteProtocolError("Server disconnected without a response.")),
        lost("upstream_unreachable"),
    ),
    Row(
        "not HTTP",
        fails(lambda: httpx.RemoteProtocolError(f"illegal status line: {CANARY}")),
        lost("upstream_bad_response"),
    ),
    Row(
        "reset after headers",
        breaks_after(b"", _reset),
        lost("upstream_bad_response"),
        ANSWERED,
    ),
    Row(
        "body cut short",
        breaks_after(b'{"uid": "', _short),
        lost("upstream_bad_response"),
        ANSWERED,
    ),
    Row(
        "404 cut short",
        breaks_after(b'{"error": "', _short, 404),
        lost("upstream_bad_response"),
        (None, 404),
    ),
    Row("hang", hangs, lost("upstream_timeout", 1), seconds=HANG_SECONDS),
    Row(
        "hang in the body",
        hangs_after(b'{"uid": "'),
        lost("upstream_timeout", 1),
        ANSWERED,
        session=False,  # it would take as long as the row before, for the same code
        seconds=HANG_SECONDS,
    ),
]

ROWS = [
    *STATUS_ROWS,
    *REDIRECT_ROWS,
    *RETRY_AFTER_ROWS,
    *BYTES_ROWS,
    *SHAPE_ROWS,
    TOO_LARGE,
    *TRANSPORT_ROWS,
]
BY_NAME = {row.name: row for row in ROWS}
