"""Ways in which what the mock keeps, counts or names can be wrong, and who notices."""

import re
import uuid
from collections.abc import Callable
from typing import Any

from support.contract_breaks_base import Break, Patch, constant, edited, no_newline
from toolbridge_contract.mock import api, delta, entities, lists, rate, service, sessions, store
from toolbridge_contract.mock.messages import Call, Refused, Response
from toolbridge_contract.tools import ENTITIES

_CHUNKED_BYTES = 2048


def _refusal_writes(status: int) -> Callable[[Patch], None]:
    """Raise every version of the entity when it refuses with `status`."""
    real = entities.EntityCall.refused

    def refused(self: entities.EntityCall, given: int, message: str) -> Refused:
        if given == status:
            _bump(self)
        return real(self, given, message)

    return lambda patch: patch.setattr(entities.EntityCall, "refused", refused)


def _bump(ask: entities.EntityCall) -> None:
    for row in ask.table.rows.values():
        row.version += 1


def _gone_writes(patch: Patch) -> None:
    real = entities._gone

    def gone(ask: entities.EntityCall, row: store.Row, what: str) -> Refused:
        row.version += 1
        return real(ask, row, what)

    patch.setattr(entities, "_gone", gone)


def _get_writes(patch: Patch) -> None:
    real = entities.Entities.get

    def get(self: entities.Entities, ask: entities.EntityCall) -> Response:
        found = real(self, ask)
        _bump(ask)
        return found

    patch.setattr(entities.Entities, "get", get)


def _stale_epoch_creates(patch: Patch) -> None:
    real = api.GoApi._entity

    def entity(self: api.GoApi, call: Call, user: Any, *about: Any) -> Response:
        try:
            return real(self, call, user, *about)
        except Refused:
            tables = self._store.tables(user, "")
            uid = str(uuid.uuid4())
            store.write(tables, "notes", uid, {}, self.clock.now_ms(), spelling=uid)
            raise

    patch.setattr(api.GoApi, "_entity", entity)


def _foreign_delete_ends(patch: Patch) -> None:
    real = service.Service._own

    def own(self: service.Service, user: Any, session_id: str) -> sessions.Session:
        try:
            return real(self, user, session_id)
        except Refused:
            session = self._sessions.find(session_id)
            if session is not None:
                self._sessions.end(session)
            raise

    patch.setattr(service.Service, "_own", own)


def _bad_confirm_ends(patch: Patch) -> None:
    real = service.Service.wipe

    def wipe(self: service.Service, call: Call, user: Any, tenant: str) -> Response:
        try:
            return real(self, call, user, tenant)
        except Refused:
            self._sessions.drop(user)
            raise

    patch.setattr(service.Service, "wipe", wipe)


def _not_stored(*verbs: str, but: str = "") -> Callable[[Patch], None]:
    """Answer a write as if it were done, and keep the row that there was."""
    real = entities.Entities._write

    def write(self: Any, ask: Any, uid: str, payload: Any, verb: str, **named: Any) -> Response:
        old = ask.table.rows.get(uid)
        found = real(self, ask, uid, payload, verb, **named)
        if verb in verbs and ask.entity.plural != but:
            ask.table.put(old)
        return found

    return lambda patch: patch.setattr(entities.Entities, "_write", write)


def _label_of_note(patch: Patch) -> None:
    real = entities.EntityCall.refused

    def refused(self: entities.EntityCall, status: int, message: str) -> Refused:
        if status == 404 and self.call.request.method != "GET":
            message = "note not found"
        return real(self, status, message)

    patch.setattr(entities.EntityCall, "refused", refused)


def _replaced(pattern: bytes, new: bytes) -> Callable[[Response], None]:
    def edit(answer: Response) -> None:
        answer.body = re.sub(pattern, new, answer.body)

    return edit


def _big_without_newline(answer: Response) -> None:
    if len(answer.body) > _CHUNKED_BYTES:
        no_newline(answer)


def _added(name: bytes, value: bytes) -> Callable[[Response], None]:
    return lambda answer: answer.headers.append((name, value))


def _random_user(patch: Patch) -> None:
    real = sessions.Session.to_json

    def to_json(self: sessions.Session) -> str:
        return real(self).replace(self.user.id, str(uuid.uuid4()))

    patch.setattr(sessions.Session, "to_json", to_json)


def _rate_header(name: bytes, value: Callable[[float, int], int]) -> Callable[[Patch], None]:
    real = rate._headers

    def headers(tokens: float, now_ns: int) -> list[tuple[bytes, bytes]]:
        text = b"%d" % value(tokens, now_ns)
        return [(n, text if n == name else v) for n, v in real(tokens, now_ns)]

    return lambda patch: patch.setattr(rate, "_headers", headers)


