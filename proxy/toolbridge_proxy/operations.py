"""The eight operations, as data: what each takes, and the request that it becomes."""

import base64
import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from mcp_types import ToolAnnotations
from pydantic import AfterValidator, BaseModel, ConfigDict, FailFast, Field

from toolbridge_proxy.entities import Argument, Entity, Object, Uid
from toolbridge_proxy.errors import ToolFailure
from toolbridge_proxy.upstream import ApiRequest

_CURSOR = re.compile(r"[0-9]{1,19}\|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
# The Go API reads If-Match as an int64 and writes unconditionally when it cannot.
_MAX_VERSION = 2**63 - 1
_QUERY = {"limit": "limit", "cursor": "cursor", "include_deleted": "includeDeleted"}

Arguments = dict[str, Any]
Fields = dict[str, tuple[Any, Any]]


class Deletion(BaseModel):
    """The answer to DELETE."""

    model_config = ConfigDict(strict=True)
    uid: str
    version: int
    updatedAt: str  # noqa: N815 - as on the wire


class Item(Deletion):
    """The answer about one object."""

    payload: dict[str, Any]


class Page(BaseModel):
    """The answer of a list."""

    model_config = ConfigDict(strict=True)
    items: Annotated[list[Item], FailFast()]
    nextCursor: str = ""  # noqa: N815 - as on the wire


@dataclass(frozen=True)
class Operation:
    """One verb: method and place below the collection, its answer, arguments, body and hints."""

    method: str
    description: str
    arguments: Callable[[Entity], Fields]
    place: str = "/{uid}"
    accept: type[BaseModel] = Item
    body: Callable[[Entity, Arguments], Object] | None = None
    destructive: bool = False
    idempotent: bool = False

    @property
    def hints(self) -> ToolAnnotations:
        """What clients are told about its effects."""
        return hints(self.method == "GET", self.destructive, self.idempotent)


def hints(read_only: bool, destructive: bool, idempotent: bool) -> ToolAnnotations:
    """Return MCP annotations; nothing here reaches beyond the Go API."""
    return ToolAnnotations(
        read_only_hint=read_only,
        destructive_hint=destructive,
        idempotent_hint=idempotent,
        open_world_hint=False,
    )


def build(entity: Entity, name: str, given: Arguments) -> ApiRequest:
    """Return the request of an operation; a create adds the uid that it chose to `given`."""
    operation = OPERATIONS[name]
    route = f"/v1/{entity.plural}{operation.place}"
    body = None if operation.body is None else _json(operation.body(entity, given))
    lost = (
        f"Outcome unknown: the Go API may or may not have carried out this {name}. Read "
        f"{entity.label} {given.get('uid')} back first with get_{entity.singular}, and act on "
        "what is there."
    )
    return ApiRequest(
        operation.method,
        route.format_map(given),
        route,
        operation.accept.model_validate,
        query=tuple(
            (parameter, "true" if value is True else str(value))
            for argument, parameter in _QUERY.items()
            if (value := given.get(argument))
        ),
        headers=(("If-Match", str(given["if_match"])),) if "if_match" in given else (),
        body=body,
        lost=None if operation.method == "GET" else lost,
    )


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _payload(arguments: dict[str, Argument], given: Arguments) -> Object:
    """Return the JSON fields of the named arguments, then the additional ones."""
    named: Object = {a.field: given[name] for name, a in arguments.items() if name in given}
    additional: Object = given.get("additional_fields", {})
    _refuse_keys("additional_fields", additional, {a.field for a in arguments.values()})
    return named | additional


def _refuse_keys(argument: str, value: Object, explicit: set[str]) -> None:
    for name in sorted(value.keys() & (explicit | {"uid", "sync"})):
        raise ToolFailure("invalid_argument", message=f"{argument}: must not contain {name!r}")


def _create(entity: Entity, given: Arguments) -> Object:
    # Chosen here, so that there is something to read back when the answer is lost.
    given["uid"] = str(uuid.uuid4())
    return {"uid": given["uid"]} | _payload(entity.create, given)


def _patch(_: Entity, given: Arguments) -> Object:
    _refuse_keys("updates", given["updates"], set())
    updates: Object = given["updates"]
    return updates


def _cursor(value: str) -> str:
    """Check the shape base64url("<ms>|<uuid>"): the Go API starts again at a bad cursor."""
    try:
        raw = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
        if not _CURSOR.fullmatch(raw.decode("ascii")) or "=" in value:
            raise ValueError
    except ValueError:
        raise ValueError("must be a nextCursor of an earlier answer") from None
    return value


def _optional(of: Any, description: str, default: Any = None) -> tuple[Any, Any]:
    return Annotated[of, Field(description=description)], default


def _required(of: Any, description: str) -> tuple[Any, Any]:
    return _optional(of, description, ...)


def _fields(arguments: dict[str, Argument]) -> Fields:
    return {
        name: _optional(a.type, a.description, ... if a.required else a.default)
        for name, a in arguments.items()
    }


_UID = {"uid": _required(Uid, "UUID of the object.")}
_DELETED = {"include_deleted": _optional(bool, "Whether deleted objects are returned.", False)}
_IF_MATCH = {
    "if_match": _optional(
        Annotated[int, Field(ge=0, le=_MAX_VERSION)],
        "Version that the object must still have; without it the write is unconditional.",
    )
}
_ADDITIONAL = {"additional_fields": _optional(Object, "Further JSON fields to store.")}
_UPDATES = {"updates": _required(Annotated[Object, Field(min_length=1)], "JSON fields to change.")}
_PAGE = {
    "limit": _optional(Annotated[int, Field(ge=1, le=1000)], "Objects per page.", 100),
    "cursor": _optional(Annotated[str, AfterValidator(_cursor)], "nextCursor of the page before."),
}
_METADATA = {"metadata": _optional(Object, "Further data about the action.")}

OPERATIONS: dict[str, Operation] = {
    "list": Operation(
        "GET",
        "List {e.label}s, the least recently updated first. Pass nextCursor as cursor for the "
        "next page; a page without items is the end.",
        lambda _: _PAGE | _DELETED,
        place="",
        accept=Page,
        idempotent=True,
    ),
    "get": Operation("GET", "Get one {e.label}.", lambda _: _UID | _DELETED, idempotent=True),
    "create": Operation(
        "POST",
        "Create a {e.label}.",
        lambda e: _fields(e.create) | _ADDITIONAL,
        place="",
        body=_create,
    ),
    "update": Operation(
        "PUT",
        "Replace a {e.label} as a whole: every field that is not sent is dropped (tags, dates "
        "and so on). To change single fields use patch_{e.singular}.",
        lambda e: _UID | _fields(e.update) | _IF_MATCH | _ADDITIONAL,
        body=lambda e, given: _payload(e.update, given),
        destructive=True,
        idempotent=True,
    ),
    "patch": Operation(
        "PATCH",
        "Change single fields of a {e.label} and keep the others.",
        lambda _: _UID | _UPDATES | _IF_MATCH,
        body=_patch,
    ),
    "delete": Operation(
        "DELETE",
        "Delete a {e.label} (it can still be read with include_deleted).",
        lambda _: _UID,
        accept=Deletion,
        destructive=True,
        idempotent=True,
    ),
    "archive": Operation(
        "POST",
        "Archive a {e.label}: sets {e.archive_effect}.",
        lambda _: _UID,
        place="/{uid}/archive",
        idempotent=True,
    ),
    "process": Operation(
        "POST",
        "Carry out an action on a {e.label}.",
        lambda e: _UID | {"action": _required(Literal[e.actions], "What to do.")} | _METADATA,
        place="/{uid}/process",
        body=lambda _, given: {k: given[k] for k in ("action", "metadata") if k in given},
    ),
}

OUTPUT_SCHEMA = {"type": "object", "additionalProperties": True}
HEALTH_CHECK: dict[str, Any] = {
    "output_schema": OUTPUT_SCHEMA,
    "name": "health_check",
    "description": "Check that the proxy answers. Needs no token.",
    "parameters": {"type": "object", "properties": {}, "additionalProperties": False},
    "annotations": hints(read_only=True, destructive=False, idempotent=True),
}
