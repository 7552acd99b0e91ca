"""The eight operations, once for all five entities."""

import uuid
from dataclasses import dataclass
from typing import Any

from toolbridge_contract.mock import gojson, lists, store
from toolbridge_contract.mock.clock import Clock
from toolbridge_contract.mock.golang import NIL_UUID, parse_int, parse_query, parse_uuid
from toolbridge_contract.mock.messages import (
    JSON_TYPE,
    Call,
    Panicked,
    Refused,
    Response,
    error_answer,
    json_answer,
)
from toolbridge_contract.mock.store import Row, Table, Tables
from toolbridge_contract.tools import Entity


@dataclass(slots=True)
class EntityCall:
    """A call that has passed the gates, with what it is about."""

    call: Call
    entity: Entity
    tables: Tables
    uid_text: str

    @property
    def table(self) -> Table:
        """Return the rows of the entity."""
        return self.tables[self.entity.plural]

    def refused(self, status: int, message: str) -> Refused:
        """Return a refusal in the common error shape."""
        return Refused(error_answer(status, message, self.call))


def if_match(header: str) -> int | None:
    """Return the version that an If-Match names; None when it cannot be read, and so is ignored.

    A decimal integer, bare or inside one pair of quotes.
    """
    if len(header) >= 2 and header[0] == header[-1] == '"':
        header = header[1:-1]
    parsed = parse_int(header)
    return parsed.value if parsed.exact else None


class Entities:
    """Handlers by operation name; each takes an EntityCall and returns the answer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def list(self, ask: EntityCall) -> Response:
        """GET on the collection."""
        return Response(200, [JSON_TYPE], lists.page(ask.table, ask.call.query) + b"\n")

    def get(self, ask: EntityCall) -> Response:
        """GET on an item."""
        row = _existing(ask, _uid(ask))
        if row.deleted_ms is not None and (
            parse_query(ask.call.query).get("includeDeleted") != "true"
        ):
            raise _gone(ask, row, "deleted")
        return _item(200, row)

    def create(self, ask: EntityCall) -> Response:
        """POST on the collection: an upsert when the body names a uid, undeleting too."""
        payload = _object(ask)
        if payload is None:
            raise Panicked
        spelling = payload.get("uid")
        uid = parse_uuid(spelling) if isinstance(spelling, str) else None
        if uid is None or uid == NIL_UUID:
            uid = spelling = str(uuid.uuid4())
        return self._write(ask, uid, payload, "create", spelling=spelling, status=201)

    def update(self, ask: EntityCall) -> Response:
        """PUT on an item: the payload is replaced."""
        row = _live(ask, _uid(ask))
        payload = _object(ask)
        if payload is None:
            raise Panicked
        _check_version(ask, row)
        return self._write(ask, row.uid, payload, "update", spelling=row.uid)

    def patch(self, ask: EntityCall) -> Response:
        """PATCH on an item: a shallow merge; null sets null, and a `null` body changes nothing."""
        row = _live(ask, _uid(ask))
        changes = _object(ask) or {}
        _check_version(ask, row)
        return self._write(
            ask, row.uid, row.payload | changes, "patch", spelling=row.payload["uid"]
        )

    def delete(self, ask: EntityCall) -> Response:
        """DELETE on an item: soft, without payload in the answer."""
        row = _existing(ask, _uid(ask))
        if row.deleted_ms is not None:
            raise _gone(ask, row, "already deleted")
        row = store.soft_delete(ask.table, row, self._clock.now_ms())
        at = row.deleted_at
        return json_answer(
            200,
            f'{{"deletedAt":"{at}","uid":"{row.uid}","updatedAt":"{at}","version":{row.version}}}',
        )

    def archive(self, ask: EntityCall) -> Response:
        """POST on an item's /archive; a body is not read."""
        row = _live(ask, _uid(ask))
        return self._apply(ask, row, ask.entity.archive, "archive")

    def process(self, ask: EntityCall) -> Response:
        """POST on an item's /process: the body is read before the item is looked up."""
        uid = _uid(ask)
        try:
            body = gojson.decode_struct(ask.call.read_body(), {"action": str, "metadata": dict})
        except gojson.InvalidJson as error:
            raise ask.refused(400, "invalid JSON") from error
        row = _live(ask, uid)
        action = body.get("action", "")
        changes = ask.entity.actions.get(action)
        if changes is None:
            raise ask.refused(400, f"invalid action: {action}")
        return self._apply(ask, row, changes, "process")

    def _apply(self, ask: EntityCall, row: Row, changes: dict[str, object], verb: str) -> Response:
        return self._write(ask, row.uid, row.payload | changes, verb, spelling=row.payload["uid"])

    def _write(
        self,
        ask: EntityCall,
        uid: str,
        payload: dict[str, Any],
        verb: str,
        *,
        spelling: object,
        status: int = 200,
    ) -> Response:
        try:
            row = store.write(
                ask.tables,
                ask.entity.plural,
                uid,
                payload,
                self._clock.now_ms(),
                spelling=spelling,
            )
        except store.WriteFailed as error:
            raise ask.refused(500, f"failed to {verb} {ask.entity.label}") from error
        return _item(status, row)


def _item(status: int, row: Row) -> Response:
    return Response(status, [JSON_TYPE], row.item + b"\n")


def _uid(ask: EntityCall) -> str:
    uid = parse_uuid(ask.uid_text)
    if uid is None:
        raise ask.refused(400, "invalid UID")
    return uid


def _existing(ask: EntityCall, uid: str) -> Row:
    row = ask.table.rows.get(uid)
    if row is None:
        raise ask.refused(404, f"{ask.entity.label} not found")
    return row


def _live(ask: EntityCall, uid: str) -> Row:
    row = _existing(ask, uid)
    if row.deleted_ms is not None:
        raise _gone(ask, row, "deleted")
    return row


def _gone(ask: EntityCall, row: Row, what: str) -> Refused:
    """Return the 410, the one error without a correlation id in its body."""
    text = f'{{"deletedAt":"{row.deleted_at}","error":"{ask.entity.label} {what}"}}'
    return Refused(json_answer(410, text))


def _object(ask: EntityCall) -> dict[str, Any] | None:
    try:
        return gojson.decode(ask.call.read_body())
    except gojson.InvalidJson as error:
        raise ask.refused(400, "invalid JSON") from error


def _check_version(ask: EntityCall, row: Row) -> None:
    wanted = if_match(ask.call.headers.get(b"if-match", ""))
    if wanted is not None and wanted != row.version:
        message = f"version mismatch: version mismatch: expected {wanted}, actual {row.version}"
        raise ask.refused(412, message)
