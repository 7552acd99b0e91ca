"""The 41 tools: their names and schemas, their arguments, and what each sends upstream."""

import base64
import json
import uuid
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from support.proxy_app import Mcp, default_token
from support.proxy_upstream import DELETED, ITEM, PAGE, UID, FakeGoApi, reply
from toolbridge_contract.tools import ENTITIES, HEALTH_CHECK, OPERATIONS, TOOL_NAMES, Entity

CURSOR = base64.urlsafe_b64encode(f"1732000000123|{UID}".encode()).rstrip(b"=").decode()
OTHER_UID = "00000000-0000-4000-8000-000000000001"
SAMPLES: dict[str, Any] = {
    "title": "T", "content": "C", "description": "", "status": "open", "priority": "high",
    "due_date": "2030-01-01T00:00:00Z", "tags": [], "parent_type": "note",
    "parent_uid": OTHER_UID, "chat_uid": OTHER_UID, "author": "A", "sender": "S",
    "participants": ["x"], "archived": True, "message_type": "text",
}  # fmt: skip


async def listed(mcp: Mcp) -> dict[str, dict[str, Any]]:
    response = await mcp.post("tools/list")
    return {tool["name"]: tool for tool in response.json()["result"]["tools"]}


async def test_exactly_the_41_tools_are_listed(both_eras: Mcp) -> None:
    """Forty tools and health_check, in the same order each time, without a token."""
    first, second = await listed(both_eras), await listed(both_eras)
    assert set(first) == TOOL_NAMES | {HEALTH_CHECK}
    assert list(first) == list(second)


async def test_each_schema_is_closed_and_names_what_is_required(mcp: Mcp) -> None:
    """Schemas allow no unknown argument; required ones are those of the tool table."""
    tools = await listed(mcp)
    for entity in ENTITIES:
        for operation in OPERATIONS:
            schema = tools[entity.tool(operation)]["inputSchema"]
            assert schema["additionalProperties"] is False
            assert required(entity, operation) == set(schema.get("required", []))


def required(entity: Entity, operation: str) -> set[str]:
    if operation == "create":
        return set(entity.required)
    extra = {"list": set(), "patch": {"uid", "updates"}, "process": {"uid", "action"}}
    if operation == "update":
        return {"uid", *(entity.required & entity.update.keys())}
    return extra.get(operation, {"uid"})


async def test_the_hints_are_true(mcp: Mcp) -> None:
    """list, get and health_check only read; delete and update destroy."""
    tools = await listed(mcp)
    hints = {name: tool["annotations"] for name, tool in tools.items()}
    reading = {name for name, hint in hints.items() if hint["readOnlyHint"]}
    destroying = {name for name, hint in hints.items() if hint["destructiveHint"]}
    assert reading == {
        name for name in tools if name.startswith(("list_", "get_")) or name == HEALTH_CHECK
    }
    assert destroying == {name for name in tools if name.startswith(("delete_", "update_"))}


async def test_update_says_what_it_drops(mcp: Mcp) -> None:
    """The description of update points to patch."""
    assert "patch_chat_message" in (await listed(mcp))["update_chat_message"]["description"]


Sent = tuple[str, str, dict[str, str], Any, str | None]


def sent(request: httpx.Request) -> Sent:
    """Return method, path, query, body and If-Match of a request."""
    body = json.loads(request.content) if request.content else None
    query = dict(parse_qsl(request.url.query.decode(), strict_parsing=bool(request.url.query)))
    return request.method, request.url.path, query, body, request.headers.get("if-match")


