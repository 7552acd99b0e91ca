"""The 41 MCP tools: strict arguments in, the Go API's answer or a typed failure out."""

import functools
import time
from collections.abc import Awaitable, Callable
from typing import Any

from fastmcp.tools.base import Tool
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from starlette.types import Scope

from toolbridge_proxy.entities import ENTITIES, Entity
from toolbridge_proxy.errors import Result, ToolFailure, as_result
from toolbridge_proxy.logs import log
from toolbridge_proxy.metrics import Metrics
from toolbridge_proxy.operations import HEALTH_CHECK, OPERATIONS, OUTPUT_SCHEMA, Arguments, build
from toolbridge_proxy.sessions import Sessions
from toolbridge_proxy.upstream import Call

# Answers a call, given its arguments and the ASGI scope of its request; never raises.
Handler = Callable[[Arguments, Scope], Awaitable[Result]]


class ServedTool(Tool):
    """A tool as FastMCP lists it, with what answers its calls; FastMCP itself runs none."""

    handler: Handler = Field(exclude=True)


class Operate:
    """One operation on one entity."""

    def __init__(self, entity: Entity, operation: str, sessions: Sessions, metrics: Metrics):
        self.entity, self.operation = entity, operation
        self._sessions, self._metrics = sessions, metrics
        self.model, self.schema = _model(entity, operation)

    async def __call__(self, arguments: Arguments, scope: Scope) -> Result:
        """Validate, send, answer; every failure becomes a result."""
        started = time.monotonic()
        call = Call(
            scope["toolbridge.caller"],  # the gate lets no one come here without
            deadline=started + self._sessions.timeout_seconds,
            correlation_id=scope["toolbridge.correlation_id"],
            seconds=scope["toolbridge.seconds"],
        )
        given: Arguments = {}
        outcome = "cancelled"
        try:
            given |= _validated(self.model, arguments)
            request = build(self.entity, self.operation, given)
            answer = await self._sessions.send(request, call)
            outcome = "ok"
            return Result(answer.body.decode(), answer.body)
        except Exception as error:  # noqa: BLE001 - each is an answer; ours are logged
            failure = error if isinstance(error, ToolFailure) else ToolFailure("internal")
            if failure is not error:
                log.exception("tool_crashed", correlation_id=call.correlation_id)
            outcome = failure.code
            return as_result(failure, given.get("uid"), call.correlation_id)
        finally:
            tool, seconds = self.model.__name__, time.monotonic() - started
            self._metrics.calls.labels(tool, outcome).observe(seconds)
            who = {"principal": call.caller.fingerprint, "tenant_id": self._sessions.tenant_id}
            what = {"tool": tool, "uid": given.get("uid"), "correlation_id": call.correlation_id}
            log.info("tool_call", outcome=outcome, ms=round(seconds * 1000, 1), **who, **what)


def _validated(model: type[BaseModel], arguments: Arguments) -> Arguments:
    fields = model.model_fields
    present = {
        name: value
        for name, value in arguments.items()
        # null for an optional argument means absent
        if value is not None or name not in fields or fields[name].is_required()
    }
    try:
        valid = model.model_validate(present)
    except ValidationError as invalid:
        raise ToolFailure("invalid_argument", message=_rules(invalid)) from None
    # A default of None is no value either.
    return {name: value for name, value in valid if value is not None}


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
def _model(entity: Entity, operation: str) -> tuple[type[BaseModel], dict[str, Any]]:
    """Return the arguments of a tool, under the tool's name, and their schema.

    In the schema an optional argument has a type, not a null default.
    """
    config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)
    fields: dict[str, Any] = OPERATIONS[operation].arguments(entity)
    name = f"{operation}_{entity.plural if operation == 'list' else entity.singular}"
    model = create_model(name, __config__=config, **fields)
    schema = model.model_json_schema()
    for part in (schema, *schema["properties"].values()):
        part.pop("title", None)
        if part.get("default", ...) is None:
            del part["default"]
    return model, schema


async def _health(arguments: Arguments, scope: Scope) -> Result:
    """Say that the proxy answers; tells nothing about the deployment and needs no token."""
    if arguments:
        failure = ToolFailure("invalid_argument", message="takes no arguments")
        return as_result(failure, None, scope["toolbridge.correlation_id"])
    return Result('{"status":"ok"}', b'{"status":"ok"}')


def make_tools(sessions: Sessions, metrics: Metrics) -> dict[str, ServedTool]:
    """Return all 41 tools by name, in a fixed order."""
    health = ServedTool(**HEALTH_CHECK, handler=_health)
    tools = [
        _api_tool(Operate(entity, name, sessions, metrics))
        for entity in ENTITIES
        for name in OPERATIONS
    ]
    return {tool.name: tool for tool in (health, *tools)}


def _api_tool(operate: Operate) -> ServedTool:
    entity, operation = operate.entity, OPERATIONS[operate.operation]
    return ServedTool(
        name=operate.model.__name__,
        description=operation.description.format(e=entity),
        parameters=operate.schema,
        output_schema=OUTPUT_SCHEMA,
        annotations=operation.hints,
        handler=operate,
    )
