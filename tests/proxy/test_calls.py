"""Calls of tools: the proxy's own answers are the MCP library's, and it runs none itself."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastmcp.server.dependencies import get_http_request
from fastmcp.tools.base import ToolResult
from mcp_types import TextContent

from support.proxy_app import MODERN, Mcp, default_token
from support.proxy_upstream import ITEM, UID, FakeGoApi, reply
from toolbridge_proxy import calls
from toolbridge_proxy.tools import ServedTool

DROP = object()
CALL = {"name": "get_note", "arguments": {"uid": UID}}
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
}
# What is changed in the message, as a path to a value, and in the headers.
CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nothing": ({}, {}),
    "a text as id": ({"id": 'a"\u2028ü'}, {}),
    "zero as id": ({"id": 0}, {}),
    "a huge id": ({"id": 2**63}, {}),
    "an empty id": ({"id": ""}, {}),
    "no id": ({"id": DROP}, {}),
    "no params": ({"params": DROP}, {}),
    "a list of params": ({"params": []}, {}),
    "null params": ({"params": None}, {}),
    "no name": ({"params.name": DROP}, {}),
    "a number as name": ({"params.name": 5}, {}),
    "no arguments": ({"params.arguments": DROP}, {}),
    "null arguments": ({"params.arguments": None}, {}),
    "a text of arguments": ({"params.arguments": "{}"}, {}),
    "a list of arguments": ({"params.arguments": []}, {}),
    "bad arguments": ({"params.arguments": {"uid": "x"}}, {}),
    "an unknown argument": ({"params.arguments": {"uid": UID, "x": 1}}, {}),
    "an unknown member": ({"params.x": 1}, {}),
    "an unknown member outside": ({"x": 1}, {}),
    "a progress token": ({"params._meta.progressToken": 5}, {}),
    "an odd progress token": ({"params._meta.progressToken": []}, {}),
    "a list as meta": ({"params._meta": []}, {}),
    "null meta": ({"params._meta": None}, {}),
    "another member name": ({"params.tool_name": "x"}, {}),
    "a result beside the method": ({"result": {}}, {}),
    "the health check": ({"params": {"name": "health_check"}}, {"Mcp-Name": "health_check"}),
    "another version in the message": (
        {"params._meta.io/modelcontextprotocol/protocolVersion": "2025-06-18"},
        {},
    ),
    "another version in the header": ({}, {"MCP-Protocol-Version": "2099-01-01"}),
    "the oldest version in the header": ({}, {"MCP-Protocol-Version": "2024-11-05"}),
    "no version in the header": ({}, {"MCP-Protocol-Version": DROP}),
    "another name in the header": ({}, {"Mcp-Name": "delete_note"}),
    "no name in the header": ({}, {"Mcp-Name": DROP}),
    "a name in base64": ({}, {"Mcp-Name": "=?base64?Z2V0X25vdGU=?="}),
    "another method in the header": ({}, {"Mcp-Method": "tools/list"}),
    "no method in the header": ({}, {"Mcp-Method": DROP}),
    "a parameter in a header": ({}, {"Mcp-Param-Uid": "x"}),
    "an old session": ({}, {"Mcp-Session-Id": "abc"}),
    "accept pages": ({}, {"Accept": "text/html"}),
    "accept streams": ({}, {"Accept": "text/event-stream"}),
    "accept JSON": ({}, {"Accept": "application/json;q=0.5"}),
    "accept applications": ({}, {"Accept": "application/*"}),
    "accept anything": ({}, {"Accept": "*/*"}),
}


def changed(tree: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of `tree` with each path set, or dropped."""
    tree = copy.deepcopy(tree)
    for path, value in changes.items():
        *parents, last = path.replace("io/", "io.").split(".", 2 if "io/" in path else 5)
        place = tree
        for name in parents:
            place = place.setdefault(name, {})
        if value is DROP:
            place.pop(last, None)
        else:
            place[last] = value
    return tree


async def answer(mcp: Mcp, change: str) -> tuple[int, Any]:
    """Send the changed call; return the status and the body."""
    in_message, in_headers = CHANGES[change]
    params = CALL | ({"_meta": META} if mcp.modern else {})
    headers = {
        "Accept": "application/json, text/event-stream",
        "Authorization": f"Bearer {default_token()}",
        "X-Correlation-ID": "same",
    }
    if mcp.modern:
        headers |= {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call"}
        headers["Mcp-Name"] = "get_note"
    message = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}
    body = json.dumps(changed(message, in_message))
    headers = changed(headers, in_headers) | {"Content-Type": "application/json"}
    response = await mcp.http.post("/mcp", content=body, headers=headers)
    return response.status_code, json.loads(response.content or "null")


async def _run(tool: ServedTool, arguments: dict[str, Any]) -> ToolResult:
    """Run a tool as FastMCP's own tools are run."""
    result = await tool.handler(arguments, get_http_request().scope)
    text = TextContent(type="text", text=result.text)
    return ToolResult([text], json.loads(result.structured), is_error=result.outcome != "ok")


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Leave every call to the MCP library, inside a `with library.context()`."""
    with monkeypatch.context() as patch:
        patch.setattr(ServedTool, "run", _run)
        yield patch


@pytest.mark.parametrize("change", CHANGES)
async def test_an_answer_is_the_one_that_the_mcp_library_would_give(
    change: str, both_eras: Mcp, go_api: FakeGoApi, library: pytest.MonkeyPatch
) -> None:
    """Status and JSON, for good calls, failed ones and every kind of refusal."""
    ours = await answer(both_eras, change)
    library.setattr(calls, "_runnable", lambda *_: None)
    assert await answer(both_eras, change) == ours


async def test_numbers_and_text_pass_through_unchanged(both_eras: Mcp, go_api: FakeGoApi) -> None:
    """The Go API's bytes are the structured content: no digit is lost, no character escaped."""
    payload = {"big": 2**70, "small": 1e-300, "text": 'ü\u2028"\\\U0001f600', "none": None}
    go_api.entity.append(reply(200, ITEM | {"payload": payload}))
    result = await both_eras.call("get_note", uid=UID)
    assert payload == result["structuredContent"]["payload"]
    assert result["structuredContent"] == json.loads(result["content"][0]["text"])


@pytest.mark.parametrize("change", CHANGES)
async def test_the_mcp_library_itself_runs_no_tool(
    change: str, both_eras: Mcp, go_api: FakeGoApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it would run is answered before; so nothing can slip by the audit line."""
    ran: list[str] = []

    async def run(tool: ServedTool, arguments: dict[str, Any]) -> ToolResult:
        ran.append(tool.name)
        return ToolResult([])

    monkeypatch.setattr(ServedTool, "run", run)
    await answer(both_eras, change)
    assert [] == ran