def expected_requests(entity: Entity) -> list[tuple[str, dict[str, Any], Sent]]:
    path, item = entity.collection, f"{entity.collection}/{UID}"
    update = {name: SAMPLES[name] for name in entity.update}
    updated = {json_name: SAMPLES[name] for name, json_name in entity.update.items()}
    action = min(entity.actions)
    deleted = {"includeDeleted": "true"}
    return [
        (entity.tool("list"), {}, ("GET", path, {"limit": "100"}, None, None)),
        (
            entity.tool("list"),
            {"limit": 7, "cursor": CURSOR, "include_deleted": True},
            ("GET", path, {"limit": "7", "cursor": CURSOR} | deleted, None, None),
        ),
        (entity.tool("get"), {"uid": UID.upper()}, ("GET", item, {}, None, None)),
        (
            entity.tool("get"),
            {"uid": UID, "include_deleted": True},
            ("GET", item, deleted, None, None),
        ),
        (entity.tool("update"), {"uid": UID} | update, ("PUT", item, {}, updated, None)),
        (
            entity.tool("update"),
            {"uid": UID, "if_match": 0, "additional_fields": {"zz": 2**63}} | update,
            ("PUT", item, {}, updated | {"zz": 2**63}, "0"),
        ),
        (
            entity.tool("patch"),
            {"uid": UID, "updates": {"a": None, "b": [1.5, {}]}, "if_match": 5},
            ("PATCH", item, {}, {"a": None, "b": [1.5, {}]}, "5"),
        ),
        (
            entity.tool("patch"),
            {"uid": UID, "updates": {"a": 1}, "if_match": None},
            ("PATCH", item, {}, {"a": 1}, None),
        ),
        (entity.tool("delete"), {"uid": UID}, ("DELETE", item, {}, None, None)),
        (entity.tool("archive"), {"uid": UID}, ("POST", f"{item}/archive", {}, None, None)),
        (
            entity.tool("process"),
            {"uid": UID, "action": action},
            ("POST", f"{item}/process", {}, {"action": action}, None),
        ),
        (
            entity.tool("process"),
            {"uid": UID, "action": action, "metadata": {}},
            ("POST", f"{item}/process", {}, {"action": action, "metadata": {}}, None),
        ),
    ]


CASES = [case for entity in ENTITIES for case in expected_requests(entity)]


@pytest.mark.parametrize(("tool", "arguments", "request_"), CASES)
async def test_a_tool_sends_exactly_its_request(
    tool: str, arguments: dict[str, Any], request_: Sent, mcp: Mcp, go_api: FakeGoApi
) -> None:
    """One request upstream: method, path, query, body and If-Match as the tool table says."""
    result = await mcp.call(tool, **arguments)
    assert [request_] == [sent(request) for request in go_api.requests]
    answer = PAGE if tool.startswith("list_") else DELETED if tool.startswith("delete_") else ITEM
    assert answer == result["structuredContent"] == json.loads(result["content"][0]["text"])


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.singular)
@pytest.mark.parametrize("full", [False, True])
async def test_create_sends_a_new_uid_and_what_was_given(
    entity: Entity, full: bool, mcp: Mcp, go_api: FakeGoApi
) -> None:
    """Falsy values are sent, absent ones are not; the uid is a fresh UUIDv4."""
    given = {name: SAMPLES[name] for name in entity.create if full or name in entity.required}
    extra: dict[str, Any] = {"additional_fields": {"x": {"y": []}}} if full else {}
    await mcp.call(entity.tool("create"), **given, **extra)
    method, path, query, body, _ = sent(go_api.requests[0])
    assert uuid.UUID(body["uid"]).version == 4
    assert str(uuid.UUID(body.pop("uid")))
    fields = {entity.create[name]: value for name, value in given.items()}
    if entity.singular == "chat" and not full:
        fields["archived"] = False
    assert ("POST", entity.collection, {}) == (method, path, query)
    assert fields | extra.get("additional_fields", {}) == body


UID_TOOLS = [e.tool(o) for e in ENTITIES for o in OPERATIONS if o not in ("list", "create")]
HOSTILE_UIDS: list[Any] = [
    "", ".", "..", f"../tasks/{UID}", f"{UID}/..", f"./{UID}", "../sync/wipe?", "../../healthz",
    "%2e%2e%2ftasks", "..;/", f"{UID}?includeDeleted=true", f"{UID}#x", f"{UID}/archive",
    f"{UID}/", "http://evil/x", "//evil/x", f"{UID}\r\nX-Evil: 1", f"{UID}\n", f" {UID}",
    f"{UID}\x00", UID.replace("-", ""), f"{{{UID}}}", f"urn:uuid:{UID}", "\uff11" + UID[1:],
    "a" * 100_000, 5, None, True, [UID], {"uid": UID},
]  # fmt: skip


def other_arguments(tool: str) -> dict[str, Any]:
    entity = next(e for e in ENTITIES for o in OPERATIONS if e.tool(o) == tool)
    if tool.startswith("update_"):
        return {name: SAMPLES[name] for name in entity.update}
    if tool.startswith("patch_"):
        return {"updates": {"a": 1}}
    return {"action": min(entity.actions)} if tool.startswith("process_") else {}


