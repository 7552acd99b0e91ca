"""The values of arguments: each stays in its place, and what has no place is refused by name."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from toolbridge_contract.tools import NOTE, TASK
from toolbridge_harness.model import Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.spelled import eras, is_invalid, is_refusal, said, send_body
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import Violation, require, require_equal

NEEDS = {Vantage.TOKENS, Vantage.UPSTREAM}
_CONTROL = ("control-token", "tools-note-life-cycle")
_WITH_PARENTS = (
    "tools-comment-life-cycle",
    "tools-chat_message-life-cycle",
    "resilience-create-once",
)
_UNKNOWN = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
# More than any key or action has, and little enough for every body limit.
LONG = "x" * 10_000


def _texts() -> Iterator[tuple[str, str]]:
    """Yield (what it is, text): JSON that is no object or no list of strings, and none at all."""
    for text in ("[]", "5", "null", '"x"', "{", '{"a":1,"a":2}'):
        yield text, text
    yield "an object 500 levels deep", '{"a":' * 500 + "1" + "}" * 500
    yield "a megabyte", "x" * 10**6


@check(
    "tools-text-for-objects",
    "Text and other types where an object or a list belongs are refused, naming the argument",
    severity=Severity.MEDIUM,
    catalogue="INP-14",
    source="check catalogue INP-14; DESIGN: arguments are not coerced from strings",
    remedy="Require objects and lists; where text is accepted, parse it strictly, check its type.",
    why="A null that becomes the body of a PUT makes the Go API panic.",
    needs=NEEDS,
    explained_by=(*_CONTROL, "tools-arguments"),
    broken="text where an object belongs crashes the call, or is sent to the Go API",
)
async def texts_are_no_objects(target: Target, caller: Caller) -> None:
    """Sends eight texts and three other types for updates, additional_fields, metadata and tags."""
    note = await caller.control_write()
    uid = {"uid": note["uid"]}
    places: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("patch_note", "updates", uid),
        ("create_note", "additional_fields", {"title": "t", "content": "c"}),
        ("update_note", "additional_fields", uid | {"title": "t", "content": "c"}),
        ("process_note", "metadata", uid | {"action": "pin"}),
        ("create_note", "tags", {"title": "t", "content": "c"}),
    )
    seen = await caller.mark()
    for tool, name, more in places:
        others: list[tuple[str, Any]] = [("true", True), ("[1]", [1])]
        others += [("{}", {})] if name == "tags" else [("[]", [])]
        for what, value in (*((f"the text {w}", t) for w, t in _texts()), *others):
            reply = await caller.call(tool, {**more, name: value})
            told = is_invalid(reply) and name in said(reply)
            require(told, f"{tool}: {name} refused by its name for {what}", reply.brief)
    require_equal(0, len(await caller.upstream(seen)), "requests for arguments of wrong types:")
    await caller.control_write()


KEYS = ("__proto__", "constructor", "__class__", "__init__", "__globals__", "$where", "", "a.b")


@check(
    "tools-odd-keys",
    "Keys that mean something in some language are stored as they are, or refused",
    severity=Severity.MEDIUM,
    catalogue=("INP-15", "INP-20"),
    source="CWE-1321, CWE-915, CWE-158",
    remedy="Treat objects as data: no attributes, no templates, no paths out of keys.",
    why="Keys are chosen by callers; a key that reaches code is code.",
    needs=NEEDS,
    explained_by=(*_CONTROL, "tools-patch-exact"),
    broken="some keys or characters are dropped, changed, retried or crash the call",
)
async def odd_keys_are_data(target: Target, caller: Caller) -> None:
    """Patches eleven keys, one at a time, and puts NUL into keys and texts."""
    note = await caller.control_write()
    value = caller.text()
    tables: list[dict[str, Any]] = [{key: value} for key in (*KEYS, LONG)]
    tables += [{"a\0b": value}, {"title": f"{value}\0"}, {"tags": ["\0"]}]
    for updates in tables:
        seen = await caller.mark()
        reply = await caller.call("patch_note", {"uid": note["uid"], "updates": updates})
        what = f"the key {next(iter(updates))[:20]!r}"
        sent = await caller.entity_requests(seen)
        require(reply.ok or is_refusal(reply), f"{what} stored or refused", reply.brief)
        require(len(sent) == 1 or (not sent and not reply.ok), f"{what} sent once", len(sent))
        for request in sent:
            if json.loads(request.body) != updates:
                raise Violation(f"{what} as it is in the body", repr(request.body[:120]))
    await caller.control()


@check(
    "tools-actions",
    "Only the actions of a kind of object are carried out, in their exact spelling",
    severity=Severity.MEDIUM,
    catalogue="INP-31",
    source="check catalogue INP-31; contract: tools",
    remedy="Compare the action with the list of its kind, as it is; the Go API's 400 is an error.",
    why="An action that is taken for another changes something that nobody asked for.",
    needs=Vantage.TOKENS,
    explained_by=(*_CONTROL, "tools-task-life-cycle", "tools-arguments"),
    broken="actions that do not exist are carried out, or crash the call",
)
async def unknown_actions_are_refused(target: Target, caller: Caller) -> None:
    """Sends actions of other kinds, in capitals, padded, long and made up, for notes and tasks."""
    note = await caller.control_write()
    task = await caller.given("create_task", {"title": caller.text()})
    for entity, item in ((NOTE, note), (TASK, task)):
        good = next(iter(entity.actions))
        foreign = next(iter((TASK if entity is NOTE else NOTE).actions))
        actions = (foreign, good.upper(), good.title(), f" {good}", f"{good}\n", f"{good}\0")
        for action in (*actions, "", LONG, f"../{good}", f"{good}/../wipe", "delete", "__class__"):
            reply = await caller.call(
                entity.tool("process"), {"uid": item["uid"], "action": action}
            )
            what = f"{entity.tool('process')} with {action[:30]!r}"
            require(is_invalid(reply), f"{what} to be refused as invalid", reply.brief)
        kept = await caller.given(entity.tool("get"), {"uid": item["uid"]})
        what = f"version of the {entity.label} after refused actions:"
        require_equal(item["version"], kept["version"], what)
        await caller.given(entity.tool("process"), {"uid": item["uid"], "action": good})
    large = {"uid": note["uid"], "action": "pin", "metadata": {"m": "x" * 10**6}}
    reply = await caller.call("process_note", large)
    require(reply.ok or is_refusal(reply), "a megabyte of metadata stored or refused", reply.brief)


@check(
    "tools-parents",
    "Comments and messages without a good parent are errors, and sent at most once",
    severity=Severity.MEDIUM,
    catalogue="INP-32",
    source="check catalogue INP-32; Go API: a missing parent is a 500",
    remedy="Check parent_type and uids before sending; never repeat a write after a 500.",
    why="The Go API says 500 for a parent that is not there: repeating it helps nobody.",
    needs=NEEDS,
    explained_by=(*_CONTROL, *_WITH_PARENTS),
    broken="children without a parent are reported as made, or sent again and again",
)
async def parents_are_needed(target: Target, caller: Caller) -> None:
    """Names parents of other kinds, no uids and unknown uids, and counts what is sent."""
    note = await caller.control_write()
    seen = await caller.mark()
    comment = {"content": caller.text(), "parent_type": "note", "parent_uid": note["uid"]}
    message = {"content": caller.text(), "chat_uid": note["uid"]}
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("create_comment", comment | {"parent_type": kind})
        for kind in ("user", "note;", "", "Note", "chat", "../tasks")
    ]
    wrong += [("create_comment", comment | {"parent_uid": uid}) for uid in ("", "x", "../tasks")]
    wrong += [("create_chat_message", {"content": "x"}), ("create_comment", {"content": "x"})]
    wrong += [("create_chat_message", message | {"chat_uid": "x"})]
    for tool, arguments in wrong:
        reply = await caller.call(tool, arguments)
        require(is_refusal(reply) and not reply.ok, f"{tool} {arguments} refused", reply.brief)
    sent = await caller.entity_requests(seen)
    require(len(sent) <= len(wrong), "each refused call sent at most once", f"{len(sent)} requests")
    for tool, arguments in (
        ("create_comment", comment | {"parent_uid": _UNKNOWN}),
        ("create_chat_message", message | {"chat_uid": _UNKNOWN}),
    ):
        seen = await caller.mark()
        reply = await caller.call(tool, arguments)
        require(is_refusal(reply) and not reply.ok, f"{tool} without its parent", reply.brief)
        posts = [r for r in await caller.entity_requests(seen) if r.method == "POST"]
        require(len(posts) <= 1, f"{tool} without its parent sent once", f"{len(posts)} times")
    await caller.given("create_comment", comment)


@check(
    "tools-no-arguments",
    "Arguments that are null, missing or no object count as none, or are refused",
    severity=Severity.LOW,
    catalogue="INP-25",
    source="MCP 2025-11-25 schema (CallToolRequest); JSON-RPC 2.0 §4.2",
    remedy="Take null and absent for no arguments; refuse other types with -32602.",
    why="Some clients leave arguments out where a tool needs none.",
    needs=Vantage.TOKENS,
    explained_by=("control-token",),
    broken="a call without arguments crashes",
)
async def arguments_may_be_missing(target: Target, caller: Caller) -> None:
    """Calls a tool that needs no arguments, and one that does, with null, [], a text and none."""
    values: tuple[Any, ...] = (..., None, [], "x", 5)
    await caller.control()
    for era in eras(caller):
        for tool in ("list_notes", "get_note", "health_check"):
            good = replace(caller.request(tool), era=era)
            for value in values:
                params = {"name": tool} | ({} if value is ... else {"arguments": value})
                reply = await send_body(caller, good, replace(good, params=params).body())
                what = f"{tool}, arguments {'absent' if value is ... else repr(value)}, {era.value}"
                require(reply.ok or is_refusal(reply), f"{what}: served or refused", reply.brief)
                wrong = reply.ok and tool == "get_note"
                require(not wrong, f"{what}: an error, as a uid is needed", reply.brief)
    await caller.control()
