"""Section 19: wrong methods, unknown paths and routing; none of them needs auth."""

from toolbridge_contract.provider.case import Case, Want
from toolbridge_contract.provider.wants import (
    NO_PATH,
    NOTE_LIST,
    closed,
    not_allowed,
)

_ITEM = ("DELETE", "GET", "PATCH", "PUT")
_LIST = ("GET", "POST")
# Method, path, the methods allowed there.
_WRONG: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "post-healthz": ("POST", "/healthz", ("GET",)),
    "head-healthz": ("HEAD", "/healthz", ("GET",)),
    "options-healthz": ("OPTIONS", "/healthz", ("GET",)),
    "delete-list": ("DELETE", "/v1/notes", _LIST),
    "put-list": ("PUT", "/v1/notes", _LIST),
    "post-item": ("POST", "/v1/notes/{unknown}", _ITEM),
    "patch-list": ("PATCH", "/v1/notes", _LIST),
    "get-archive": ("GET", "/v1/notes/{unknown}/archive", ("POST",)),
    "get-process": ("GET", "/v1/notes/{unknown}/process", ("POST",)),
    "get-sessions": ("GET", "/v1/sync/sessions", ("POST",)),
    "put-session": ("PUT", "/v1/sync/sessions/x", ("DELETE", "GET")),
    "get-wipe": ("GET", "/v1/sync/wipe", ("POST",)),
    "post-info": ("POST", "/v1/sync/info", ("GET",)),
    "head-list": ("HEAD", "/v1/notes", _LIST),
    "options-list": ("OPTIONS", "/v1/notes", _LIST),
    "trace-list": ("TRACE", "/v1/notes", _LIST),
}
_UNKNOWN = {
    "unknown-path": "/v1/nope",
    "root": "/",
    "trailing-slash": "/v1/notes/",
    "trailing-slash-on-uid": "/v1/notes/{unknown}/",
    "extra-segment": "/v1/notes/{unknown}/x",
    "upper-case-path": "/V1/NOTES",
    "healthz-slash": "/healthz/",
    "metrics": "/metrics",
    "search": "/v1/search",
    "readyz": "/readyz",
}
_PREFLIGHT = {"Origin": "https://a.test", "Access-Control-Request-Method": "GET"}
# net/http allows 1 MiB and a little for the request line and all headers.
_FITS, _TOO_LARGE = "x" * 900_000, "x" * 1_100_000
HEALTH = Want(200, "T", "ok")

CASES = (
    *(
        Case(f"route-405-{name}", method, path, not_allowed(*allowed))
        for name, (method, path, allowed) in _WRONG.items()
    ),
    Case(
        "route-405-without-auth",
        "DELETE",
        "/v1/notes",
        not_allowed(*_LIST),
        jwt=None,
        signed=None,
        session=False,
    ),
    Case(
        "route-405-cors-preflight", "OPTIONS", "/v1/notes", not_allowed(*_LIST), change=_PREFLIGHT
    ),
    Case("route-405-unknown-method", "FOO", "/v1/notes", not_allowed(), wire=True),
    Case("route-405-lower-case-method", "get", "/v1/notes", not_allowed(), wire=True),
    *(Case(f"route-404-{name}", "GET", path, NO_PATH) for name, path in _UNKNOWN.items()),
    Case(
        "route-404-without-auth", "GET", "/v1/nope", NO_PATH, jwt=None, signed=None, session=False
    ),
    Case("route-404-encoded-letter", "GET", "/v1/%6eotes?limit=1", NO_PATH, wire=True),
    Case(
        "route-absolute-form",
        "GET",
        "http://{host}/v1/notes?limit=1",
        NOTE_LIST,
        given=("one note",),
        wire=True,
    ),
    Case(
        "route-bad-percent-encoding",
        "GET",
        "/v1/notes/%zz",
        closed(400, "400 Bad Request"),
        wire=True,
    ),
    Case("route-http-1.0", "GET", "/healthz", Want(200, "T", "ok"), http="1.0", wire=True),
    Case(
        "route-header-of-900-kb",
        "GET",
        "/v1/notes",
        NOTE_LIST,
        given=("one note",),
        extra=(("X-Large", _FITS),),
        wire=True,
    ),
    Case(
        "route-header-of-1.1-mb",
        "GET",
        "/v1/notes",
        closed(431, "431 Request Header Fields Too Large"),
        extra=(("X-Large", _TOO_LARGE),),
        wire=True,
    ),
)
