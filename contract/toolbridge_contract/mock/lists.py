"""List parameters: limit, cursor and includeDeleted, none of which is ever refused."""

import base64
import binascii
import re

from toolbridge_contract.mock.golang import parse_int, parse_query, parse_uuid
from toolbridge_contract.mock.store import Position, Row, Table

DEFAULT_LIMIT = 500
MAX_LIMIT = 1000
# A load test lists the same few pages over and over; big ones are not worth the memory.
_KEPT_PAGES = 8
_KEPT_BYTES = 64 * 1024

_BASE64URL = re.compile(r"[A-Za-z0-9_-]+\Z")


def page(table: Table, query: str) -> bytes:
    """Return the list answer, without its newline, for a raw query string."""
    kept = table.pages.get(query)
    if kept is not None:
        return kept
    answer = _page(table, query)
    if len(answer) <= _KEPT_BYTES and len(table.pages) < _KEPT_PAGES:
        table.pages[query] = answer
    return answer


def _page(table: Table, query: str) -> bytes:
    values = parse_query(query)
    size = limit(values.get("limit", ""))
    deleted_too = values.get("includeDeleted") == "true"
    rows: list[Row] = []
    for row in table.after(cursor_position(values.get("cursor", ""))):
        if deleted_too or row.deleted_ms is None:
            rows.append(row)
            if len(rows) == size:
                break
    if not rows:
        return b'{"items":[]}'
    items = b",".join([row.item for row in rows])
    return b'{"items":[%b],"nextCursor":"%b"}' % (items, cursor(rows[-1].position).encode())


def limit(text: str) -> int:
    """Return the page size: 500 unless a positive integer is given, never more than 1000."""
    parsed = parse_int(text)
    if not parsed.exact or parsed.value <= 0:
        return DEFAULT_LIMIT
    return min(parsed.value, MAX_LIMIT)


def cursor(position: Position) -> str:
    """Return the cursor for a position: unpadded base64url of `ms|uuid`."""
    return base64.urlsafe_b64encode(f"{position[0]}|{position[1]}".encode()).decode().rstrip("=")


def cursor_position(text: str) -> Position | None:
    """Return the position of a cursor; None, the start, for one that cannot be read."""
    if _BASE64URL.match(text) is None:
        return None
    try:
        decoded = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, ValueError):
        return None
    ms, separator, uid_text = decoded.partition("|")
    parsed, uid = parse_int(ms), parse_uuid(uid_text)
    if not separator or not parsed.exact or uid is None:
        return None
    return (parsed.value, uid)
