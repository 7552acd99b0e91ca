"""What the properties compare with: ids, cursors, versions and JSON as the Go API reads them."""

import base64
import json
import math
import re
import uuid
from typing import Any

from support.proxy_upstream import UID
from toolbridge_contract.tools import Entity, Operation

GO_INT64 = 2**63 - 1
UID_OPERATIONS: tuple[Operation, ...] = (
    "get",
    "update",
    "patch",
    "delete",
    "archive",
    "process",
)
_SAMPLES: dict[str, Any] = {
    "parent_type": "task",
    "parent_uid": UID,
    "chat_uid": UID,
    "tags": ["x"],
    "participants": ["y"],
    "archived": True,
}


def named_arguments(entity: Entity, operation: Operation, *, full: bool = False) -> dict[str, Any]:
    """Return good arguments beside the uid; with `full`, the optional ones too."""
    others: dict[str, dict[str, Any]] = {
        "patch": {"updates": {"a": 1}},
        "process": {"action": min(entity.actions)},
    }
    if operation not in ("create", "update"):
        return others.get(operation, {})
    taken = entity.create if operation == "create" else entity.update
    names = taken.keys() if full else entity.required & taken.keys()
    return {name: _SAMPLES.get(name, f"the {name}") for name in sorted(names)}


def canonical(text: str) -> str | None:
    """Return the UUID that Go's uuid.Parse, or a laxer parser, sees in `text`."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return None


def is_cursor(text: str) -> bool:
    """Say whether `text` is base64url("<ms>|<uuid>"), as the Go API makes it."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    except ValueError:
        return False
    if text != base64.urlsafe_b64encode(raw.encode()).decode().rstrip("="):
        return False
    milliseconds, _, uid = raw.partition("|")
    return re.fullmatch("[0-9]{1,15}", milliseconds) is not None and uid == canonical(uid)


def go_version(header: str) -> int | None:
    """Read If-Match as the Go API does: strip quotes, then strconv.Atoi."""
    text = header.strip('"')
    if not re.fullmatch("[+-]?[0-9]+", text) or abs(int(text)) > GO_INT64:
        return None
    return int(text)


def is_sendable(value: Any) -> bool:
    """Say whether RFC 8259 has a spelling for `value` that every parser reads alike."""
    if isinstance(value, dict):
        return all(is_sendable(key) and is_sendable(inner) for key, inner in value.items())
    if isinstance(value, list):
        return all(map(is_sendable, value))
    if isinstance(value, str):
        return not any("\ud800" <= character <= "\udfff" for character in value)
    return not isinstance(value, float) or math.isfinite(value)


def depth(value: Any) -> int:
    """Return the levels of lists and objects, without recursion."""
    level, levels = [value], 0
    while level := [item for item in level if isinstance(item, (dict, list))]:
        levels += 1
        level = [inner for item in level for inner in _children(item)]
    return levels


def _children(item: Any) -> list[Any]:
    return list(item.values()) if isinstance(item, dict) else item


def exact(value: Any) -> str:
    """Return `value` so that two are equal only if type, digits, sign and code points are."""
    return json.dumps(value, sort_keys=True, allow_nan=False)


def read_strictly(raw: bytes) -> Any:
    """Parse RFC 8259 JSON in UTF-8; raises ValueError at what other parsers read differently."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a name is repeated")
        return dict(pairs)

    def constant(name: str) -> Any:
        raise ValueError(f"{name} is not JSON")

    value = json.loads(raw.decode("utf-8"), object_pairs_hook=unique, parse_constant=constant)
    if not is_sendable(value):
        raise ValueError("not sendable")
    return value
