"""Objects of the five kinds for checks to work on."""

from collections.abc import Iterable
from typing import Any

from toolbridge_contract.tools import CHAT_MESSAGE, COMMENT, OPERATIONS, Entity, Operation
from toolbridge_harness.target import Caller
from toolbridge_harness.verdicts import Violation, require_equal


async def create_arguments(caller: Caller, entity: Entity) -> dict[str, Any]:
    """Return valid create arguments with fresh random content, making the parent first."""
    arguments: dict[str, Any] = {name: caller.text(name) for name in entity.required}
    if entity is COMMENT:
        note = await caller.given("create_note", {"title": caller.text(), "content": "parent"})
        arguments |= {"parent_type": "note", "parent_uid": note["uid"]}
    if entity is CHAT_MESSAGE:
        chat = await caller.given("create_chat", {"title": caller.text()})
        arguments["chat_uid"] = chat["uid"]
    return arguments


def replacement(caller: Caller, entity: Entity, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return update arguments: those of the creation with new text, parents kept."""
    kept = {name: value for name, value in arguments.items() if name in entity.update}
    return kept | {name: caller.text("new") for name in ("title", "content") if name in kept}


def any_arguments(entity: Entity, uid: str) -> dict[str, dict[str, Any]]:
    """Return valid arguments of each tool of a kind by its name; nothing of it need exist."""

    def fields(names: Iterable[str]) -> dict[str, Any]:
        parents = {"parent_type": "note", "parent_uid": uid, "chat_uid": uid}
        return {name: parents.get(name, "x") for name in names}

    more: dict[Operation, dict[str, Any]] = {
        "update": fields(sorted(entity.required & entity.update.keys())),
        "patch": {"updates": {"x": 1}},
        "process": {"action": next(iter(entity.actions))},
    }
    given = {name: {"uid": uid, **more.get(name, {})} for name in OPERATIONS}
    given |= {"list": {"limit": 1}, "create": fields(sorted(entity.required))}
    return {entity.tool(name): arguments for name, arguments in given.items()}


def require_payload(item: Any, fields: dict[str, Any], step: str) -> None:
    """Require that an item's payload has these fields with these values."""
    payload = item.get("payload") if isinstance(item, dict) else None
    if not isinstance(payload, dict):
        raise Violation(f"an item with a payload from {step}", repr(item)[:200])
    read = {name: payload.get(name) for name in fields}
    require_equal(fields, read, f"{step}:")
