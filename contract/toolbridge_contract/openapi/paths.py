"""The operations, five entities from one table, and the whole document."""

from typing import Any

from toolbridge_contract.openapi.responses import (
    ANY_REQUEST,
    CORRELATED,
    HEADERS,
    RESPONSES,
    json_content,
    refs,
    response,
    text_content,
)
from toolbridge_contract.openapi.schemas import name, parents, ref, schemas
from toolbridge_contract.tools import ENTITIES, Entity, Operation

Json = dict[str, Any]

_DESCRIPTION = """\
Observed on the wire, faults included; generated from the entity table of toolbridge-mcp.

Order of checks, each before the next: path and method, JWT, tenant headers, session, rate limit,
epoch, uid, existence, body, action or If-Match. Any two of them may be wrong at once.
`x-any-request` lists the answers that come before an operation is known.

A tenant id is part of the signature only: it separates no data."""

_SECURITY: list[Json] = [{"jwt": [], "tenantId": [], "tenantTimestamp": [], "tenantSignature": []}]
_SCHEMES: Json = {
    "jwt": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "HS256, HS384 or HS512 with the shared secret; `sub` is the user. The "
        "scheme is case-sensitive; there is no leeway.",
    },
    "tenantId": {"type": "apiKey", "in": "header", "name": "X-TB-Tenant-ID"},
    "tenantTimestamp": {
        "type": "apiKey",
        "in": "header",
        "name": "X-TB-Timestamp",
        "description": "Unix milliseconds, at most 300 s from the API's clock.",
    },
    "tenantSignature": {
        "type": "apiKey",
        "in": "header",
        "name": "X-TB-Signature",
        "description": "Lower-case hex of HMAC-SHA256(secret, X-TB-Tenant-ID:X-TB-Timestamp).",
    },
}


def _header(name: str, description: str, schema: Json, *, required: bool = False) -> Json:
    return {
        "name": name,
        "in": "header",
        "required": required,
        "description": description,
        "schema": schema,
    }


_TEXT: Json = {"type": "string"}
_PARAMETERS: Json = {
    "CorrelationId": _header("X-Correlation-ID", "Echoed; generated when absent.", _TEXT),
    "SyncSession": _header(
        "X-Sync-Session",
        "Id of a live session of the caller, exactly as it was given.",
        {"type": "string", "format": "uuid"},
        required=True,
    ),
    "SyncEpoch": _header(
        "X-Sync-Epoch",
        "The caller's epoch, or a later one.",
        {"type": "integer", "minimum": 1},
        required=True,
    ),
    "IfMatch": _header(
        "If-Match",
        "Version that the object must have. What cannot be read is ignored, and the write done.",
        {"type": "string", "pattern": '^([0-9]{1,18}|"[0-9]{1,18}")$'},
    ),
    "Uid": {
        "name": "uid",
        "in": "path",
        "required": True,
        "description": "Upper case, without dashes, in braces or after `urn:uuid:` also passes.",
        "schema": {"type": "string", "format": "uuid"},
    },
    "SessionId": {
        "name": "id",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "format": "uuid"},
    },
    "Limit": {
        "name": "limit",
        "in": "query",
        "description": "Anything but a positive integer is ignored; more than 1000 is 1000.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 500},
    },
    "Cursor": {
        "name": "cursor",
        "in": "query",
        "description": "A nextCursor. One that cannot be read starts again.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"},
    },
    "IncludeDeleted": {
        "name": "includeDeleted",
        "in": "query",
        "description": "Only exactly `true` counts.",
        "schema": {"type": "boolean", "default": False},
    },
}


def _parameters(*names: str) -> list[Json]:
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


_SIGNED = refs(_401="Unauthorized", _500="UserFailed")
_IN_SESSION = _SIGNED | refs(_403="ForeignSession", _428="SessionRequired")
_RATED = _IN_SESSION | refs(_409="EpochMismatch", _429="Throttled")
_OF_ITEM = _RATED | refs(_400="Invalid", _404="NotFound", _410="Gone")
_SESSION_HEADERS = ("SyncSession", "SyncEpoch", "CorrelationId")


def _operation(
    operation_id: str,
    summary: str,
    parameters: tuple[str, ...],
    responses: Json,
    body: str | None = None,
) -> Json:
    found: Json = {
        "operationId": operation_id,
        "summary": summary,
        "parameters": _parameters(*parameters),
        "responses": dict(sorted(responses.items())),
    }
    if body is not None:
        content = {"application/json": {"schema": ref(body)}}
        found["requestBody"] = {"required": True, "content": content}
    return found


def _write_failures(entity: Entity, operation: Operation) -> Json:
    """Return the 500 of a write: what stores no new text fails only with its parent."""
    if operation in ("create", "update"):
        return refs(_500="WritePanicked")
    return refs(_500="WriteFailed") if operation == "patch" or parents(entity) else {}


