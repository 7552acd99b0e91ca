"""The JSON shapes of the Go API (JSON Schema 2020-12), as observed on the wire."""

from typing import Any

from toolbridge_contract.tools import ENTITIES, Entity

Schema = dict[str, Any]

_CANONICAL_UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_SECONDS = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"

# What the stored fields hold by convention: the API checks none of them but the parents'.
_FIELDS: dict[str, Schema] = {
    "title": {"type": "string"},
    "content": {"type": "string"},
    "tags": {"type": "array", "items": {"type": "string"}},
    "description": {"type": "string"},
    "status": {"type": "string"},
    "priority": {"type": "string"},
    "dueDate": {"type": "string", "format": "date-time"},
    "parentType": {"enum": ["note", "task"]},
    "parentUid": {"type": "string", "format": "uuid"},
    "author": {"type": "string"},
    "participants": {"type": "array", "items": {"type": "string"}},
    "archived": {"type": "boolean"},
    "chatUid": {"type": "string", "format": "uuid"},
    "sender": {"type": "string"},
    "messageType": {"type": "string"},
}
_PARENTS = frozenset({"parentType", "parentUid", "chatUid"})


def parents(entity: Entity) -> list[str]:
    """Return the fields that name the parent of an entity; [] for one that has none."""
    return sorted(_PARENTS & set(entity.create.values()))


def name(entity: Entity) -> str:
    """Return the name of an entity within schema names, such as ChatMessage."""
    return "".join(part.capitalize() for part in entity.singular.split("_"))


def ref(schema: str) -> Schema:
    """Return a reference to a component schema."""
    return {"$ref": f"#/components/schemas/{schema}"}


def closed(*optional: str, **properties: Schema) -> Schema:
    """Return an object with these properties and no others; all required but `optional`."""
    required = [key for key in properties if key not in optional]
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _time(fraction: str, description: str) -> Schema:
    return {
        "type": "string",
        "format": "date-time",
        "pattern": f"{_SECONDS}({fraction})?Z$",
        "description": f"RFC 3339, UTC, {description}; trailing zeros of the fraction are cut.",
    }


