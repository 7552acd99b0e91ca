"""The tools: all of them there, each doing what its name says, to the right kind of object."""

from typing import Any

from toolbridge_contract.tools import (
    CHAT,
    COMMENT,
    ENTITIES,
    HEALTH_CHECK,
    NOTE,
    TOOL_NAMES,
    Entity,
)
from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import Untestable, Violation, require, require_equal
from toolbridge_harness.wire import Call

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
    reply = await target.send(Call("tools/list", token=None))
    if reply.status == 401 and caller.token is not None:
        reply = await target.send(Call("tools/list", token=caller.token))
    tools = reply.result.get("tools")
    if not isinstance(tools, list):
        raise Violation("a list of tools", reply.brief)
    names = [tool.get("name") for tool in tools]
    wanted = TOOL_NAMES | {HEALTH_CHECK}
    missing, extra = sorted(wanted - set(names)), sorted(set(names) - wanted)
    require_equal(([], []), (missing, extra), "missing and unknown tools:")
    require_equal(len(wanted), len(names), "tools, without repetition:")
    for tool in tools:
        described = tool.get("description") and tool.get("inputSchema", {}).get("type") == "object"
        require(described, "a description and an object schema", tool["name"])


async def _arguments(caller: Caller, entity: Entity) -> dict[str, Any]:
    """Return valid create arguments with fresh random content, making the parent first."""
    arguments: dict[str, Any] = {name: caller.text(name) for name in entity.required}
    if entity is COMMENT:
        note = await caller.ok("create_note", {"title": caller.text(), "content": "parent"})
        arguments |= {"parent_type": "note", "parent_uid": note["uid"]}
    if entity.singular == "chat_message":
        chat = await caller.ok("create_chat", {"title": caller.text()})
        arguments["chat_uid"] = chat["uid"]
    return arguments


def _require_payload(item: Any, fields: dict[str, Any], step: str) -> None:
    payload = item.get("payload") if isinstance(item, dict) else None
    if not isinstance(payload, dict):
        raise Violation(f"an item with a payload from {step}", repr(item)[:200])
    read = {name: payload.get(name) for name in fields}
    require_equal(fields, read, f"{step}:")


async def _live(caller: Caller, entity: Entity) -> None:
    """Take one object through all eight operations, reading back after each."""
    arguments = await _arguments(caller, entity)
    item = await caller.ok(entity.tool("create"), arguments)
    uid = {"uid": item["uid"]}
    written = {entity.create[name]: value for name, value in arguments.items()}
    _require_payload(item, written, "create")
    _require_payload(await caller.ok(entity.tool("get"), uid), written, "get after create")
    require_equal(1, await _listed(caller, entity, item["uid"]), "times in the list after create:")
    replaced = {n: v for n, v in arguments.items() if n in entity.update}
    replaced |= {name: caller.text("new") for name in ("title", "content") if name in replaced}
    item = await caller.ok(entity.tool("update"), {**uid, **replaced, "if_match": item["version"]})
    updated = {entity.update[name]: value for name, value in replaced.items()}
    _require_payload(await caller.ok(entity.tool("get"), uid), updated, "get after update")
    patch = {"extra": caller.text("patch")}
    await caller.ok(entity.tool("patch"), {**uid, "updates": patch, "if_match": item["version"]})
    item = await caller.ok(entity.tool("get"), uid)
    _require_payload(item, updated | patch, "get after patch")
    await caller.ok(entity.tool("archive"), uid)
    _require_payload(await caller.ok(entity.tool("get"), uid), entity.archive, "get after archive")
    for action, effect in entity.actions.items():
        await caller.ok(entity.tool("process"), {**uid, "action": action})
        item = await caller.ok(entity.tool("get"), uid)
        _require_payload(item, updated | patch | effect, f"get after process {action}")
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
        explained_by=_CONTROL,
        broken=f"the tools for {label}s do not do what their names say",
    )
    async def life_cycle(target: Target, caller: Caller) -> None:
        """Takes an object with random content through all eight tools, reading back each time."""
        await _live(caller, entity)


for _entity in ENTITIES:
    _declare_life_cycle(_entity)


@check(
    "tools-update-conflict",
    "An update with a stale version is refused and changes nothing",
    severity=Severity.CRITICAL,
    catalogue=("INP-12", "SES-15", "INP-10", "INP-11"),
    source="RFC 9110 §13.1.1",
    remedy="Send If-Match as a decimal number, 0 included, on update and patch.",
    why="The Go API ignores an If-Match that it cannot read, and writes: edits get lost.",
    needs=Vantage.TOKENS,
    explained_by=_CONTROL,
    broken="stale updates overwrite newer ones: If-Match is not sent in a form the Go API reads",
)
async def stale_update_is_refused(target: Target, caller: Caller) -> None:
    """Updates a note twice with its first version, and once with version 0, one after another."""
    note = await caller.ok("create_note", {"title": caller.text("v1"), "content": "x"})
    uid, version = note["uid"], note["version"]
    kept = caller.text("v2")
    fields = {"uid": uid, "title": kept, "content": "y", "if_match": version}
    await caller.ok("update_note", fields)
    late = {"uid": uid, "title": caller.text("late"), "content": "z"}
    for tool, arguments in (
        ("update_note", late | {"if_match": version}),
        ("update_note", late | {"if_match": 0}),
        ("patch_note", {"uid": uid, "updates": {"title": "late"}, "if_match": version}),
    ):
        reply = await caller.call(tool, arguments)
        what = f"{tool} with if_match {arguments['if_match']}:"
        require_equal("precondition_failed", reply.code, what)
    item = await caller.ok("get_note", {"uid": uid})
    _require_payload(item, {"title": kept}, "get after the refused updates")