def _admitting(change: Callable[[Any, Call, Any, Refused | None], None]) -> Callable[[Patch], None]:
    """Let `change` see every call at the limiter, with its refusal, before that is raised."""
    real = rate.RateLimit.admit

    def admit(self: rate.RateLimit, call: Call, user: Any) -> None:
        refusal = None
        try:
            real(self, call, user)
        except Refused as refused:
            refusal = refused
        change(self, call, user, refusal)
        if refusal is not None and not call.extra[-1][0] == b"Waived":
            raise refusal

    return lambda patch: patch.setattr(rate.RateLimit, "admit", admit)


def _waived_for_delta(_: Any, call: Call, __: Any, refusal: Refused | None) -> None:
    if refusal is not None and "/sync/" in call.request.target:
        call.extra.append((b"Waived", b"1"))


def _retry_after_early(self: Any, call: Call, user: Any, refusal: Refused | None) -> None:
    if refusal is None and self._buckets[user].tokens < 20:
        call.extra.append((b"Retry-After", b"1"))


def _refusal_is_free(patch: Patch) -> None:
    real = api.GoApi._entity

    def entity(self: api.GoApi, call: Call, user: Any, route: Any, operation: str) -> Response:
        try:
            return real(self, call, user, route, operation)
        except Refused:
            self._rates[route.gate]._buckets[user].tokens += 1
            raise

    patch.setattr(api.GoApi, "_entity", entity)


def _order_of_creation(patch: Patch) -> None:
    def after(self: store.Table, position: store.Position | None) -> list[store.Row]:
        return [row for row in self.rows.values() if position is None or row.position > position]

    patch.setattr(store.Table, "after", after)


def _reversed_behind_the_first(patch: Patch) -> None:
    real = store.Table.after

    def after(self: store.Table, position: store.Position | None) -> Any:
        rows = list(real(self, position))
        return iter(rows[:1] + rows[:0:-1])

    patch.setattr(store.Table, "after", after)


def _cut_cursor_ends(patch: Patch) -> None:
    real = lists.cursor_position
    patch.setattr(lists, "cursor_position", lambda text: real(text) or real(text + "E"))


def _wipe_counts(patch: Patch, count: Callable[[str, store.Table], int]) -> None:
    def wipe(self: store.Store, user: Any, tenant: str | None = None) -> dict[str, int]:
        found = dict.fromkeys((entity.singular for entity in ENTITIES), 0)
        for tables in self._tables.pop(user, {}).values():
            for entity in ENTITIES:
                found[entity.singular] += count(entity.plural, tables[entity.plural])
        return found

    patch.setattr(store.Store, "wipe", wipe)


def _wipe_leaves_tasks(patch: Patch) -> None:
    real = store.Store.wipe

    def wipe(self: store.Store, user: Any, tenant: str | None = None) -> dict[str, int]:
        kept = self.tables(user, "")["tasks"]
        found = real(self, user, tenant)
        self.tables(user, "")["tasks"] = kept
        return found

    patch.setattr(store.Store, "wipe", wipe)


_OLD = rb"\g<1>2001-01-01T00:00:00Z\g<2>"
_NULLS = _replaced(rb'("epoch":\d+)\}', rb'\1,"lastWipeAt":null}')
_OTHER_ID = _replaced(rb'"id":"[^"]{8}', b'"id":"00000000')
_OTHER_UID = _replaced(rb'("deletedAt":"[^"]*","uid":")[^"]{8}', rb"\g<1>00000000")