@pytest.mark.parametrize("tool", UID_TOOLS)
async def test_a_hostile_uid_reaches_nothing(tool: str, mcp: Mcp, go_api: FakeGoApi) -> None:
    """Only a canonical UUID becomes part of a path; everything else stays here."""
    rest = other_arguments(tool)
    codes = {(await mcp.error(tool, uid=uid, **rest))["code"] for uid in HOSTILE_UIDS}
    assert ({"invalid_argument"}, []) == (codes, go_api.requests)


BASES: dict[str, dict[str, Any]] = {
    "list_notes": {},
    "get_note": {"uid": UID},
    "patch_note": {"uid": UID, "updates": {"a": 1}},
    "create_note": {"title": "T", "content": "C"},
    "process_note": {"uid": UID, "action": "pin"},
    "update_note": {"uid": UID, "title": "T", "content": "C"},
    "create_comment": {"content": "C", "parent_type": "note", "parent_uid": UID},
    "create_task": {"title": "T"},
    "create_chat": {"title": "T"},
    "create_chat_message": {"content": "C", "chat_uid": UID},
    "delete_note": {"uid": UID},
}
BAD_VALUES: list[tuple[str, str, list[Any]]] = [
    ("list_notes", "limit", [0, -1, 1001, 2**31, 2**63, 1.5, 10.0, "10", " 5 ", "1_0", True, []]),
    (
        "list_notes",
        "cursor",
        ["", "x&limit=1000", "%26limit%3d1", "a\r\nb", "!!!", CURSOR + "=", CURSOR + "==",
         CURSOR[:-1], "MTIzfGFiYw", 5, "x" * 10_000],
    ),
    ("get_note", "include_deleted", ["false", "0", 0, 1, "no", []]),
    ("patch_note", "if_match", ["5\r\nX: 1", "*", 'W/"5"', "5", -1, 2**63, 1.0, True, [1]]),
    ("patch_note", "updates", [{}, "{}", None, [], 5, {"uid": OTHER_UID}, {"sync": {}}]),
    ("create_note", "tags", ["[]", "a", [1], [None], {"a": 1}, 5]),
    (
        "create_note",
        "additional_fields",
        [{"uid": OTHER_UID}, {"sync": {}}, {"title": "X"}, {"content": "X"}, {"tags": []}, "{}",
         [], 5],
    ),
    ("create_task", "additional_fields", [{"dueDate": "x"}]),
    ("create_note", "title", [None, 5, ["T"], ...]),
    ("create_note", "titel", ["x", None]),
    ("update_note", "if_mach", [1]),
    ("create_comment", "parent_type", ["user", "note;", "", ...]),
    ("create_comment", "parent_uid", ["x", None, ...]),
    ("create_chat_message", "chat_uid", ["x", None, ...]),
    ("create_chat", "archived", ["false", 0]),
    ("process_note", "action", ["PIN", "start", "", "../x", None, ...]),
    ("process_note", "metadata", [[], "{}", 5]),
    ("delete_note", "if_match", [1]),
]  # fmt: skip


@pytest.mark.parametrize(("tool", "argument", "values"), BAD_VALUES)
async def test_a_bad_argument_is_named_and_stays_here(
    tool: str, argument: str, values: list[Any], mcp: Mcp, go_api: FakeGoApi
) -> None:
    """Nothing is coerced, clamped or dropped: the argument is named and nothing is sent."""
    for value in values:
        given = BASES[tool] | {argument: value}
        error = await mcp.error(tool, **{k: v for k, v in given.items() if v is not ...})
        assert ("invalid_argument", True) == (error["code"], argument in error["message"]), value
        assert len(error["message"]) < 400
        assert "pydantic" not in error["message"]
    assert go_api.requests + go_api.sessions == []


@pytest.mark.parametrize("tool", BASES)
async def test_the_same_arguments_without_the_fault_are_accepted(tool: str, mcp: Mcp) -> None:
    """The control of the test above."""
    assert (await mcp.call(tool, **BASES[tool]))["isError"] is False


async def test_null_for_an_optional_argument_means_absent(mcp: Mcp, go_api: FakeGoApi) -> None:
    """All optional arguments of create may be null."""
    optional = {"description": None, "status": None, "due_date": None, "tags": None}
    await mcp.call("create_task", title="T", additional_fields=None, **optional)
    assert {"uid", "title"} == go_api.body.keys()


