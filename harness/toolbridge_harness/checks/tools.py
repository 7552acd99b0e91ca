"""The tools: all of them there, each doing what its name says, to the right kind of object."""

from typing import Any

from toolbridge_contract.tools import ENTITIES, HEALTH_CHECK, NOTE, TOOL_NAMES, Entity
from toolbridge_harness.inventory import list_tools
from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.objects import create_arguments, replacement, require_payload
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import Violation, require, require_equal

_CONTROL = ("control-token",)


@check(
    "tools-inventory",
    "tools/list is exactly the 40 tools and health_check, for everybody alike",
    severity=Severity.HIGH,
    catalogue="MCP-01",
    source="MCP 2025-11-25 server/tools; OWASP MCP03, MCP09",
    remedy="Register the tools from the one table; remove debug and raw-request tools.",
    why="Clients call these names; a tool that nobody knows of is a door nobody watches.",
    profile=Profile.SMOKE,
    broken="the list of tools is not the 40 tools and health_check",
)
async def inventory_is_exact(target: Target, caller: Caller) -> None:
    """Compares names, and that each has a description and an object schema."""
    tools, reply = await list_tools(caller, None)
    if reply.status == 401 and caller.token is not None:
        tools, reply = await list_tools(caller, caller.token)
    if not tools:
        raise Violation("a list of tools", reply.brief)
    names = [tool.get("name") for tool in tools]
    wanted = TOOL_NAMES | {HEALTH_CHECK}
    missing, extra = sorted(wanted - set(names)), sorted(set(names) - wanted)
    require_equal(([], []), (missing, extra), "missing and unknown tools:")
    require_equal(len(wanted), len(names), "tools, without repetition:")
    for tool in tools:
        described = tool.get("description") and tool.get("inputSchema", {}).get("type") == "object"
        require(described, "a description and an object schema", tool["name"])


async def _live(caller: Caller, entity: Entity) -> None:
    """Take one object through all eight operations, reading back after each."""
    arguments = await create_arguments(caller, entity)
    item = await caller.ok(entity.tool("create"), arguments)
    uid = {"uid": item["uid"]}
    written = {entity.create[name]: value for name, value in arguments.items()}
    require_payload(item, written, "create")
    require_payload(await caller.ok(entity.tool("get"), uid), written, "get after create")
    require_equal(1, await _listed(caller, entity, item["uid"]), "times in the list after create:")
    replaced = replacement(caller, entity, arguments)
    item = await caller.ok(entity.tool("update"), {**uid, **replaced, "if_match": item["version"]})
    updated = {entity.update[name]: value for name, value in replaced.items()}
    require_payload(await caller.ok(entity.tool("get"), uid), updated, "get after update")
    patch = {"extra": caller.text("patch")}
    await caller.ok(entity.tool("patch"), {**uid, "updates": patch, "if_match": item["version"]})
    item = await caller.ok(entity.tool("get"), uid)
    require_payload(item, updated | patch, "get after patch")
    await caller.ok(entity.tool("archive"), uid)
    require_payload(await caller.ok(entity.tool("get"), uid), entity.archive, "get after archive")
    for action, effect in entity.actions.items():
        await caller.ok(entity.tool("process"), {**uid, "action": action})
        item = await caller.ok(entity.tool("get"), uid)
        require_payload(item, updated | patch | effect, f"get after process {action}")
    await _end(caller, entity, uid)


async def _listed(caller: Caller, entity: Entity, uid: str) -> int:
    """Return how often the object is listed; given users may have others of other checks."""
    page = await caller.ok(entity.tool("list"), {"limit": 1000})
    return [item["uid"] for item in page["items"]].count(uid)


async def _end(caller: Caller, entity: Entity, uid: dict[str, Any]) -> None:
    await caller.ok(entity.tool("delete"), uid)
    gone = await caller.call(entity.tool("get"), uid)
    require_equal("gone", gone.code, "get after delete:")
    kept = await caller.ok(entity.tool("get"), {**uid, "include_deleted": True})
    require(kept.get("deletedAt"), "deletedAt on a deleted item that is asked for", kept)
    require_equal(0, await _listed(caller, entity, uid["uid"]), "times in the list after delete:")
    again = await caller.call(entity.tool("delete"), uid)
    require_equal("gone", again.code, "delete after delete:")


def _causes(entity: Entity) -> tuple[str, ...]:
    # What is wrong with all five kinds alike is said once, of notes.
    alike = () if entity is NOTE else ("tools-note-life-cycle",)
    return (*_CONTROL, "tools-patch-exact", *alike)


def _declare_life_cycle(entity: Entity) -> None:
    label = entity.label

    @check(
        f"tools-{entity.singular}-life-cycle",
        f"A {label} can be created, read, listed, changed, archived, processed and deleted",
        severity=Severity.CRITICAL,
        catalogue=("MCP-02", "INP-34"),
        source="docs/checks.md; shared table of tools",
        remedy=f"Compare method, path and body of each {entity.singular} tool with the table.",
        why="Forty tools from one pattern invite copy-and-paste mistakes, one entity at a time.",
        needs=Vantage.TOKENS,
        explained_by=_causes(entity),
        broken=f"the tools for {label}s do not do what their names say",
    )
    async def life_cycle(target: Target, caller: Caller) -> None:
        """Takes an object with random content through all eight tools, reading back each time."""
        await _live(caller, entity)


for _entity in ENTITIES:
    _declare_life_cycle(_entity)