def _item(entity: Entity, operation: Operation, summary: str, **more: Any) -> Json:
    extra, body = more.get("parameters", ()), more.get("body")
    failures = {} if operation in ("get", "delete") else _write_failures(entity, operation)
    stale = refs(_412="PreconditionFailed") if "IfMatch" in extra else {}
    good = refs(_200="Deletion" if operation == "delete" else "Item")
    responses = _OF_ITEM | failures | stale | good
    parameters = ("Uid", *extra, *_SESSION_HEADERS)
    return _operation(entity.tool(operation), summary, parameters, responses, body)


def _collection(entity: Entity) -> Json:
    failures = _write_failures(entity, "create") | refs(_400="Invalid")
    return {
        "get": _operation(
            entity.tool("list"),
            f"List {entity.label}s.",
            ("Limit", "Cursor", "IncludeDeleted", *_SESSION_HEADERS),
            _RATED | refs(_200="Page"),
        ),
        "post": _operation(
            entity.tool("create"),
            f"Create a {entity.label}; a uid in use is overwritten and undeleted.",
            _SESSION_HEADERS,
            _RATED | failures | refs(_201="Created"),
            f"New{name(entity)}",
        ),
    }


def _entity(entity: Entity) -> Json:
    item, mine = f"{entity.collection}/{{uid}}", name(entity)
    guarded = {"parameters": ("IfMatch",)}
    return {
        entity.collection: _collection(entity),
        item: {
            "get": _item(entity, "get", "Read.", parameters=("IncludeDeleted",)),
            "put": _item(entity, "update", "Replace as a whole.", body=mine, **guarded),
            "patch": _item(
                entity,
                "patch",
                "Merge, one level deep; null is stored.",
                body=f"{mine}Changes",
                **guarded,
            ),
            "delete": _item(entity, "delete", "Delete; creating it again restores it."),
        },
        f"{item}/archive": {"post": _item(entity, "archive", "Archive; a body is not read.")},
        f"{item}/process": {
            "post": _item(entity, "process", "Do an action.", body=f"{mine}Action")
        },
    }


def _delta(entity: Entity) -> Json:
    push = _operation(
        f"push_{entity.plural}",
        f"Store {entity.label}s as sent; the newer updatedTs wins.",
        _SESSION_HEADERS,
        _RATED | refs(_200="Pushed", _400="PushInvalid", _500="PushFailed"),
        "Push",
    )
    pull = _operation(
        f"pull_{entity.plural}",
        f"Read changed and deleted {entity.label}s.",
        ("Limit", "Cursor", *_SESSION_HEADERS),
        _RATED | refs(_200="Pulled"),
    )
    base = f"/v1/sync/{entity.plural}"
    return {f"{base}/push": {"post": push}, f"{base}/pull": {"get": pull}}


def _open(operation_id: str, summary: str, good: Json) -> Json:
    found = _operation(operation_id, summary, ("CorrelationId",), {"200": good})
    return {"get": found | {"security": []}}


def _service() -> Json:
    session = json_content("Session")
    begun = response("A new session; others stay.", (*CORRELATED, "X-Sync-Epoch"), session)
    own = _SIGNED | refs(_403="SessionForbidden", _404="SessionUnknown")
    in_session = ("SyncSession", "CorrelationId")
    by_id = ("SessionId", "CorrelationId")
    state = {"200": response("The epoch.", CORRELATED, json_content("State"))}
    wiped = {"200": response("Wiped, sessions too.", CORRELATED, json_content("Wiped"))}
    shown = {"200": response("The session.", CORRELATED, session)}
    ended = {"204": response("Ended.", CORRELATED)}
    wipe = _IN_SESSION | refs(_400="WipeRefused") | wiped
    return {
        "/healthz": _open(
            "health", "Liveness.", response("Alive.", CORRELATED, text_content("ok"))
        ),
        "/v1/sync/info": _open(
            "info", "Limits and time.", response("As below.", CORRELATED, json_content("Info"))
        ),
        "/v1/sync/sessions": {
            "post": _operation(
                "begin_session", "Begin.", ("CorrelationId",), _SIGNED | {"201": begun}
            )
        },
        "/v1/sync/sessions/{id}": {
            "get": _operation("get_session", "Read.", by_id, own | shown),
            "delete": _operation("end_session", "End.", by_id, own | ended),
        },
        "/v1/sync/state": {
            "get": _operation("state", "Epoch and wipe.", in_session, _IN_SESSION | state)
        },
        "/v1/sync/wipe": {
            "post": _operation("wipe", "Delete all.", in_session, wipe, "WipeConfirmation")
        },
    }


def document() -> Json:
    """Return the OpenAPI 3.1 document as one JSON object."""
    paths = _service()
    for entity in ENTITIES:
        paths |= _entity(entity) | _delta(entity)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ToolBridge Go API",
            "version": "1.1",
            "description": _DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": _SECURITY,
        "x-any-request": refs(**{f"_{status}": key for status, key in ANY_REQUEST.items()}),
        "paths": paths,
        "components": {
            "securitySchemes": _SCHEMES,
            "parameters": _PARAMETERS,
            "headers": HEADERS,
            "responses": RESPONSES,
            "schemas": schemas(),
        },
    }
