"""Section 16: the rate limit."""

from dataclasses import replace

from toolbridge_contract.provider.case import (
    Case,
    Drain,
    Given,
    Race,
    Refill,
    Signed,
    Then,
    Wait,
    Want,
    slug,
)
from toolbridge_contract.provider.cases.wipe import wiped
from toolbridge_contract.provider.wants import (
    EMPTY_LIST,
    INVALID_JSON,
    INVALID_UID,
    LIMITED,
    NO_PATH,
    SESSION_REQUIRED,
    began,
    error,
    stale,
)

_PULLED = (
    '{"upserts":[{"sync":{"isDeleted":false,"version":1},"title":"n","uid":"{note}",'
    '"updatedTs":"<ts>"}],"deletes":[],"nextCursor":"<cur>"}\n'
)
_STATE = Want(200, "J", '{"epoch":{session_epoch}<any>}\n')
_DRAINED: tuple[Given, ...] = (Drain(),)
_PULL, _PUSH = "/v1/sync/notes/pull?limit=1", "/v1/sync/notes/push"
_ENTITIES = ("tasks", "comments", "chats", "chat_messages")


def _limited(name: str, path: str, want: Want = LIMITED, **about: object) -> Case:
    known = {"method": "GET", "given": _DRAINED, "user": "drained", **about}
    # mypy cannot see which field each name stands for; Case refuses unknown ones.
    return Case(f"rate-{name}", path=path, want=want, timing=True, **known)  # type: ignore[arg-type]


def _left(want: Want, tokens: int) -> Want:
    return replace(want, headers=f"{want.headers} left={tokens}")


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
        "rate-burst-on-pull",
        "GET",
        _PULL,
        Want(200, "J RL", Race(429, 118, 145)),
        given=(Refill(_PULL),),
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
    # The other bucket still shows what is stored.
    _limited(
        "writes-nothing",
        "/v1/notes",
        method="POST",
        body='{"uid":"{note}","title":"x"}',
        given=("empty", Refill(), "note", Drain()),
        user="drained-write",
        then=(Then("GET", "/v1/sync/notes/pull", Want(200, "J RL", _PULLED)),),
    ),
    _limited("on-pull", _PULL, given=(Drain(_PULL),)),
    _limited("on-push", _PUSH, method="POST", body='{"items":null}', given=(Drain(_PULL),)),
    _limited("shared-by-delta-entities", "/v1/sync/tasks/pull?limit=1", given=(Drain(_PULL),)),
    _limited(
        "other-bucket-for-rest",
        "/v1/notes",
        EMPTY_LIST,
        given=("empty", Drain(_PULL)),
        user="counted",
    ),
    # The limiter was asked for more right away: 11 of 40 passed.
    Case(
        "rate-ten-a-second",
        "GET",
        "/v1/notes?limit=1",
        Want(200, "J RL", Race(429, 9, 14)),
        given=(Drain(), Wait(1.05)),
        user="drained",
        timing=True,
        at_once=40,
    ),
    _limited(
        "tokens-are-counted",
        "/v1/notes",
        _left(EMPTY_LIST, 119),
        given=("empty", Refill()),
        user="counted",
        then=(
            Then("GET", "/v1/notes", _left(EMPTY_LIST, 118)),
            Then("GET", "/v1/tasks/abc", _left(INVALID_UID, 117)),
            Then("GET", "/v1/tasks/{unknown}", _left(error(404, "task not found"), 116)),
            Then("POST", "/v1/notes", _left(INVALID_JSON, 115), body="{"),
            Then("GET", "/v1/notes", _left(stale(), 114), change={"X-Sync-Epoch": "0"}),
            Then("GET", "/v1/notes", _left(EMPTY_LIST, 113)),
        ),
    ),
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
