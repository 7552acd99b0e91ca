"""The eight operations: what each takes, and the request that it becomes."""

import base64
import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from toolbridge_proxy.answers import is_deletion, is_item, is_page
from toolbridge_proxy.entities import Argument, Entity, Object, Uid
from toolbridge_proxy.errors import ToolFailure
from toolbridge_proxy.upstream import ApiRequest

_CURSOR = re.compile(r"[0-9]{1,19}\|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
# The Go API reads If-Match as an int64 and writes unconditionally when it cannot.
_MAX_VERSION = 2**63 - 1

Arguments = dict[str, Any]


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
    return Annotated[of, Field(description=description)], ...


_UID = {"uid": _required(Uid, "UUID of the object.")}
_DELETED = {"include_deleted": _optional(bool, "Whether deleted objects are returned.", False)}
_IF_MATCH = {
    "if_match": _optional(
        Annotated[int, Field(ge=0, le=_MAX_VERSION)],
        "Version that the object must still have; without it the write is unconditional.",
    )
}
_ADDITIONAL = {"additional_fields": _optional(Object, "Further JSON fields to store.")}
_PAGE = {
    "limit": _optional(Annotated[int, Field(ge=1, le=1000)], "Objects per page.", 100),
    "cursor": _optional(Annotated[str, AfterValidator(_cursor)], "nextCursor of the page before."),
}


def _fields(arguments: dict[str, Argument]) -> dict[str, tuple[Any, Any]]:
    return {
        name: _required(a.type, a.description)
        if a.required
        else _optional(a.type, a.description, a.default)
        for name, a in arguments.items()
    }


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _payload(entity_arguments: dict[str, Argument], given: Arguments) -> Object:
    """Return the JSON fields of the named arguments, then the additional ones."""
    named: Object = {a.field: given[name] for name, a in entity_arguments.items() if name in given}
    additional: Object = given.get("additional_fields", {})
    _refuse_keys("additional_fields", additional, {a.field for a in entity_arguments.values()})
    return named | additional


def _refuse_keys(argument: str, value: Object, explicit: set[str]) -> None:
    for name in sorted(value.keys() & (explicit | {"uid", "sync"})):
        raise ToolFailure("invalid_argument", message=f"{argument}: must not contain {name!r}")


def _if_match(given: Arguments) -> tuple[tuple[str, str], ...]:
    return (("If-Match", str(given["if_match"])),) if "if_match" in given else ()


def _include_deleted(given: Arguments) -> tuple[tuple[str, str], ...]:
    return (("includeDeleted", "true"),) if given["include_deleted"] else ()


def _list(entity: Entity, given: Arguments) -> ApiRequest:
    cursor = (("cursor", given["cursor"]),) if "cursor" in given else ()
    query = (("limit", str(given["limit"])), *cursor, *_include_deleted(given))
    return ApiRequest("GET", entity.collection, entity.collection, is_page, query=query)


def _item(
    entity: Entity, given: Arguments, method: str, suffix: str = "", **rest: Any
) -> ApiRequest:
    return ApiRequest(
        method,
        f"{entity.collection}/{given['uid']}{suffix}",
        f"{entity.collection}/{{uid}}{suffix}",
        **{"accept": is_item} | rest,
    )


def _get(entity: Entity, given: Arguments) -> ApiRequest:
    return _item(entity, given, "GET", query=_include_deleted(given))


def _create(entity: Entity, given: Arguments) -> ApiRequest:
    # Chosen here, so that there is something to read back when the answer is lost.
    given["uid"] = str(uuid.uuid4())
    body = _json({"uid": given["uid"]} | _payload(entity.create, given))
    return ApiRequest("POST", entity.collection, entity.collection, is_item, body=body)


def _update(entity: Entity, given: Arguments) -> ApiRequest:
    body = _json(_payload(entity.update, given))
    return _item(entity, given, "PUT", headers=_if_match(given), body=body)


def _patch(entity: Entity, given: Arguments) -> ApiRequest:
    _refuse_keys("updates", given["updates"], set())
    body = _json(given["updates"])
    return _item(entity, given, "PATCH", headers=_if_match(given), body=body)


def _delete(entity: Entity, given: Arguments) -> ApiRequest:
    return _item(entity, given, "DELETE", accept=is_deletion)


def _archive(entity: Entity, given: Arguments) -> ApiRequest:
    return _item(entity, given, "POST", "/archive")


def _process(entity: Entity, given: Arguments) -> ApiRequest:
    body = _json({name: given[name] for name in ("action", "metadata") if name in given})
    return _item(entity, given, "POST", "/process", body=body)


@dataclass(frozen=True)
class Operation:
    """One verb: how its request is built, its arguments, its description, its hints."""

    build: Callable[[Entity, Arguments], ApiRequest]
    arguments: Callable[[Entity], dict[str, tuple[Any, Any]]]
    description: str
    read_only: bool = False
    destructive: bool = False
    idempotent: bool = False


OPERATIONS: dict[str, Operation] = {
    "list": Operation(
        _list,
        lambda _: _PAGE | _DELETED,
        "List {plural}, the least recently updated first. Pass nextCursor as cursor for the "
        "next page; a page without items is the end.",
        read_only=True,
        idempotent=True,
    ),
    "get": Operation(
        _get, lambda _: _UID | _DELETED, "Get one {label}.", read_only=True, idempotent=True
    ),
    "create": Operation(_create, lambda e: _fields(e.create) | _ADDITIONAL, "Create a {label}."),
    "update": Operation(
        _update,
        lambda e: _UID | _fields(e.update) | _IF_MATCH | _ADDITIONAL,
        "Replace a {label} as a whole: every field that is not sent is dropped (tags, dates "
        "and so on). To change single fields use patch_{singular}.",
        destructive=True,
        idempotent=True,
    ),
    "patch": Operation(
        _patch,
        lambda _: (
            _UID
            | {
                "updates": _required(
                    Annotated[Object, Field(min_length=1)], "JSON fields to change."
                )
            }
            | _IF_MATCH
        ),
        "Change single fields of a {label} and keep the others.",
    ),
    "delete": Operation(
        _delete,
        lambda _: _UID,
        "Delete a {label} (it can still be read with include_deleted).",
        destructive=True,
        idempotent=True,
    ),
    "archive": Operation(
        _archive, lambda _: _UID, "Archive a {label}: sets {effect}.", idempotent=True
    ),
    "process": Operation(
        _process,
        lambda e: (
            _UID
            | {
                "action": _required(Literal[e.actions], "What to do."),
                "metadata": _optional(Object, "Further data about the action."),
            }
        ),
        "Carry out an action on a {label}.",
    ),
}
