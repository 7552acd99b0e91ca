"""The 41 MCP tools: strict arguments in, the Go API's answer or a typed failure out."""

import functools
import time
from dataclasses import replace
from typing import Any

import structlog
from fastmcp.server.dependencies import get_http_request
from fastmcp.tools.base import Tool, ToolResult
from mcp_types import TextContent, ToolAnnotations
from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError, create_model

from toolbridge_proxy.entities import ENTITIES, Entity
from toolbridge_proxy.errors import ToolFailure, as_result, outcome_unknown
from toolbridge_proxy.metrics import Metrics
from toolbridge_proxy.operations import OPERATIONS, Arguments
from toolbridge_proxy.sessions import Sessions
from toolbridge_proxy.upstream import ApiRequest, Call

log = structlog.get_logger()

HEALTH_CHECK = "health_check"
OUTPUT_SCHEMA = {"type": "object", "additionalProperties": True}


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
        scope, started = get_http_request().scope, time.monotonic()
        call = Call(
            scope["toolbridge.caller"],  # absent for who has shown no token
            deadline=started + self._sessions.timeout_seconds,
            correlation_id=scope["toolbridge.correlation_id"],
            seconds=scope["toolbridge.seconds"],
        )
        given: Arguments = {}
        outcome = "cancelled"
        try:
            given |= self._validated(arguments)
            answer = await self._sessions.send(self._request(given), call)
            outcome = "ok"
            text = answer.body.decode().strip()
            return ToolResult([TextContent(type="text", text=text)], answer.data)
        except Exception as error:  # noqa: BLE001 - each is an answer; ours are logged
            failure = self._failure(error, call)
            outcome = failure.code
            return as_result(failure, given.get("uid"), call.correlation_id)
        finally:
            self._report(call, given.get("uid"), outcome, time.monotonic() - started)

    def _failure(self, error: Exception, call: Call) -> ToolFailure:
        if isinstance(error, ToolFailure):
            return error
        log.exception("tool_crashed", tool=self.name, correlation_id=call.correlation_id)
        return ToolFailure("internal")

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

    def _report(self, call: Call, uid: str | None, outcome: str, seconds: float) -> None:
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
def _model(entity: Entity, name: str) -> tuple[type[BaseModel], dict[str, Any]]:
    """Return the arguments of a tool, under the tool's name, and their schema.

    In the schema an optional argument has a type, not a null default.
    """
    config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)
    fields: dict[str, Any] = OPERATIONS[name].arguments(entity)
    tool_name = f"{name}_{entity.plural if name == 'list' else entity.singular}"
    model = create_model(tool_name, __config__=config, **fields)
    schema = model.model_json_schema()
    for part in (schema, *schema["properties"].values()):
        part.pop("title", None)
        if part.get("default", ...) is None:
            del part["default"]
    return model, schema


def _api_tool(entity: Entity, name: str, sessions: Sessions, metrics: Metrics) -> ApiTool:
    operation = OPERATIONS[name]
    model, schema = _model(entity, name)
    tool = ApiTool(
        name=model.__name__,
        description=operation.description.format(
            plural=f"{entity.label}s",
            label=entity.label,
            singular=entity.singular,
            effect=entity.archive_effect,
        ),
        parameters=schema,
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
