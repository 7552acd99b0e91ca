"""Rows: versions, soft deletes, and the order that lists and cursors walk."""

import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from toolbridge_contract.mock import gojson
from toolbridge_contract.mock.golang import parse_uuid, rfc3339
from toolbridge_contract.mock.users import User
from toolbridge_contract.tools import ENTITIES

_NS_PER_MS = 1_000_000
# PostgreSQL's limit for one jsonb string; the observed 270 MiB field is above it.
_MAX_JSON_BYTES = 0x0FFFFFFF

Position = tuple[int, str]
Payload = dict[str, Any]

# What an entity's payload must point at: the field with the uid, the field that picks the
# collection (None: always the same), and the collections by its value.
_PARENTS: dict[str, tuple[str, str | None, dict[str | None, str]]] = {
    "comments": ("parentUid", "parentType", {"note": "notes", "task": "tasks"}),
    "chat_messages": ("chatUid", None, {None: "chats"}),
}


class WriteFailed(Exception):
    """The database refuses the row; the API says 500."""


@dataclass(slots=True)
class Row:
    """One item; `item` is its JSON without the newline."""

    uid: str
    version: int
    updated_ms: int
    deleted_ms: int | None
    payload: Payload
    item: bytes

    @property
    def deleted_at(self) -> str:
        """Return the time of deletion as the API prints it."""
        return millis(self.deleted_ms or 0)

    @property
    def position(self) -> Position:
        """Return the place in the list order."""
        return (self.updated_ms, self.uid)


class Table:
    """The rows of one entity of one user, oldest-updated first.

    `pages` keeps list answers by query until the next write.
    """

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.pages: dict[str, bytes] = {}
        self._order: list[Position] = []

    def put(self, row: Row) -> None:
        """Insert or replace."""
        self.pages.clear()
        old = self.rows.get(row.uid)
        if old is not None:
            del self._order[bisect.bisect_left(self._order, old.position)]
        bisect.insort(self._order, row.position)
        self.rows[row.uid] = row

    def live(self, uid: str) -> Row | None:
        """Return a row that is not deleted."""
        row = self.rows.get(uid)
        return row if row is not None and row.deleted_ms is None else None

    def after(self, position: Position | None) -> Iterator[Row]:
        """Walk the rows past a position."""
        start = 0 if position is None else bisect.bisect_right(self._order, position)
        for index in range(start, len(self._order)):
            yield self.rows[self._order[index][1]]


Tables = dict[str, Table]


class Store:
    """Every user's tables; by tenant as well when `tenant_scoped`."""

    def __init__(self, *, tenant_scoped: bool) -> None:
        self._tenant_scoped = tenant_scoped
        self._tables: dict[User, dict[str, Tables]] = {}

    def tables(self, user: User, tenant: str) -> Tables:
        """Return the user's tables by collection name."""
        scopes = self._tables.setdefault(user, {})
        scope = tenant if self._tenant_scoped else ""
        if scope not in scopes:
            scopes[scope] = {entity.plural: Table() for entity in ENTITIES}
        return scopes[scope]

    def wipe(self, user: User, tenant: str | None = None) -> dict[str, int]:
        """Drop the user's rows (of one tenant, when rows are so scoped); return counts by kind."""
        scopes = self._tables.get(user, {})
        names = list(scopes) if tenant is None or not self._tenant_scoped else [tenant]
        dropped = [scopes.pop(name) for name in names if name in scopes]
        return {
            entity.singular: sum(len(tables[entity.plural].rows) for tables in dropped)
            for entity in ENTITIES
        }


def millis(ms: int) -> str:
    """Format unix milliseconds."""
    return rfc3339(ms * _NS_PER_MS)


def write(
    tables: Tables, plural: str, uid: str, payload: Payload, now_ms: int, *, spelling: object
) -> Row:
    """Store `payload` as the next version of `uid`; raises WriteFailed.

    `payload` is kept, so the caller passes one of its own; `spelling` becomes `payload.uid`.
    """
    if not has_parent(tables, plural, payload):
        raise WriteFailed
    table = tables[plural]
    old = table.rows.get(uid)
    version = old.version + 1 if old is not None else 1
    row = _render(uid, version, now_ms, payload, spelling)
    table.put(row)
    return row


def soft_delete(table: Table, old: Row, now_ms: int) -> Row:
    """Mark a row deleted, as its next version; parents are not looked at."""
    payload = dict(old.payload)
    row = _render(old.uid, old.version + 1, now_ms, payload, payload["uid"], deleted_ms=now_ms)
    table.put(row)
    return row


def push(
    table: Table,
    uid: str,
    payload: Payload,
    version: int,
    updated_ms: int,
    deleted_ms: int | None,
) -> Row:
    """Store a pushed payload as sent when it is newer than the row; return the row as it is."""
    old = table.rows.get(uid)
    if old is not None:
        if updated_ms <= old.updated_ms:
            return old
        version = old.version + 1
    item = _item(uid, version, millis(updated_ms), deleted_ms, gojson.encode(payload))
    row = Row(uid, version, updated_ms, deleted_ms, payload, item)
    table.put(row)
    return row


def _render(
    uid: str,
    version: int,
    now_ms: int,
    payload: Payload,
    spelling: object,
    *,
    deleted_ms: int | None = None,
) -> Row:
    updated = millis(now_ms)
    payload["uid"] = spelling
    payload["updatedTs"] = updated
    payload["sync"] = {"isDeleted": False, "version": version}
    if deleted_ms is not None:
        payload["sync"] = {"deletedAt": updated, "isDeleted": True, "version": version}
    encoded = gojson.encode(payload)
    if gojson.has_nul(encoded) or len(encoded) > _MAX_JSON_BYTES:
        raise WriteFailed
    item = _item(uid, version, updated, deleted_ms, encoded)
    return Row(uid, version, now_ms, deleted_ms, payload, item)


def _item(uid: str, version: int, updated: str, deleted_ms: int | None, encoded: str) -> bytes:
    deleted = f'"deletedAt":"{millis(deleted_ms)}",' if deleted_ms is not None else ""
    return gojson.to_bytes(
        f'{{"uid":"{uid}","version":{version},"updatedAt":"{updated}",{deleted}'
        f'"payload":{encoded}}}'
    )


def has_parent(tables: Tables, plural: str, payload: Payload) -> bool:
    """Say whether the live parent that an entity's payload must point at is there."""
    rule = _PARENTS.get(plural)
    if rule is None:
        return True
    uid_field, kind_field, collections = rule
    kind = payload.get(kind_field) if kind_field is not None else None
    collection = collections.get(kind) if isinstance(kind, str | None) else None
    text = payload.get(uid_field)
    uid = parse_uuid(text) if isinstance(text, str) else None
    return collection is not None and uid is not None and tables[collection].live(uid) is not None
