"""Delta sync: push and pull of one entity, where the newer `updatedTs` wins."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from toolbridge_contract.mock import gojson, lists, store
from toolbridge_contract.mock.clock import Clock
from toolbridge_contract.mock.entities import EntityCall
from toolbridge_contract.mock.golang import parse_int, parse_query, parse_uuid
from toolbridge_contract.mock.messages import JSON_TYPE, Refused, Response, json_answer
from toolbridge_contract.mock.store import millis

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)\Z")
_TIME_FIELDS = ("updatedTs", "updatedAt", "updateTime")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Rejected(Exception):
    """An item that is not stored; the text goes into its acknowledgement."""


@dataclass(frozen=True, slots=True)
class _Item:
    """What an item says about itself; times are unix ms."""

    uid: str
    version: int
    updated_ms: int
    deleted_ms: int | None


class Delta:
    """Handlers by operation name; each takes an EntityCall and returns the answer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def push(self, ask: EntityCall) -> Response:
        """POST: store items as sent; one acknowledgement each, all or nothing on a NUL."""
        items = _items(ask)
        if any(gojson.has_nul(gojson.encode(item)) for item in items):
            return json_answer(500, f"[{_ack(error='commit failed')}]")
        acks = [self._push(ask, item) for item in items]
        return json_answer(200, f"[{','.join(acks)}]")

    def _push(self, ask: EntityCall, payload: dict[str, Any]) -> str:
        item = None
        try:
            item = _read(payload, self._clock.now_ms())
            if item.deleted_ms is None:
                _check_parent(ask, payload)
        except Rejected as error:
            return _ack(item, str(error))
        row = store.push(
            ask.table, item.uid, payload, item.version, item.updated_ms, item.deleted_ms
        )
        return _ack(_Item(row.uid, row.version, row.updated_ms, None))

    def pull(self, ask: EntityCall) -> Response:
        """GET: payloads past a cursor, deleted items as uid and time."""
        values = parse_query(ask.call.query)
        size = lists.limit(values.get("limit", ""))
        walk = ask.table.after(lists.cursor_position(values.get("cursor", "")))
        rows = [row for row, _ in zip(walk, range(size), strict=False)]
        upserts = [gojson.encode(row.payload) for row in rows if row.deleted_ms is None]
        deletes = [
            f'{{"deletedAt":"{row.deleted_at}","uid":"{row.uid}"}}'
            for row in rows
            if row.deleted_ms is not None
        ]
        more = f',"nextCursor":"{lists.cursor(rows[-1].position)}"' if rows else ""
        text = f'{{"upserts":[{",".join(upserts)}],"deletes":[{",".join(deletes)}]{more}}}'
        return Response(200, [JSON_TYPE], gojson.to_bytes(text) + b"\n")


def _items(ask: EntityCall) -> list[dict[str, Any]]:
    """Return the `items` of a push; `null` is none, a null item an empty one."""
    invalid = Refused(json_answer(400, f"[{_ack(error='invalid json')}]"))
    try:
        body = gojson.decode(ask.call.read_body()) or {}
    except gojson.InvalidJson:
        raise invalid from None
    found: list[dict[str, Any]] = []
    for key, value in body.items():
        if key.lower() != "items" or value is None:
            continue
        if not isinstance(value, list) or not all(isinstance(i, dict | None) for i in value):
            raise invalid
        found = [item or {} for item in value]
    return found


def _read(payload: dict[str, Any], now_ms: int) -> _Item:
    text = payload.get("uid")
    uid = parse_uuid(text) if isinstance(text, str) else None
    if uid is None:
        raise Rejected("missing or invalid uid")
    times = (_time_ms(payload.get(name)) for name in _TIME_FIELDS)
    updated_ms = next((time for time in times if time), now_ms)
    sync = payload.get("sync")
    sync = sync if isinstance(sync, dict) else {}
    deleted_ms = None
    if sync.get("isDeleted") is True:
        deleted_ms = _time_ms(sync.get("deletedAt")) or updated_ms
    version = gojson.as_number(sync.get("version")) or 1
    return _Item(uid, max(int(version), 1), updated_ms, deleted_ms)


def _time_ms(value: object) -> int | None:
    """Return unix ms of RFC 3339 or of digits; None for anything else."""
    if not isinstance(value, str):
        return None
    if _RFC3339.match(value) is None:
        parsed = parse_int(value)
        return parsed.value if parsed.exact else None
    try:
        since = datetime.fromisoformat(value) - _EPOCH
    except ValueError:
        return None
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def _check_parent(ask: EntityCall, payload: dict[str, Any]) -> None:
    kind = payload.get("parentType")
    if ask.entity.plural == "comments" and kind not in ("note", "task"):
        if not isinstance(kind, str):
            raise Rejected("missing parentType")
        raise Rejected(f"invalid parent_type: {kind} (must be 'note' or 'task')")
    if not store.has_parent(ask.tables, ask.entity.plural, payload):
        raise Rejected("parent not found")


def _ack(item: _Item | None = None, error: str = "") -> str:
    uid, version, updated = "", 0, ""
    if item is not None:
        uid, version, updated = item.uid, item.version, millis(item.updated_ms)
    problem = f',"error":{gojson.quote(error)}' if error else ""
    return f'{{"uid":"{uid}","version":{version},"updatedAt":"{updated}"{problem}}}'