STATE_BREAKS = (
    Break(
        "deletedAt of a 410 is another",
        edited(entities, "json_answer", _replaced(rb'("deletedAt":")[^"]*(","error")', _OLD)),
        ("after-delete-its-time-stays",),
    ),
    Break(
        "createdAt is another",
        edited(service.Service, "begin_session", _replaced(rb'(createdAt":")[^"]*(")', _OLD)),
        ("flow-begin-session",),
    ),
    Break(
        "serverTime is another",
        edited(service.Service, "info", _replaced(rb'(serverTime":")[^"]*(")', _OLD)),
        ("tenant-not-needed-on-info",),
    ),
    Break(
        "a stale write is made", _refusal_writes(412), ("after-412-on-put", "after-412-on-patch")
    ),
    Break("an unknown action is a write", _refusal_writes(400), ("after-400-invalid-action",)),
    Break("a second DELETE is a write", _gone_writes, ("after-410-on-delete", "after-410-on-put")),
    Break("a GET is a write", _get_writes, ("after-get",)),
    Break(
        "a stale epoch and a 429 create",
        _stale_epoch_creates,
        ("after-409-on-create", "rate-writes-nothing"),
    ),
    Break(
        "a foreign DELETE ends a session", _foreign_delete_ends, ("after-403-on-delete-session",)
    ),
    Break(
        "a bad confirm ends sessions",
        _bad_confirm_ends,
        ("after-wipe-not-confirmed", "after-wipe-without-body"),
    ),
    Break(
        "process and archive are not stored",
        _not_stored("process", "archive", but="notes"),
        ("stored-task-process", "stored-chat-archive", "stored-message-process"),
    ),
    Break(
        "PUT and PATCH are not stored",
        _not_stored("update", "patch"),
        ("stored-note-put", "stored-comment-patch", "stored-chat-put", "stored-message-patch"),
    ),
    Break(
        "every label is that of notes",
        _label_of_note,
        ("uid-task-put-unknown", "uid-chat-archive-unknown", "uid-message-process-unknown"),
    ),
    Break(
        "DELETE names another uid",
        edited(entities, "json_answer", _OTHER_UID),
        ("flow-delete", "uid-task-delete", "comment-orphan-delete"),
    ),
    Break(
        "GET answers another session",
        edited(service.Service, "get_session", _OTHER_ID),
        ("flow-get-session", "session-get-own"),
    ),
    Break(
        "a user has a new id each time",
        _random_user,
        ("flow-begin-session", "flow-get-session", "scope-begin-session-under-other-tenant"),
    ),
    Break("20 tokens a second", constant(rate, "TOKENS_PER_SECOND", 20.0), ("rate-ten-a-second",)),
    Break("5 tokens a second", constant(rate, "TOKENS_PER_SECOND", 5.0), ("rate-ten-a-second",)),
    Break(
        "Reset is now",
        _rate_header(b"X-Ratelimit-Reset", lambda _, now_ns: now_ns // 10**9),
        ("rate-exhausted", "rate-on-pull"),
    ),
    Break(
        "Remaining is always 7",
        _rate_header(b"X-Ratelimit-Remaining", lambda *_: 7),
        ("rate-exhausted", "rate-tokens-are-counted"),
    ),
    Break("push and pull are not limited", _admitting(_waived_for_delta), ("rate-burst-on-pull",)),
    Break("Retry-After comes early", _admitting(_retry_after_early), ("rate-refills",)),
    Break("a refusal is free", _refusal_is_free, ("rate-tokens-are-counted",)),
    Break("a list is in order of creation", _order_of_creation, ("list-oldest-updated-first",)),
    Break(
        "a list is turned round behind its first item",
        _reversed_behind_the_first,
        ("list-default", "list-limit-1000"),
    ),
    Break("a cut cursor counts", _cut_cursor_ends, ("list-cursor-cut-short",)),
    Break(
        "no newline behind big lists",
        edited(entities.Entities, "list", _big_without_newline),
        ("list-default", "list-second-page"),
    ),
    Break(
        "no newline behind big items",
        edited(entities, "_item", _big_without_newline),
        ("size-1-mib", "size-20000-keys", "text-chunked-from-2-kb", "body-create-depth-9000"),
    ),
    Break(
        "tombstones lose their time in lists",
        edited(entities.Entities, "list", _replaced(b'"deletedAt"', b'"removedAt"')),
        ("list-include-deleted-true",),
    ),
    Break(
        "all correlation ids are one",
        constant(api, "_correlation_id", lambda: "same"),
        ("tenant-triple-replayed", "after-get"),
    ),
    Break(
        "two correlation ids",
        edited(api.GoApi, "respond", _added(b"X-Correlation-Id", b"other")),
        ("flow-create", "route-404-unknown-path"),
    ),
    Break(
        "a header that was never seen",
        edited(api.GoApi, "respond", _added(b"Server", b"go")),
        ("flow-create", "route-404-unknown-path", "session-missing"),
    ),
    Break(
        "state says null before a wipe",
        edited(service.Service, "state", _NULLS),
        ("epoch-state-before-any-wipe",),
    ),
    Break(
        "a wipe counts notes alone",
        lambda patch: _wipe_counts(patch, lambda name, t: len(t.rows) * (name == "notes")),
        ("wipe-counts-every-entity",),
    ),
    Break(
        "a wipe counts what lives",
        lambda patch: _wipe_counts(patch, lambda _, t: sum(map(bool, map(t.live, t.rows)))),
        ("wipe-counts-tombstones",),
    ),
    Break("a wipe leaves tasks", _wipe_leaves_tasks, ("wipe-leaves-no-tasks",)),
    Break(
        "pull hides deletions",
        edited(delta.Delta, "pull", _replaced(rb'"deletes":\[.*?\]', b'"deletes":[]')),
        ("delta-pull-deletes",),
    ),
)
