"""Section 17: X-TB-Tenant-ID does not separate data."""

from typing import Any

from toolbridge_contract.provider.case import Case, Signed, Step
from toolbridge_contract.provider.wants import began, body_of, gone, item, items, removed

_B = Signed(tenant="tenant-b")
_MADE = Step("POST", "/v1/notes", '{"title":"made-under-A"}', "note", 201)
_PATH = "/v1/notes/{note}"
_ABOUT: dict[str, Any] = {"uid": "{note}", "title": "made-under-A"}
_PATCHED = Step("PATCH", _PATH, '{"by":"B"}', status=200, tenant="tenant-b")
_B_SESSION = Step("POST", "/v1/sync/sessions", keep="b", status=201, tenant="tenant-b")

CASES = (
    Case(
        "scope-read-under-other-tenant",
        "GET",
        _PATH,
        item(200, **_ABOUT),
        given=(_MADE,),
        signed=_B,
    ),
    Case(
        "scope-list-under-other-tenant",
        "GET",
        "/v1/notes",
        items(body_of(**_ABOUT)),
        given=("empty", _MADE),
        signed=_B,
    ),
    Case(
        "scope-patch-under-other-tenant",
        "PATCH",
        _PATH,
        item(200, 2, by="B", **_ABOUT),
        given=(_MADE,),
        body='{"by":"B"}',
        signed=_B,
    ),
    Case(
        "scope-session-of-other-tenant",
        "GET",
        "/v1/notes",
        items(body_of(2, by="B", **_ABOUT)),
        given=("empty", _MADE, _PATCHED, _B_SESSION),
        signed=_B,
    ),
    Case(
        "scope-get-session-under-other-tenant",
        "GET",
        "/v1/sync/sessions/{session}",
        began(200),
        given=(_B_SESSION,),
        signed=_B,
    ),
    Case(
        "scope-begin-session-under-other-tenant",
        "POST",
        "/v1/sync/sessions",
        began(),
        signed=_B,
    ),
    Case(
        "scope-delete-under-other-tenant",
        "DELETE",
        _PATH,
        removed(2, "{note}"),
        given=(_MADE,),
        signed=_B,
    ),
    Case(
        "scope-deleted-under-other-tenant",
        "GET",
        _PATH,
        gone("note"),
        given=(_MADE, Step("DELETE", _PATH, status=200, tenant="tenant-b")),
    ),
)
