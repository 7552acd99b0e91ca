"""Section 16: the rate limit."""

from toolbridge_contract.provider.case import (
    Case,
    Drain,
    Given,
    Race,
    Refill,
    Signed,
    Wait,
    Want,
    slug,
)
from toolbridge_contract.provider.cases.wipe import wiped
from toolbridge_contract.provider.wants import EMPTY_LIST, LIMITED, NO_PATH, SESSION_REQUIRED, began

_PULLED = (
    '{"upserts":[{"sync":{"isDeleted":false,"version":1},"title":"n","uid":"{note}",'
    '"updatedTs":"<ts>"}],"deletes":[],"nextCursor":"<cur>"}\n'
)
_STATE = Want(200, "J", '{"epoch":{session_epoch}<any>}\n')
_DRAINED: tuple[Given, ...] = (Drain(),)
_ENTITIES = ("tasks", "comments", "chats", "chat_messages")


def _limited(name: str, path: str, want: Want = LIMITED, **about: object) -> Case:
    known = {"given": _DRAINED, **about}
    return Case(f"rate-{name}", "GET", path, want, user="drained", timing=True, **known)  # type: ignore[arg-type]


CASES = (
    # 120 and what comes back meanwhile; the first 429 was seen at request 123.
    Case(
        "rate-burst",
        "GET",
        "/v1/notes?limit=1",
        Want(200, "J RL", Race(429, 118, 145)),
        given=(Refill(),),
        user="burst",
        at_once=170,
    ),
    Case(
        "rate-refills",
        "GET",
        "/v1/notes",
        EMPTY_LIST,
        given=("empty", Drain(), Wait(1.05)),
        user="drained",
    ),
    _limited("exhausted", "/v1/notes?limit=1"),
    Case(
        "rate-not-on-begin-session",
        "POST",
        "/v1/sync/sessions",
        began(),
        given=_DRAINED,
        user="drained",
    ),
    Case(
        "rate-other-bucket-for-pull",
        "GET",
        "/v1/sync/notes/pull?limit=1",
        Want(200, "J RL", _PULLED),
        given=("empty", "note", Drain()),
        user="drained-pull",
    ),
    Case("rate-not-on-state", "GET", "/v1/sync/state", _STATE, given=_DRAINED, user="drained"),
    *(_limited(f"shared-by-{slug(plural)}", f"/v1/{plural}") for plural in _ENTITIES),
    _limited("session-first", "/v1/notes", SESSION_REQUIRED, session=False),
    _limited("before-epoch", "/v1/notes", change={"X-Sync-Epoch": "0"}),
    _limited("before-uid", "/v1/notes/abc"),
    _limited(
        "shared-by-tenants",
        "/v1/notes",
        given=("second session", Drain()),
        signed=Signed(tenant="other-tenant"),
        change={"X-Sync-Session": "{second}"},
    ),
    Case("rate-path-first", "PUT", "/v1/nope", NO_PATH, given=_DRAINED, user="drained"),
    _limited("drained-by-tasks", "/v1/notes", given=(Drain("/v1/tasks?limit=1"),)),
    Case(
        "rate-drained-wipe",
        "POST",
        "/v1/sync/wipe",
        wiped(),
        given=("empty", Drain()),
        body='{"confirm":"WIPE"}',
        user="drained",
    ),
)
