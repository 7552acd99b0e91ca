"""Ways in which a mock of the Go API can be wrong, and the cases that notice each."""

import hashlib
import json
import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from toolbridge_contract import signing
from toolbridge_contract.mock import (
    api,
    client,
    connection,
    entities,
    epoch,
    gojson,
    golang,
    jwt_gate,
    lists,
    messages,
    rate,
    service,
    sessions,
    store,
    tenant_gate,
)
from toolbridge_contract.mock.messages import Call, Refused, Request, Response
from toolbridge_contract.signing import Rejection

Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class Break:
    """One fault put into the mock, and the ids of cases that must differ."""

    name: str
    apply: Callable[[Patch], None]
    noticed_by: tuple[str, ...]
    options: tuple[tuple[str, Any], ...] = ()


def _constant(module: Any, name: str, value: object) -> Callable[[Patch], None]:
    return lambda patch: patch.setattr(module, name, value)


def _any_signature(patch: Patch) -> None:
    real = tenant_gate.judge

    def judge(request: Request, secret: str, now_ns: int) -> Rejection | None:
        found = real(request, secret, now_ns)
        return None if found is Rejection.SIGNATURE else found

    patch.setattr("toolbridge_contract.mock.api.judge", judge)


def _any_case_of_hex(patch: Patch) -> None:
    real = signing.verify
    patch.setattr(
        tenant_gate,
        "verify",
        lambda t, s, mac, secret, now: real(t, s, mac and mac.lower(), secret, now),
    )


def _seconds_too(patch: Patch) -> None:
    real = golang.parse_int

    def parse(text: str) -> Any:
        found = real(text)
        return found._replace(value=found.value * 1000) if len(text) == 10 else found

    patch.setattr(signing, "parse_int", parse)


def _tenant_gate_first(patch: Patch) -> None:
    def identify(self: api.GoApi, call: Call) -> Any:
        now_ns = self.clock.now_ns()
        if tenant_gate.judge(call.request, self.tenant_secret, now_ns) is not None:
            raise Refused(messages.text_answer(401, "Unauthorized: invalid tenant headers"))
        return self.users.get(self._jwt.subject(call.headers.get(b"authorization"), now_ns))

    patch.setattr(api.GoApi, "_identify", identify)


def _epoch_before_rate(patch: Patch) -> None:
    real = rate.RateLimit.admit

    def admit(self: rate.RateLimit, call: Call, user: Any) -> None:
        epoch.admit(call, user)
        real(self, call, user)

    patch.setattr(rate.RateLimit, "admit", admit)


def _status(module: Any, name: str, old: int, new: int) -> Callable[[Patch], None]:
    """Answer `new` where `module` would answer `old` by its function `name`."""
    real = getattr(module, name)

    def answer(status: int, *arguments: Any) -> Response:
        found: Response = real(new if status == old else status, *arguments)
        return found

    return lambda patch: patch.setattr(module, name, answer)


def _edited(owner: Any, name: str, edit: Callable[[Response], None]) -> Callable[[Patch], None]:
    """Change what the function or method `name` of `owner` answers."""
    real = getattr(owner, name)

    def answer(*arguments: Any, **named: Any) -> Response:
        found: Response = real(*arguments, **named)
        edit(found)
        return found

    return lambda patch: patch.setattr(owner, name, answer)


def _no_newline(answer: Response) -> None:
    answer.body = answer.body.removesuffix(b"\n")


def _without(header: bytes) -> Callable[[Response], None]:
    def edit(answer: Response) -> None:
        answer.headers[:] = [pair for pair in answer.headers if pair[0] != header]

    return edit


def _joined_allow(answer: Response) -> None:
    names = [value for name, value in answer.headers if name == b"Allow"]
    if names:
        answer.headers[:] = [(b"Allow", b", ".join(names))]


def _include_deleted_ignored(patch: Patch) -> None:
    patch.setattr(entities, "parse_query", lambda _: {})


def _no_cursor_at_the_end(patch: Patch) -> None:
    real = lists._page

    def page(table: Any, query: str) -> bytes:
        found = real(table, query)
        size = lists.limit(golang.parse_query(query).get("limit", ""))
        if found.count(b'"updatedAt"') < size:
            found = re.sub(rb',"nextCursor":"[^"]*"', b"", found)
        return found

    patch.setattr(lists, "_page", page)


