"""The tools' arguments: what is refused, and what arrives as it is."""

from typing import Any

from toolbridge_contract.tools import ENTITIES, NOTE, Operation
from toolbridge_harness.model import Ask, Severity, Vantage
from toolbridge_harness.objects import (
    any_arguments,
    create_arguments,
    replacement,
    require_payload,
)
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import require, require_equal

_CONTROL = ("control-token", "tools-note-life-cycle")


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
    """Updates an object of each kind, then with its first version and with 0, one by one."""
    for entity in ENTITIES:
        arguments = await create_arguments(caller, entity)
        item = await caller.given(entity.tool("create"), arguments)
        uid, version = {"uid": item["uid"]}, item["version"]
        kept, late = (replacement(caller, entity, arguments) for _ in range(2))
        await caller.given(entity.tool("update"), {**uid, **kept, "if_match": version})
        changes: tuple[tuple[Operation, dict[str, Any]], ...] = (
            ("update", {**late, "if_match": version}),
            ("update", {**late, "if_match": 0}),
            ("patch", {"updates": {"late": True}, "if_match": version}),
        )
        for operation, fields in changes:
            tool = entity.tool(operation)
            reply = await caller.call(tool, {**uid, **fields})
            what = f"{tool} with if_match {fields['if_match']}:"
            require_equal("precondition_failed", reply.code, what)
        item = await caller.given(entity.tool("get"), uid)
        written = {entity.update[name]: value for name, value in kept.items()}
        require_payload(item, written, f"get of the {entity.label} after the refused changes")


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
    """Sends eleven wrong arguments, and to each tool one that it does not know."""
    await caller.control()
    note = await caller.given("create_note", {"title": caller.text(), "content": "x"})
    seen = await caller.mark()
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
    kinds = ENTITIES[: target.sample(len(ENTITIES), live=1)]
    known = [pair for entity in kinds for pair in any_arguments(entity, uid).items()]
    unknown = [(tool, {**arguments, "if_mach": 1}) for tool, arguments in known]
    for tool, arguments in (*wrong, *unknown):
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
    task = await caller.given("create_task", {"title": caller.text()})
    own = task["uid"]
    await caller.given("get_task", {"uid": own})
    seen = await caller.mark()
    uids = [f"../tasks/{own}", f"a/../../tasks/{own}", f"..%2ftasks%2f{own}", ".", "..", ""]
    uids += [f"{own}?includeDeleted=true", f"{own}#x", f"{own}/archive", f"{own}/", f" {own}"]
    uids += [f"{own}\r\nX-Evil: 1", f"{own}\0", "http://127.0.0.1:9/x", "//127.0.0.1:9/x"]
    uids.append("../sync/state")
    if target.may(Ask.DESTRUCTIVE):  # the caller may be a user who owns something
        uids.append("../sync/wipe?")
    calls = [
        (tool, {"uid": uid, **more})
        for uid in uids
        for tool, more in (("get_note", {}), ("process_note", {"action": "pin"}))
    ]
    for entity in ENTITIES[: target.sample(len(ENTITIES), live=1)]:
        whole = any_arguments(entity, own).items()
        calls += [(tool, {**given, "uid": uids[0]}) for tool, given in whole if "uid" in given]
    for tool, arguments in calls:
        reply = await caller.call(tool, arguments)
        refused = reply.code == "invalid_argument" or reply.rpc_error.get("code") == -32602
        require(refused, f"{tool} of {arguments['uid'][:40]!r} to be refused", reply.brief)
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
    require_payload(item, arguments, "create with empty values")
    seen = await caller.mark()
    await caller.ok("list_notes", {"limit": 1, "include_deleted": False})
    sent = " ".join(request.target for request in await caller.entity_requests(seen))
    require("/v1/notes" in sent, "one request for the list", sent or "none of this caller's")
    require("includeDeleted=true" not in sent, "no includeDeleted=true for false", sent)
    for value in ("false", "0", 0, "no"):
        seen = await caller.mark()
        await caller.call("list_notes", {"limit": 1, "include_deleted": value})
        sent = " ".join(request.target for request in await caller.entity_requests(seen))
        require("includeDeleted=true" not in sent, f"no includeDeleted=true for {value!r}", sent)


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
    broken="additional_fields are lost, or overwrite what they must not",
)
async def additional_fields_do_not_override(target: Target, caller: Caller) -> None:
    """Creates a note, and creates and updates others whose additional_fields name its uid."""
    title = caller.text("first")
    first = await caller.given("create_note", {"title": title, "content": "x"})
    extra = await caller.ok(
        NOTE.tool("create"),
        {"title": caller.text(), "content": "x", "additional_fields": {"colour": "red"}},
    )
    require_payload(extra, {"colour": "red"}, "create with an additional field")
    for fields in ({"uid": first["uid"]}, {"title": "other"}, {"sync": {"version": 9}}):
        arguments = {"title": caller.text(), "content": "x", "additional_fields": fields}
        reply = await caller.call("create_note", arguments)
        if reply.ok and "title" in fields:
            require_payload(reply.data, {"title": arguments["title"]}, "the named title")
        arguments |= {"uid": extra["uid"]}
        reply = await caller.call("update_note", arguments)
        if reply.ok and "title" in fields:
            require_payload(
                reply.data, {"title": arguments["title"]}, "the named title of an update"
            )
    item = await caller.given("get_note", {"uid": first["uid"]})
    require_payload(item, {"title": title}, "the first note afterwards")
    require_equal(first["version"], item["version"], "its version:")