@check(
    "tools-arguments",
    "Arguments that the tool does not know, or of the wrong type, are refused by name",
    severity=Severity.HIGH,
    catalogue=("INP-09", "INP-23", "INP-24"),
    source="MCP 2025-11-25 server/tools (validate all inputs)",
    remedy="Validate strictly: no coercion, no unknown arguments, limit within 1 to 1000.",
    why="A misspelt `if_match` that is dropped in silence turns a safe write into an unsafe one.",
    needs=Vantage.TOKENS,
    broken="wrong arguments are accepted or dropped in silence",
)
async def wrong_arguments_are_refused(target: Target, caller: Caller) -> None:
    """Sends ten wrong arguments, each beside a good call, and counts what reached upstream."""
    await caller.control()
    note = await caller.ok("create_note", {"title": caller.text(), "content": "x"})
    seen = (await caller.upstream())[-1].seq if target.has_upstream else 0
    uid = note["uid"]
    wrong: tuple[tuple[str, dict[str, Any]], ...] = (
        ("list_notes", {"limit": 0}),
        ("list_notes", {"limit": 1001}),
        ("list_notes", {"limit": "10"}),
        ("list_notes", {"limit": 1.5}),
        ("list_notes", {"limt": 5}),
        ("update_note", {"uid": uid, "title": "t", "content": "c", "if_mach": 1}),
        ("update_note", {"uid": uid, "title": "t", "content": "c", "if_match": True}),
        ("create_note", {"title": ["t"], "content": "c"}),
        ("create_note", {"title": "t"}),
        ("process_note", {"uid": uid, "action": "complete"}),
        ("patch_note", {"uid": uid, "updates": {}}),
    )
    for tool, arguments in wrong:
        reply = await caller.call(tool, arguments)
        refused = reply.code == "invalid_argument" or reply.rpc_error.get("code") == -32602
        require(refused, f"{tool} {arguments} to be refused as invalid", reply.brief)
    if target.has_upstream:
        sent = await caller.upstream(seen)
        require_equal(0, len(sent), "upstream requests for invalid arguments:")


@check(
    "tools-uid-closed",
    "No uid leads out of its own collection",
    severity=Severity.CRITICAL,
    catalogue=("INP-01", "INP-02", "INP-03", "INP-04"),
    source="RFC 3986 §5.2.4; CWE-22",
    remedy="Accept a canonical UUID and nothing else, before a path is built.",
    why='HTTP clients resolve `..`: get_note("../tasks/<uid>") reads a task, '
    "and worse paths wipe data.",
    needs=Vantage.TOKENS,
    explained_by=_CONTROL,
    broken="a crafted uid reaches other paths of the Go API",
)
async def hostile_uids_are_refused(target: Target, caller: Caller) -> None:
    """Sends traversal, queries, fragments, control characters and other hosts as a uid."""
    task = await caller.ok("create_task", {"title": caller.text()})
    own = task["uid"]
    await caller.ok("get_task", {"uid": own})
    seen = (await caller.upstream())[-1].seq if target.has_upstream else 0
    uids = [f"../tasks/{own}", f"a/../../tasks/{own}", f"..%2ftasks%2f{own}", ".", "..", ""]
    uids += [f"{own}?includeDeleted=true", f"{own}#x", f"{own}/archive", f"{own}/", f" {own}"]
    uids += [f"{own}\r\nX-Evil: 1", f"{own}\0", "http://127.0.0.1:9/x", "//127.0.0.1:9/x"]
    uids += ["../sync/state", "../sync/wipe?"]
    for uid in uids:
        for tool, more in (("get_note", {}), ("process_note", {"action": "pin"})):
            reply = await caller.call(tool, {"uid": uid, **more})
            refused = reply.code == "invalid_argument" or reply.rpc_error.get("code") == -32602
            require(refused, f"{tool} of {uid[:40]!r} to be refused", reply.brief)
    if target.has_upstream:
        sent = [r.target for r in await caller.upstream(seen)]
        require_equal([], sent, "upstream requests for hostile uids:")


