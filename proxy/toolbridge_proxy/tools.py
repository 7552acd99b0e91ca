"""The 40 tools: eight operations over the table of entities, with strict arguments."""

import base64
import binascii
import functools
import json
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import structlog
from fastmcp.server.dependencies import get_http_request
from fastmcp.tools.base import Tool, ToolResult
from mcp_types import TextContent, ToolAnnotations
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    create_model,
)

from toolbridge_proxy.answers import is_deletion, is_item, is_page
from toolbridge_proxy.entities import ENTITIES, Argument, Entity, Object, Uid
from toolbridge_proxy.errors import ToolFailure, as_result, outcome_unknown
from toolbridge_proxy.metrics import Metrics
from toolbridge_proxy.sessions import Sessions
from toolbridge_proxy.tokens import Caller
from toolbridge_proxy.upstream import ApiRequest, Call

log = structlog.get_logger()

HEALTH_CHECK = "health_check"
OUTPUT_SCHEMA = {"type": "object", "additionalProperties": True}

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
    except (ValueError, binascii.Error):
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


class HealthCheck(Tool):
    """Says that the proxy answers; tells nothing about the deployment and needs no token."""

    async def run(self, arguments: dict[str, Any]) -> ToolResult:
        """Return `{"status": "ok"}`."""
        if arguments:
            return as_result(
                ToolFailure("invalid_argument", message="takes no arguments"),
                None,
                get_http_request().scope["toolbridge.correlation_id"],
            )
        return ToolResult(structured_content={"status": "ok"})


class ApiTool(Tool):
    """One operation on one entity."""

    _entity: Entity = PrivateAttr()
    _operation: str = PrivateAttr()
    _model: type[BaseModel] = PrivateAttr()
    _sessions: Sessions = PrivateAttr()
    _metrics: Metrics = PrivateAttr()

    async def run(self, arguments: dict[str, Any]) -> ToolResult:
        """Validate, send, answer; every failure becomes an `isError` result."""
        scope = get_http_request().scope
        caller: Caller = scope["toolbridge.caller"]
        call = Call(
            caller,
            deadline=time.monotonic() + self._sessions.timeout_seconds,
            correlation_id=scope["toolbridge.correlation_id"],
            seconds=scope["toolbridge.seconds"],
        )
        given: Arguments = {}
        failure: ToolFailure | None = None
        started = time.monotonic()
        try:
            given |= self._validated(arguments)
            answer = await self._sessions.send(self._request(given), call)
            text = answer.body.decode().strip()
            return ToolResult([TextContent(type="text", text=text)], answer.data)
        except ToolFailure as caught:
            failure = caught
        except Exception:
            failure = ToolFailure("internal")
            log.exception("tool_crashed", tool=self.name, correlation_id=call.correlation_id)
        finally:
            self._report(call, given.get("uid"), failure, time.monotonic() - started)
        return as_result(failure, given.get("uid"), call.correlation_id)

    def _validated(self, arguments: Arguments) -> Arguments:
        fields = self._model.model_fields
        present = {
            name: value
            for name, value in arguments.items()
            # null for an optional argument means absent
            if value is not None or name not in fields or fields[name].is_required()
        }
        try:
            model = self._model.model_validate(present)
        except ValidationError as invalid:
            raise ToolFailure("invalid_argument", message=_rules(invalid)) from None
        # A default of None is no value either.
        return {name: value for name, value in model if value is not None}

    def _request(self, given: Arguments) -> ApiRequest:
        request = OPERATIONS[self._operation].build(self._entity, given)
        if OPERATIONS[self._operation].read_only:
            return request
        entity = self._entity
        lost = outcome_unknown(
            self._operation, entity.label, f"get_{entity.singular}", given["uid"]
        )
        return replace(request, lost=lost)

    def _report(
        self, call: Call, uid: str | None, failure: ToolFailure | None, seconds: float
    ) -> None:
        outcome = failure.code if failure else "ok"
        self._metrics.call(self.name, outcome, seconds)
        log.info(
            "tool_call",
            tool=self.name,
            principal=call.caller.fingerprint,
            tenant_id=self._sessions.tenant_id,
            uid=uid,
            outcome=outcome,
            ms=round(seconds * 1000, 1),
            correlation_id=call.correlation_id,
        )


def _rules(invalid: ValidationError) -> str:
    """Name each bad argument and its rule, without echoing a value."""
    rules = []
    for problem in invalid.errors(include_url=False, include_input=False)[:5]:
        place = ".".join(str(part) for part in problem["loc"])[:64]
        unknown = problem["type"] == "extra_forbidden"
        rule = "unknown argument" if unknown else problem["msg"].removeprefix("Value error, ")
        rules.append(f"{place!a}: {rule}")
    return "; ".join(rules)


@functools.cache
def _model(entity: Entity, name: str) -> type[BaseModel]:
    """Return the arguments of a tool, under the tool's name."""
    config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)
    fields: dict[str, Any] = OPERATIONS[name].arguments(entity)
    tool_name = f"{name}_{entity.plural if name == 'list' else entity.singular}"
    return create_model(tool_name, __config__=config, **fields)


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the input schema; an optional argument has a type, not a null default."""
    schema = model.model_json_schema()
    schema.pop("title", None)
    for argument in schema["properties"].values():
        argument.pop("title", None)
        if argument.get("default", ...) is None:
            del argument["default"]
    return schema


def _api_tool(entity: Entity, name: str, sessions: Sessions, metrics: Metrics) -> ApiTool:
    operation = OPERATIONS[name]
    model = _model(entity, name)
    tool = ApiTool(
        name=model.__name__,
        description=operation.description.format(
            plural=f"{entity.label}s",
            label=entity.label,
            singular=entity.singular,
            effect=entity.archive_effect,
        ),
        parameters=_schema(model),
        output_schema=OUTPUT_SCHEMA,
        annotations=ToolAnnotations(
            read_only_hint=operation.read_only,
            destructive_hint=operation.destructive,
            idempotent_hint=operation.idempotent,
            open_world_hint=False,
        ),
    )
    tool._entity, tool._operation, tool._model = entity, name, model
    tool._sessions, tool._metrics = sessions, metrics
    return tool


def make_tools(sessions: Sessions, metrics: Metrics) -> list[Tool]:
    """Return all 41 tools, in a fixed order."""
    health = HealthCheck(
        name=HEALTH_CHECK,
        description="Check that the proxy answers. Needs no token.",
        parameters={"type": "object", "properties": {}, "additionalProperties": False},
        output_schema=OUTPUT_SCHEMA,
        annotations=ToolAnnotations(
            read_only_hint=True,
            destructive_hint=False,
            idempotent_hint=True,
            open_world_hint=False,
        ),
    )
    return [
        health,
        *(_api_tool(e, name, sessions, metrics) for e in ENTITIES for name in OPERATIONS),
    ]