def _bucket_per_entity(patch: Patch) -> None:
    real = rate.RateLimit.admit

    def admit(self: rate.RateLimit, call: Call, user: Any) -> None:
        real(self, call, (user, call.request.target.split("/")[2].partition("?")[0]))  # type: ignore[arg-type]

    patch.setattr(rate.RateLimit, "admit", admit)


def _bearer_in_any_case(patch: Patch) -> None:
    real = jwt_gate.JwtGate.subject

    def subject(self: jwt_gate.JwtGate, value: str | None, now_ns: int) -> str:
        if value is not None and value[:7].lower() == "bearer ":
            value = "Bearer " + value[7:]
        return real(self, value, now_ns)

    patch.setattr(jwt_gate.JwtGate, "subject", subject)


def _leeway(patch: Patch) -> None:
    real = jwt_gate._in_time
    patch.setattr(jwt_gate, "_in_time", lambda token, now: real(token, now - 60 * 10**9))


def _missing_epoch_passes(patch: Patch) -> None:
    real = epoch.admit
    patch.setattr(
        epoch, "admit", lambda call, user: b"x-sync-epoch" in call.headers and real(call, user)
    )


def _no_sync_in_payload(patch: Patch) -> None:
    real = store._item

    def item(*arguments: Any) -> bytes:
        return re.sub(rb'"sync":\{[^}]*\},', b"", real(*arguments))

    patch.setattr(store, "_item", item)


def _gone_is_404(patch: Patch) -> None:
    def gone(ask: entities.EntityCall, row: store.Row, what: str) -> Refused:
        return ask.refused(404, f"{ask.entity.label} not found")

    patch.setattr(entities, "_gone", gone)


def _bad_if_match_is_refused(patch: Patch) -> None:
    real = entities.if_match
    patch.setattr(entities, "if_match", lambda text: real(text) if not text else (real(text) or -9))


def _deep_patch(patch: Patch) -> None:
    real = entities.Entities._write

    def write(self: Any, ask: Any, uid: str, payload: Any, verb: str, **named: Any) -> Response:
        old = ask.table.rows.get(uid)
        if verb == "patch" and old is not None:
            for key, value in payload.items():
                if isinstance(value, dict) and isinstance(old.payload.get(key), dict):
                    payload[key] = old.payload[key] | value
        return real(self, ask, uid, payload, verb, **named)

    patch.setattr(entities.Entities, "_write", write)


def _create_conflicts(patch: Patch) -> None:
    real = entities.Entities._write

    def write(self: Any, ask: Any, uid: str, payload: Any, verb: str, **named: Any) -> Response:
        if verb == "create" and uid in ask.table.rows:
            raise ask.refused(409, "already exists")
        return real(self, ask, uid, payload, verb, **named)

    patch.setattr(entities.Entities, "_write", write)


def _use_extends_sessions(patch: Patch) -> None:
    real = sessions.Sessions.find

    def find(self: sessions.Sessions, session_id: str) -> sessions.Session | None:
        found = real(self, session_id)
        if found is not None:
            found.expires_ns = self._clock.now_ns() + 1800 * 10**9
        return found

    patch.setattr(sessions.Sessions, "find", find)


def _one_session_per_user(patch: Patch) -> None:
    real = sessions.Sessions.begin

    def begin(self: sessions.Sessions, user: Any) -> sessions.Session:
        self.drop(user)
        return real(self, user)

    patch.setattr(sessions.Sessions, "begin", begin)


def _wipe_keeps_sessions(patch: Patch) -> None:
    patch.setattr(sessions.Sessions, "drop", lambda self, user: 0)


def _nothing_behind_a_body(patch: Patch) -> None:
    def decode(body: bytes) -> Any:
        return gojson.decode_whole(body)

    patch.setattr(gojson, "decode", decode)


def _exact_numbers(patch: Patch) -> None:
    patch.setattr(gojson, "_PLAIN", json.JSONDecoder())


def _correlation_not_echoed(patch: Patch) -> None:
    real = api._call

    def call(request: Request, query: str) -> Call:
        found = real(request, query)
        found.correlation_id = "generated"
        return found

    patch.setattr(api, "_call", call)


def _last_header_wins(patch: Patch) -> None:
    real = messages.first_values
    patch.setattr(messages, "first_values", lambda headers: real(headers[::-1]))