@check(
    "tools-falsy-values",
    "Values that are empty but present arrive as they are",
    severity=Severity.MEDIUM,
    catalogue=("INP-27", "INP-28"),
    source="check catalogue INP-27",
    remedy="Test for absence with `is None`, never with truth.",
    why="`if tags:` makes it impossible to clear a list or a text.",
    needs={Vantage.TOKENS, Vantage.UPSTREAM},
    explained_by=_CONTROL,
    broken="empty values are dropped on the way to the Go API",
)
async def falsy_values_arrive(target: Target, caller: Caller) -> None:
    """Creates a note with an empty title and no tags, and lists with include_deleted false."""
    await caller.control()
    arguments = {"title": "", "content": "", "tags": []}
    item = await caller.ok("create_note", arguments)
    _require_payload(item, arguments, "create with empty values")
    seen = (await caller.upstream())[-1].seq
    await caller.ok("list_notes", {"limit": 1, "include_deleted": False})
    sent = (await caller.entity_requests(seen))[0].target
    require("includeDeleted=true" not in sent, "no includeDeleted=true for false", sent)


@check(
    "tools-reserved-fields",
    "additional_fields cannot replace the uid or a named argument",
    severity=Severity.CRITICAL,
    catalogue="INP-13",
    source="OWASP API3:2023; CWE-915",
    remedy="Refuse reserved and named fields in additional_fields, or let named arguments win.",
    why="A create with an existing uid overwrites that object in the Go API.",
    needs=Vantage.TOKENS,
    explained_by=_CONTROL,
    broken="additional_fields can overwrite existing objects",
)
async def additional_fields_do_not_override(target: Target, caller: Caller) -> None:
    """Creates a note, then another whose additional_fields name the first one's uid."""
    title = caller.text("first")
    first = await caller.ok("create_note", {"title": title, "content": "x"})
    extra = await caller.ok(
        NOTE.tool("create"),
        {"title": caller.text(), "content": "x", "additional_fields": {"colour": "red"}},
    )
    _require_payload(extra, {"colour": "red"}, "create with an additional field")
    for fields in ({"uid": first["uid"]}, {"title": "other"}, {"sync": {"version": 9}}):
        arguments = {"title": caller.text(), "content": "x", "additional_fields": fields}
        reply = await caller.call("create_note", arguments)
        if reply.ok and "title" in fields:
            _require_payload(reply.data, {"title": arguments["title"]}, "the named title")
    item = await caller.ok("get_note", {"uid": first["uid"]})
    _require_payload(item, {"title": title}, "the first note afterwards")
    require_equal(first["version"], item["version"], "its version:")


@check(
    "tools-text-fidelity",
    "Text comes back code point by code point",
    severity=Severity.HIGH,
    catalogue=("INP-22", "INP-29", "INP-37"),
    source="check catalogue INP-22; CWE-134",
    remedy="Pass text through: no normalising, trimming, escaping, formatting or parsing.",
    why="Notes are the user's own words; templates in them must stay words.",
    needs=Vantage.TOKENS,
    explained_by=_CONTROL,
    broken="text is changed on its way to the Go API or back",
)
async def text_survives(target: Target, caller: Caller) -> None:
    """Writes and reads emoji, combining marks, markup, templates, JSON and 100 kB of text."""
    samples = [
        "👩‍👩‍👧 e\u0301 \u00e9 \u202eabc\u202c \ufeff",
        "<script>&amp; %41 + {settings.secret} {0} ${HOME} %(x)s {{7*7}}",
        '{"a": [1, 2]}',
        "  leading, trailing, tabs\t and\r\nlines \u2028 ",
        caller.text() + "x" * 100_000,
    ]
    for sample in samples:
        item = await caller.ok("create_note", {"title": caller.text(), "content": sample})
        read = await caller.ok("get_note", {"uid": item["uid"]})
        if read["payload"].get("content") != sample:
            shown = repr(read["payload"].get("content"))[:120]
            raise Violation(f"the content {sample[:60]!r}", shown)


@check(
    "tools-list-walk",
    "A walk over all pages finds every item once",
    severity=Severity.HIGH,
    catalogue="INP-35",
    source="check catalogue INP-35",
    remedy="Send limit and cursor as given, and relay nextCursor as it comes.",
    why="A page that is lost or read twice is data that an agent never sees or counts double.",
    needs=Vantage.MINT,
    explained_by=_CONTROL,
    broken="listing page by page loses or repeats items",
)
async def pages_are_complete(target: Target, caller: Caller) -> None:
    """Creates seven chats and walks them two at a time until an empty page."""
    made = [
        (await caller.ok(CHAT.tool("create"), {"title": caller.text()}))["uid"] for _ in range(7)
    ]
    found: list[str] = []
    arguments: dict[str, Any] = {"limit": 2}
    for _ in range(len(made) + 2):
        page = await caller.ok("list_chats", arguments)
        items = page["items"]
        require(len(items) <= 2, "at most 2 items for limit 2", len(items))
        found += [item["uid"] for item in items]
        if not items or not page.get("nextCursor"):
            break
        arguments = {"limit": 2, "cursor": page["nextCursor"]}
    else:
        raise Untestable("the walk did not come to an end")
    require_equal(sorted(made), sorted(found), "uids found by the walk:")