_UID = ref("Uid")
_AT = ref("Time")
_VERSION: Schema = {"type": "integer", "minimum": 1}
_EPOCH: Schema = {"type": "integer", "minimum": 1}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_CURSOR: Schema = {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"}


def _payload() -> Schema:
    sync = closed("deletedAt", isDeleted={"type": "boolean"}, version=_VERSION, deletedAt=_AT)
    return {
        "type": "object",
        "description": "What was stored, with three fields of the API's own put over it (what push "
        "stored has them only as sent). Keys are sorted; numbers have passed through float64.",
        "properties": {
            "uid": {"type": "string", "description": "The uid as the creating client spelled it."},
            "sync": sync,
            "updatedTs": _AT,
        },
        "required": ["uid"],
        "additionalProperties": True,
    }


def _pages() -> Schema:
    empty = closed(items={"type": "array", "maxItems": 0})
    full = closed(
        items={"type": "array", "items": ref("Item"), "minItems": 1, "maxItems": 1000},
        nextCursor=_CURSOR,
    )
    return {
        "description": "The least recently updated first. Every page with items has a nextCursor, "
        "the last one too.",
        "oneOf": [empty, full],
    }


def _info() -> Schema:
    limits = closed(maxLimit={"const": 1000}, push={"const": True}, pull={"const": True})
    entities = {entity.plural: limits for entity in sorted(ENTITIES, key=lambda e: e.plural)}
    return closed(
        apiVersion={"const": "1.1"},
        serverTime=_time(r"\.[0-9]{0,8}[1-9]", "nanoseconds"),
        entities=closed(**entities),
        locking=closed(supported={"const": True}, mode={"const": "session"}),
        minClientVersion={"const": "0.1.0"},
        rateLimit=closed(
            windowSeconds={"const": 60}, maxRequests={"const": 600}, burst={"const": 120}
        ),
        hints=closed(recommendedBatch={"const": 500}, backoffMsOn429={"const": 1500}),
    )


def _errors() -> dict[str, Schema]:
    error: Schema = {"type": "string", "minLength": 1}
    return {
        "Error": closed(error=error, correlation_id={"type": "string"}),
        "Gone": closed(deletedAt=_AT, error={"type": "string", "pattern": " deleted$"}),
        "EpochMismatch": closed(
            correlation_id={"type": "string", "description": "Blank unless the client sent one."},
            epoch=_EPOCH,
            error={"const": "epoch_mismatch"},
        ),
    }


def _delta() -> dict[str, Schema]:
    item = closed(
        "error",
        uid={"type": "string", "description": "Blank when there was none."},
        version=_COUNT,
        updatedAt={"anyOf": [_AT, {"const": ""}]},
        error={"type": "string", "minLength": 1},
    )
    stored: Schema = {
        "type": "object",
        "description": "A payload as it was sent.",
        "required": ["uid"],
    }
    return {
        "Push": {
            "type": "object",
            "properties": {"items": {"type": ["array", "null"], "items": {"type": "object"}}},
        },
        "Acknowledgements": {"type": "array", "items": item},
        "Changes": closed(
            "nextCursor",
            upserts={"type": "array", "items": stored},
            deletes={"type": "array", "items": closed(deletedAt=_AT, uid=_UID)},
            nextCursor=_CURSOR,
        ),
    }


def _inputs(entity: Entity) -> dict[str, Schema]:
    fields = {field: _FIELDS[field] for field in entity.create.values()}
    change: Schema = {"type": "object", "properties": fields, "additionalProperties": True}
    whole = change | {"required": parents(entity)} if parents(entity) else change
    uid = {"uid": {"description": "Chosen by the client; what is no UUID is replaced."}}
    new = whole | {"properties": uid | fields}
    action = closed(
        "metadata",
        action={"enum": list(entity.actions)},
        metadata={"type": "object", "description": "Read and dropped."},
    )
    mine = name(entity)
    return {f"New{mine}": new, mine: whole, f"{mine}Changes": change, f"{mine}Action": action}


def schemas() -> dict[str, Schema]:
    """Return the component schemas by name."""
    common = {
        "Uid": {"type": "string", "format": "uuid", "pattern": _CANONICAL_UUID},
        "Time": _time(r"\.[0-9]{0,2}[1-9]", "milliseconds"),
        "Payload": _payload(),
        "Item": closed(
            "deletedAt",
            uid=_UID,
            version=_VERSION,
            updatedAt=_AT,
            deletedAt=_AT,
            payload=ref("Payload"),
        ),
        "Page": _pages(),
        "Deletion": closed(deletedAt=_AT, uid=_UID, updatedAt=_AT, version=_VERSION),
        "Session": closed(
            id=_UID,
            userId=_UID,
            createdAt=_time(r"\.[0-9]{0,8}[1-9]", "nanoseconds"),
            expiresAt=_time(r"\.[0-9]{0,8}[1-9]", "nanoseconds, 30 minutes after createdAt"),
            epoch=_EPOCH,
        ),
        "State": closed(
            "lastWipeAt",
            "lastWipeBy",
            epoch=_EPOCH,
            lastWipeAt=_time(r"\.[0-9]{0,5}[1-9]", "microseconds"),
            lastWipeBy=_UID,
        )
        | {"dependentRequired": {"lastWipeAt": ["lastWipeBy"], "lastWipeBy": ["lastWipeAt"]}},
        "WipeConfirmation": {
            "type": "object",
            "properties": {"confirm": {"const": "WIPE"}},
            "required": ["confirm"],
        },
        "Wiped": closed(
            epoch=_EPOCH,
            deleted=closed(
                **{e.singular: _COUNT for e in sorted(ENTITIES, key=lambda e: e.plural)}
            ),
        ),
        "Info": _info(),
    }
    inputs = {key: value for entity in ENTITIES for key, value in _inputs(entity).items()}
    return common | _errors() | _delta() | inputs
