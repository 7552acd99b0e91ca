"""Ways in which the mock's items, lists and texts can be wrong, and who notices."""

import json
import re
from typing import Any

from support.contract_breaks_base import Break, Patch, constant, edited, no_newline, status, without
from toolbridge_contract.mock import (
    api,
    entities,
    gojson,
    golang,
    lists,
    service,
    store,
)
from toolbridge_contract.mock.messages import Refused, Response


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


def _nothing_behind_a_body(patch: Patch) -> None:
    def decode(body: bytes) -> Any:
        return gojson.decode_whole(body)

    patch.setattr(gojson, "decode", decode)


def _exact_numbers(patch: Patch) -> None:
    patch.setattr(gojson, "_PLAIN", json.JSONDecoder())


_KEPT = ("flow-create", "body-create-float-1.0")

ITEM_BREAKS = (
    Break(
        "text without a newline",
        edited(api, "text_answer", no_newline),
        ("route-404-unknown-path", "tenant-all-missing"),
    ),
    Break(
        "JSON without a newline",
        edited(entities, "json_answer", no_newline),
        ("flow-delete", "flow-get-deleted"),
    ),
    Break(
        "no nosniff",
        edited(api, "text_answer", without(b"X-Content-Type-Options")),
        ("route-404-unknown-path", "tenant-all-missing"),
    ),
    Break(
        "no Content-Type on errors",
        edited(entities, "error_answer", without(b"Content-Type")),
        ("uid-get-invalid", "uid-get-unknown"),
    ),
    Break("Allow in one line", edited(api, "empty_answer", _joined_allow), ("route-405-put-list",)),
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
    Break("no sync in the payload", _no_sync_in_payload, _KEPT),
    Break("404 in place of 410", _gone_is_404, ("flow-get-deleted", "uid-put-deleted")),
    Break(
        "If-Match is not looked at",
        constant(entities, "if_match", lambda _: None),
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
        "HTML is not escaped",
        constant(gojson, "_ESCAPES", []),
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
        "100 items by default",
        constant(lists, "DEFAULT_LIMIT", 100),
        ("list-default", "list-limit-text"),
    ),
    Break(
        "no cap on a page",
        constant(lists, "MAX_LIMIT", 5000),
        ("list-limit-5000", "list-limit-1001"),
    ),
    Break(
        "400 for a parent that is not there",
        status(entities, "error_answer", 500, 400),
        ("comment-parent-uid-unknown", "message-chat-deleted", "body-create-nul-in-value"),
    ),
    Break(
        "info without its hints",
        constant(service, "_INFO_AFTER", service._INFO_AFTER.replace(',"hints"', ',"hint"')),
        ("tenant-not-needed-on-info", "info-needs-no-auth"),
    ),
)