def _retry_after_missing(patch: Patch) -> None:
    real = api.GoApi.respond

    def respond(self: api.GoApi, request: Request) -> Response:
        found = real(self, request)
        _without(b"Retry-After")(found)
        return found

    patch.setattr(api.GoApi, "respond", respond)


_KEPT = ("flow-create", "body-create-float-1.0")

BREAKS = (
    Break(
        "any signature passes",
        _any_signature,
        (
            "tenant-signature-of-zeros",
            "tenant-signature-by-another-secret",
            "tenant-signature-for-another-tenant",
            "tenant-timestamp-altered",
        ),
    ),
    Break("hex in any case passes", _any_case_of_hex, ("tenant-signature-upper-case",)),
    Break(
        "the window is 600 s",
        _constant(signing, "MAX_SKEW_SECONDS", 600.0),
        ("tenant-past-301s", "tenant-future-301s", "tenant-past-300.2s", "tenant-future-300.3s"),
    ),
    Break(
        "the window is 299.5 s",
        _constant(signing, "MAX_SKEW_SECONDS", 299.5),
        ("tenant-past-299.9s", "tenant-future-299.9s"),
    ),
    Break("a timestamp in seconds passes", _seconds_too, ("tenant-timestamp-in-seconds",)),
    Break(
        "tenant headers are looked at before the JWT",
        _tenant_gate_first,
        ("jwt-before-tenant", "jwt-user-before-tenant-on-notes"),
    ),
    Break("the epoch is looked at before the rate", _epoch_before_rate, ("rate-before-epoch",)),
    Break(
        "409 in place of 428",
        _status(sessions, "error_answer", 428, 409),
        ("session-missing", "session-unknown", "wipe-ends-its-own-session"),
    ),
    Break(
        "401 in place of 403 for a foreign session",
        _status(sessions, "error_answer", 403, 401),
        ("session-foreign",),
    ),
    Break(
        "text without a newline",
        _edited(api, "text_answer", _no_newline),
        ("route-404-unknown-path", "tenant-all-missing"),
    ),
    Break(
        "JSON without a newline",
        _edited(entities, "json_answer", _no_newline),
        ("flow-delete", "flow-get-deleted"),
    ),
    Break(
        "no nosniff",
        _edited(api, "text_answer", _without(b"X-Content-Type-Options")),
        ("route-404-unknown-path", "tenant-all-missing"),
    ),
    Break(
        "no Content-Type on errors",
        _edited(entities, "error_answer", _without(b"Content-Type")),
        ("uid-get-invalid", "uid-get-unknown"),
    ),
    Break(
        "Allow in one line", _edited(api, "empty_answer", _joined_allow), ("route-405-put-list",)
    ),
    Break(
        "includeDeleted is ignored",
        _include_deleted_ignored,
        ("flow-get-include-deleted",),
    ),
    Break(
        "no nextCursor on the last page",
        _no_cursor_at_the_end,
        ("list-second-page", "list-include-deleted-true"),
    ),
    Break(
        "a bucket per entity", _bucket_per_entity, ("rate-shared-by-tasks", "rate-shared-by-chats")
    ),
    Break("no Retry-After", _retry_after_missing, ("rate-exhausted",)),
    Break("the burst is 100", _constant(rate, "BURST", 100), ("rate-burst",)),
    Break("the burst is 200", _constant(rate, "BURST", 200), ("rate-burst",)),
    Break("nothing comes back", _constant(rate, "TOKENS_PER_SECOND", 0.1), ("rate-refills",)),
    Break(
        "the burst is said to be 60",
        _constant(rate, "_BURST_HEADER", (b"X-Ratelimit-Burst", b"60")),
        ("flow-create", "rate-exhausted"),
    ),
    Break("bearer in any case", _bearer_in_any_case, ("jwt-lower-case-scheme",)),
    Break("60 s of leeway", _leeway, ("jwt-expired-1s",)),
    Break(
        "only HS256",
        _constant(jwt_gate, "_HASHES", {"HS256": hashlib.sha256}),
        ("jwt-hs384", "jwt-hs512"),
    ),
    Break(
        "a missing epoch passes",
        _missing_epoch_passes,
        ("epoch-missing", "epoch-missing-with-correlation-id"),
    ),
    Break("no sync in the payload", _no_sync_in_payload, _KEPT),
    Break("404 in place of 410", _gone_is_404, ("flow-get-deleted", "uid-put-deleted")),
    Break(
        "If-Match is not looked at",
        _constant(entities, "if_match", lambda _: None),
        ("flow-put-stale", "match-patch-stale", "match-put-negative"),
    ),
    Break(
        "an unparsable If-Match is refused",
        _bad_if_match_is_refused,
        ("match-put-star-ignored", "match-put-weak-ignored", "match-ignored-hexadecimal"),
    ),
    Break("PATCH merges deeply", _deep_patch, ("match-patch-is-shallow",)),
    Break(
        "a create conflicts",
        _create_conflicts,
        ("create-same-uid", "create-uid-of-deleted-undeletes"),
    ),
    Break(
        "tenants do not share rows",
        lambda _: None,
        ("scope-read-under-other-tenant", "scope-list-under-other-tenant"),
        (("tenant_scoped", True),),
    ),
    Break(
        "use extends a session",
        _use_extends_sessions,
        ("expiry-gone-at-31-minutes", "expiry-get-at-31-minutes"),
    ),
    Break(
        "sessions last an hour",
        _constant(sessions, "LIFETIME_SECONDS", 3600.0),
        ("session-lasts-30-minutes", "expiry-gone-at-31-minutes"),
    ),
    Break(
        "one session per user",
        _one_session_per_user,
        ("session-second-does-not-end-first",),
    ),
    Break(
        "a wipe keeps sessions",
        _wipe_keeps_sessions,
        ("wipe-ends-its-own-session", "wipe-ends-the-other-session"),
    ),
    Break(
        "HTML is not escaped",
        _constant(gojson, "_ESCAPES", []),
        ("body-create-html-characters", "process-action-html", "header-correlation-html"),
    ),
    Break(
        "nothing may follow a body",
        _nothing_behind_a_body,
        ("body-create-garbage-behind", "body-create-two-objects"),
    ),
    Break(
        "numbers are exact",
        _exact_numbers,
        ("body-create-integer-2-53-plus-1", "body-create-integer-of-20-digits"),
    ),
    Break(
        "the client's correlation id is not echoed",
        _correlation_not_echoed,
        ("header-correlation-twice", "correlation-on-404"),
    ),
    Break(
        "the last of repeated headers wins",
        _last_header_wins,
        ("header-authorization-twice-good-bad", "header-if-match-twice-bad-good"),
    ),
    Break(
        "100 items by default",
        _constant(lists, "DEFAULT_LIMIT", 100),
        ("list-default", "list-limit-text"),
    ),
    Break(
        "no cap on a page",
        _constant(lists, "MAX_LIMIT", 5000),
        ("list-limit-5000", "list-limit-1001"),
    ),
    Break(
        "400 for a parent that is not there",
        _status(entities, "error_answer", 500, 400),
        ("comment-parent-uid-unknown", "message-chat-deleted", "body-create-nul-in-value"),
    ),
    Break(
        "info without its hints",
        _constant(service, "_INFO_AFTER", service._INFO_AFTER.replace(',"hints"', ',"hint"')),
        ("tenant-not-needed-on-info", "info-needs-no-auth"),
    ),
)


