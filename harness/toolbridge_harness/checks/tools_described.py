"""What the list says about each tool, and whether its answers are what that promises."""

import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no type information
from referencing import Registry
from referencing.exceptions import Unresolvable

from toolbridge_contract.tools import ENTITIES, HEALTH_CHECK, OPERATIONS, Entity
from toolbridge_harness.inventory import list_tools
from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.objects import create_arguments, replacement
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import Advisory, ControlFailed, Violation, require
from toolbridge_harness.wire import Reply

_READING = frozenset({"list", "get"})


async def _listed(caller: Caller) -> dict[str, dict[str, Any]]:
    """Return the tools by name."""
    tools, reply = await list_tools(caller, caller.token)
    if not tools:
        raise ControlFailed(f"tools/list gave no list: {reply.brief}")
    return {str(tool.get("name")): tool for tool in tools}


@check(
    "tools-annotations",
    "No tool that writes calls itself read-only, and none that deletes harmless",
    severity=Severity.LOW,
    catalogue="MCP-35",
    source="MCP 2025-11-25 server/tools, annotations",
    remedy="Set readOnlyHint on list and get alone, and destructiveHint on delete.",
    why="Clients run what is read-only without asking the user first.",
    needs=Vantage.TOKENS,
    explained_by=("control-token", "tools-inventory"),
    broken="tools that write or delete call themselves harmless",
)
async def hints_are_true(target: Target, caller: Caller) -> None:
    """Reads the hints of the 40 tools."""
    await caller.control()
    tools = await _listed(caller)
    silent = []
    for operation in OPERATIONS:
        for name in [entity.tool(operation) for entity in ENTITIES]:
            hints = tools.get(name, {}).get("annotations") or {}
            read_only = hints.get("readOnlyHint", False)
            if operation in _READING:
                silent += [] if read_only else [name]
                continue
            require(read_only is False, f"no readOnlyHint on {name}", read_only)
            # Absent, the hint of a tool that writes is true.
            harmless = operation == "delete" and hints.get("destructiveHint", True) is False
            require(not harmless, f"no destructiveHint of false on {name}", "there is one")
    if silent:
        raise Advisory("readOnlyHint on the tools that read", f"none on {', '.join(silent)}")


def _life(entity: Entity, uid: str, arguments: dict[str, Any], new: Any) -> list[tuple[str, Any]]:
    """Return calls of the tools that work on one object, in an order in which all succeed."""
    this = {"uid": uid}
    action = next(iter(entity.actions))
    return [
        (entity.tool("list"), {"limit": 1}),
        (entity.tool("get"), this),
        (entity.tool("update"), this | new),
        (entity.tool("patch"), this | {"updates": {"extra": arguments}}),
        (entity.tool("process"), this | {"action": action}),
        (entity.tool("archive"), this),
        (entity.tool("delete"), this),
    ]


@check(
    "tools-results",
    "Each tool's text is its structured content, and both are what its schema promises",
    severity=Severity.MEDIUM,
    catalogue="MCP-34",
    source="MCP 2025-11-25 server/tools, structured content, error handling",
    remedy="Put one JSON into both; set isError on failures; promise what the Go API keeps.",
    why="Half of the clients read the text, half the structure, and strict ones check the schema.",
    needs=Vantage.TOKENS,
    profile=Profile.FULL,
    explained_by=(
        "control-token",
        "tools-inventory",
        *(f"tools-{entity.singular}-life-cycle" for entity in ENTITIES),
    ),
    broken="tools answer in text something else than in structured content or in their schema",
)
async def answers_are_what_is_promised(target: Target, caller: Caller) -> None:
    """Calls each of the 41 tools with success, and get of each kind without."""
    tools = await _listed(caller)
    _promised(tools, HEALTH_CHECK, await caller.call(HEALTH_CHECK))
    for entity in ENTITIES:
        arguments = await create_arguments(caller, entity)
        made = await caller.call(entity.tool("create"), arguments)
        _promised(tools, entity.tool("create"), made)
        uid, new = made.data["uid"], replacement(caller, entity, arguments)
        for name, given in _life(entity, uid, arguments, new):
            _promised(tools, name, await caller.call(name, given))
        gone = await caller.call(entity.tool("get"), {"uid": uid})
        failed = gone.result.get("isError") is True and gone.tool_text
        require(failed, f"isError and a text from {entity.tool('get')} of what is gone", gone.brief)


def _promised(tools: dict[str, dict[str, Any]], name: str, reply: Reply) -> None:
    """Require that a success says the same in both forms and keeps to the tool's own schema."""
    require(reply.ok, f"{name} to succeed", reply.brief)
    schema = tools.get(name, {}).get("outputSchema")
    structured = reply.result.get("structuredContent")
    if schema is not None:
        require(structured is not None, f"structured content from {name}", reply.brief)
        require_valid(structured, schema, name)
    if structured is None:
        return
    try:
        said = json.loads(reply.tool_text)
    except ValueError:
        said = None
    require(said == structured, f"the text of {name} to be its structured content", reply.brief)


def require_valid(value: Any, schema: Any, name: str) -> None:
    """Require a schema of JSON Schema 2020-12, which is complete in itself, and what it allows."""
    # An empty registry, so that no reference of a target's schema is ever fetched.
    validator = jsonschema.Draft202012Validator(schema, registry=Registry())
    try:
        validator.check_schema(schema)
        wrong = next(iter(validator.iter_errors(value)), None)
    except (jsonschema.SchemaError, Unresolvable) as problem:
        raise Violation(f"an outputSchema of {name} that can be used", str(problem)) from None
    require(wrong is None, f"an answer of {name} that its outputSchema allows", wrong)
