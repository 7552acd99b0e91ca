"""For each of the 40 tools, what must leave the proxy: from the contract's own table."""

import base64
from dataclasses import dataclass
from typing import Any

from toolbridge_contract.tools import CHAT, ENTITIES, Entity

# Every entity has an object under each of these: uids are per entity.
LIVE = "0c0ffee0-0000-4000-8000-000000000001"
DELETED = "0c0ffee0-0000-4000-8000-000000000002"
START = base64.urlsafe_b64encode(f"1|{LIVE}".encode()).rstrip(b"=").decode()
# Falsy, empty and non-ASCII ones among them: what is given is sent.
SAMPLES: dict[str, Any] = {
    "title": "T é \u202e<&>", "content": "", "description": "", "status": "open",
    "priority": "high", "due_date": "2030-01-01T00:00:00Z", "tags": [], "parent_type": "note",
    "parent_uid": LIVE, "chat_uid": LIVE, "author": "A", "sender": "S", "participants": ["x", ""],
    "archived": True, "message_type": "text",
}  # fmt: skip
# The one argument with a default of its own (tools.md); sent even when it is not given.
DEFAULTS: dict[str, dict[str, Any]] = {CHAT.singular: {"archived": False}}
FURTHER = {"zz": {"deep": [2**53 + 1, 1.0, None, False]}, "": "empty key"}


@dataclass(frozen=True)
class WireCase:
    """A tool call, and the one request to the Go API that it must become.

    `body` is the JSON value sent, None for no body; `chooses_uid` says that the body carries
    besides a UUIDv4 of the proxy's own.
    """

    tool: str
    arguments: dict[str, Any]
    method: str
    target: str
    body: dict[str, Any] | None = None
    if_match: str | None = None
    chooses_uid: bool = False


def sample_body(entity: Entity) -> dict[str, Any]:
    """Return a full payload that the Go API accepts for `entity`."""
    return {field: SAMPLES[name] for name, field in entity.create.items()}


def _create(entity: Entity, tool: str) -> list[WireCase]:
    path = entity.collection
    few = {name: SAMPLES[name] for name in entity.create if name in entity.required}
    sent = {entity.create[name]: value for name, value in few.items()}
    sent |= DEFAULTS.get(entity.singular, {})
    full = {name: SAMPLES[name] for name in entity.create} | {"additional_fields": FURTHER}
    return [
        WireCase(tool, few, "POST", path, sent, chooses_uid=True),
        WireCase(tool, full, "POST", path, sample_body(entity) | FURTHER, chooses_uid=True),
    ]


def _update(entity: Entity, tool: str) -> list[WireCase]:
    path = f"{entity.collection}/{LIVE}"
    few = {name: SAMPLES[name] for name in entity.update if name in entity.required}
    sent = {entity.update[name]: value for name, value in few.items()}
    full = {name: SAMPLES[name] for name in entity.update}
    all_sent = {entity.update[name]: value for name, value in full.items()} | FURTHER
    more = {"if_match": 1, "additional_fields": FURTHER}
    return [
        WireCase(tool, {"uid": LIVE} | few, "PUT", path, sent),
        WireCase(tool, {"uid": LIVE} | full | more, "PUT", path, all_sent, if_match="1"),
    ]


def _process(entity: Entity, tool: str) -> list[WireCase]:
    path = f"{entity.collection}/{LIVE}/process"
    bodies: list[dict[str, Any]] = [{"action": action} for action in entity.actions]
    bodies.append({"action": min(entity.actions), "metadata": {"why": FURTHER}})
    return [WireCase(tool, {"uid": LIVE} | body, "POST", path, body) for body in bodies]


def _cases(entity: Entity) -> list[WireCase]:
    collection, live = entity.collection, f"{entity.collection}/{LIVE}"
    gone = f"{entity.collection}/{DELETED}?includeDeleted=true"
    page = {"limit": 7, "cursor": START, "include_deleted": True}
    narrowed = f"{collection}?limit=7&cursor={START}&includeDeleted=true"
    dead = {"uid": DELETED, "include_deleted": True}
    patch, change = entity.tool("patch"), {"uid": LIVE, "updates": FURTHER}
    return [
        WireCase(entity.tool("list"), {}, "GET", f"{collection}?limit=100"),
        WireCase(entity.tool("list"), page, "GET", narrowed),
        WireCase(entity.tool("get"), {"uid": LIVE}, "GET", live),
        WireCase(entity.tool("get"), dead, "GET", gone),
        *_create(entity, entity.tool("create")),
        *_update(entity, entity.tool("update")),
        WireCase(patch, change, "PATCH", live, FURTHER),
        WireCase(patch, change | {"if_match": 1}, "PATCH", live, FURTHER, if_match="1"),
        WireCase(entity.tool("delete"), {"uid": LIVE}, "DELETE", live),
        WireCase(entity.tool("archive"), {"uid": LIVE}, "POST", f"{live}/archive"),
        *_process(entity, entity.tool("process")),
    ]


WIRE_CASES = [case for entity in ENTITIES for case in _cases(entity)]