# Faults of the server around the mock, seen on a socket only.
WIRE_BREAKS = (
    Break(
        "llhttp alone decides",
        lambda patch: patch.setattr("toolbridge_contract.mock.protocol.repair", lambda _: None),
        (
            "route-405-unknown-method",
            "route-405-lower-case-method",
            "header-content-length-twice-same",
        ),
    ),
    Break(
        "net/http refuses nothing",
        _constant(connection, "refuse", lambda _: None),
        (
            "header-host-twice",
            "header-host-missing",
            "route-header-of-1.1-mb",
            "expect-unknown",
        ),
    ),
    Break(
        "nothing left unread closes",
        _constant(connection, "closes", lambda _: False),
        ("size-trailing-spaces",),
    ),
    Break(
        "nothing is chunked",
        _constant(client, "_CHUNKED_ABOVE", 1 << 30),
        ("text-chunked-from-2-kb", "size-1-mib", "list-default"),
    ),
    Break(
        "everything is chunked",
        _constant(client, "_CHUNKED_ABOVE", 0),
        ("text-of-1-kb-has-a-length", "flow-create"),
    ),
    Break(
        "paths are resolved",
        lambda patch: patch.setattr(
            "toolbridge_contract.mock.routes.routing_path", lambda raw: posixpath.normpath(raw)
        ),
        ("uid-dot-dot-not-resolved", "uid-dot-segments", "route-404-trailing-slash"),
    ),
)