VALUES: list[Any] = [
    2**53 + 1, 2**63, -(2**63) - 1, 10**400, 0.1 + 0.2, 1.0, 1, -0.0, 1e-300, True, None, "",
    "e\u0301 \u00e9 \U0001f468\u200d\U0001f469 \u202e<script>&amp;%41+\t\u2028", "\u0000",
    "{settings.secret} %(x)s ${ENV}", {"__proto__": {}, "": 1, "a.b": 2},
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:30])
async def test_values_arrive_as_they_were_given(
    value: Any, both_eras: Mcp, go_api: FakeGoApi
) -> None:
    """Numbers keep every digit and their type, text every code point, in both eras."""
    await both_eras.call("patch_note", uid=UID, updates={"value": value})
    assert json.dumps({"value": value}) == json.dumps(go_api.body)


async def test_the_answer_keeps_every_digit_and_unknown_field(
    both_eras: Mcp, go_api: FakeGoApi
) -> None:
    """What the Go API sent is what the caller gets, as text and as structure."""
    item = ITEM | {"x": 2**70, "deletedAt": None, "payload": {"n": 0.1, "deep": [[[{"a": "é"}]]]}}

    go_api.entity.append(reply(200, item))
    result = await both_eras.call("get_note", uid=UID)
    assert item == result["structuredContent"] == json.loads(result["content"][0]["text"])


async def test_a_deep_answer_is_passed_on(both_eras: Mcp, go_api: FakeGoApi) -> None:
    """A payload of 150 levels arrives whole."""
    deep: Any = 1
    for _ in range(150):
        deep = [deep]
    item = ITEM | {"payload": {"deep": deep}}
    go_api.entity.append(reply(200, item))
    assert item == (await both_eras.call("get_note", uid=UID))["structuredContent"]


async def test_health_check_needs_nothing_and_tells_nothing(
    both_eras: Mcp, go_api: FakeGoApi
) -> None:
    """The same short answer with and without a token, and no request upstream."""
    params = {"name": HEALTH_CHECK, "arguments": {}}
    anonymous = await both_eras.post("tools/call", params)
    known = await both_eras.post("tools/call", params, token=default_token())
    assert {"status": "ok"} == anonymous.json()["result"]["structuredContent"]
    assert (anonymous.text, []) == (known.text, go_api.requests + go_api.sessions)


@pytest.mark.parametrize(
    "name", ["nope", "list_note", "LIST_NOTES", "list_notes ", "../x", "x" * 9999]
)
async def test_an_unknown_tool_is_an_invalid_parameter(
    name: str, both_eras: Mcp, go_api: FakeGoApi
) -> None:
    """JSON-RPC error -32602, not a tool result."""
    params = {"name": name, "arguments": {}}
    headers = {"Mcp-Name": name.strip()} if both_eras.modern and name != "list_notes " else {}
    response = await both_eras.post("tools/call", params, token=default_token(), headers=headers)
    code = response.json()["error"]["code"]
    assert code in ((-32602, -32020) if both_eras.modern else (-32602,))
    assert go_api.requests == []


@pytest.mark.parametrize("arguments", [None, [], "x", 5])
async def test_arguments_that_are_no_object_are_refused_or_empty(
    arguments: Any, both_eras: Mcp, go_api: FakeGoApi
) -> None:
    """null counts as none; anything else is an invalid parameter; never a server error."""
    response = await both_eras.post(
        "tools/call", {"name": "get_note", "arguments": arguments}, token=default_token()
    )
    answer = response.json()
    code = (
        answer["error"]["code"]
        if "error" in answer
        else answer["result"]["structuredContent"]["error"]["code"]
    )
    assert ("invalid_argument" if arguments is None else -32602, []) == (code, go_api.requests)


async def test_a_lost_mutation_names_the_uid_and_how_to_read_it_back(
    mcp: Mcp, go_api: FakeGoApi
) -> None:
    """outcome_unknown names the uid that create chose, and never suggests sending again."""
    go_api.entity.append(httpx.ReadError("reset"))
    error = await mcp.error("create_chat_message", content="C", chat_uid=UID)
    assert ("outcome_unknown", go_api.body["uid"]) == (error["code"], error["uid"])
    assert f"{error['uid']} back first with get_chat_message" in error["message"]
    assert not {"retry", "again"} & set(error["message"].lower().replace(",", " ").split())
