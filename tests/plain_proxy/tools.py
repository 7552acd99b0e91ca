"""The 41 tools: what each takes, and the request that it becomes."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from plain_proxy import arguments as kinds
from plain_proxy.arguments import Argument, refuse_keys
from plain_proxy.go_api import Wish
from toolbridge_contract.tools import ENTITIES, HEALTH_CHECK, OPERATIONS, Entity

Values = dict[str, Any]
# Arguments that are not plain text, by name.
FIELD_KINDS = {
    "tags": kinds.TEXTS,
    "participants": kinds.TEXTS,
    "archived": kinds.FLAG,
    "parent_type": kinds.one_of("note", "task"),
    "parent_uid": kinds.UID,
    "chat_uid": kinds.UID,
}
UID = {"uid": Argument(kinds.UID, "UUID of the object.", required=True)}
DELETED = {"include_deleted": Argument(kinds.FLAG, "Also deleted objects.", default=False)}
IF_MATCH = {"if_match": Argument(kinds.VERSION, "Only if the object still has this version.")}
MORE = {"additional_fields": Argument(kinds.OBJECT, "More JSON fields to store.")}
PAGE = {
    "limit": Argument(kinds.LIMIT, "Objects per page.", default=100),
    "cursor": Argument(kinds.CURSOR, "nextCursor of the page before."),
}
CHANGES = {"updates": Argument(kinds.CHANGES, "The JSON fields to change.", required=True)}
METADATA = {"metadata": Argument(kinds.OBJECT, "More about the action.")}
# What only the Go API and this proxy decide.
RESERVED = {"uid", "sync"}


@dataclass(frozen=True)
class Verb:
    """One of the eight operations: its method and place, what it is, and what it does."""

    method: str
    place: str
    description: str
    hints: tuple[str, ...]
    arguments: Callable[[Entity], dict[str, Argument]]
    body: Callable[[Entity, Values], Values] | None = None


@dataclass(frozen=True)
class Tool:
    """A tool; `entity` and `verb` are None for health_check."""

    name: str
    description: str
    arguments: dict[str, Argument]
    hints: tuple[str, ...]
    entity: Entity | None = None
    verb: Verb | None = None

    def described(self) -> Values:
        """Return the tool as tools/list shows it."""
        names = ("readOnly", "destructive", "idempotent")
        return {
            "name": self.name,
            "description": self.description,
            "inputSchema": kinds.schema(self.arguments),
            "annotations": {f"{name}Hint": name in self.hints for name in names},
        }


def _fields(mapping: dict[str, str], entity: Entity) -> dict[str, Argument]:
    return {
        name: Argument(
            FIELD_KINDS.get(name, kinds.TEXT),
            f"{name.replace('_', ' ').capitalize()} of the {entity.label}.",
            required=name in entity.required,
            default=False if name == "archived" else None,
        )
        for name in mapping
    }


def _payload(mapping: dict[str, str], values: Values) -> Values:
    more: Values = values.get("additional_fields", {})
    refuse_keys("additional_fields", more, RESERVED | set(mapping.values()))
    return {mapping[name]: values[name] for name in mapping if name in values} | more


def _create(entity: Entity, values: Values) -> Values:
    # Chosen here, so that there is something to read back if no answer comes.
    values["uid"] = str(uuid.uuid4())
    return {"uid": values["uid"]} | _payload(entity.create, values)


def _patch(_: Entity, values: Values) -> Values:
    refuse_keys("updates", values["updates"], RESERVED)
    updates: Values = values["updates"]
    return updates


def _process(_: Entity, values: Values) -> Values:
    return {name: values[name] for name in ("action", "metadata") if name in values}


VERBS = {
    "list": Verb(
        "GET",
        "",
        "List {0}s by time of change, oldest first, page by page, until a page is empty.",
        ("readOnly", "idempotent"),
        lambda _: PAGE | DELETED,
    ),
    "get": Verb(
        "GET", "/{uid}", "Read one {0}.", ("readOnly", "idempotent"), lambda _: UID | DELETED
    ),
    "create": Verb("POST", "", "Create a {0}.", (), lambda e: _fields(e.create, e) | MORE, _create),
    "update": Verb(
        "PUT",
        "/{uid}",
        "Replace a whole {0}. Fields that are not sent are lost, tags and dates among them; "
        "patch_{1} changes single fields.",
        ("destructive", "idempotent"),
        lambda e: UID | _fields(e.update, e) | IF_MATCH | MORE,
        lambda e, values: _payload(e.update, values),
    ),
    "patch": Verb(
        "PATCH",
        "/{uid}",
        "Change some fields of a {0}.",
        (),
        lambda _: UID | CHANGES | IF_MATCH,
        _patch,
    ),
    "delete": Verb(
        "DELETE",
        "/{uid}",
        "Delete a {0}; include_deleted still shows it.",
        ("destructive", "idempotent"),
        lambda _: UID,
    ),
    "archive": Verb("POST", "/{uid}/archive", "Archive a {0}.", ("idempotent",), lambda _: UID),
    "process": Verb(
        "POST",
        "/{uid}/process",
        "Carry out an action on a {0}.",
        (),
        lambda e: (
            UID
            | {"action": Argument(kinds.one_of(*e.actions), "The action.", required=True)}
            | METADATA
        ),
        _process,
    ),
}


def _tool(entity: Entity, operation: str) -> Tool:
    verb = VERBS[operation]
    return Tool(
        f"{operation}_{entity.plural if operation == 'list' else entity.singular}",
        verb.description.format(entity.label, entity.singular),
        verb.arguments(entity),
        verb.hints,
        entity,
        verb,
    )


_HEALTH = Tool(HEALTH_CHECK, "Whether the proxy answers; needs no token.", {}, ("readOnly",))
TOOLS: dict[str, Tool] = {
    tool.name: tool
    for tool in (*(_tool(e, operation) for e in ENTITIES for operation in OPERATIONS), _HEALTH)
}


def wish(entity: Entity, verb: Verb, values: Values) -> Wish:
    """Return the request of a call; a create adds its uid to `values`. Raises Failure."""
    body = None
    if verb.body is not None:
        body = json.dumps(verb.body(entity, values), allow_nan=False).encode()
    query: dict[str, str] = {
        name: str(values[name]) for name in ("limit", "cursor") if name in values
    }
    if values.get("include_deleted"):
        query["includeDeleted"] = "true"
    lost = (
        f"It is not known whether the {entity.label} was changed. First read {values.get('uid')} "
        f"with get_{entity.singular}, and go on from what is there."
    )
    route = entity.collection + verb.place
    return Wish(
        verb.method,
        route,
        route.replace("{uid}", values.get("uid", "")),
        query,
        {"If-Match": f'"{values["if_match"]}"'} if "if_match" in values else {},
        body,
        "" if verb.method == "GET" else lost,
    )
