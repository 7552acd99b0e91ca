"""FastMCP's own client against the reference proxy, in both protocol eras."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from fastmcp.exceptions import ToolError
from mcp import MCPError
from mcp_types import TextContent

from toolbridge_contract.tools import HEALTH_CHECK, TOOL_NAMES

pytestmark = pytest.mark.interop

# What a client that may choose ends up with, and what one without the choice does.
REVISIONS = {"auto": "2026-07-28", "legacy": "2025-11-25"}
INVALID_PARAMS = -32602
UNAUTHENTICATED = -31401

MCPClient = Client[StreamableHttpTransport]


@pytest.fixture(params=REVISIONS)
def mode(request: pytest.FixtureRequest) -> str:
    """The client's way of choosing a revision."""
    chosen: str = request.param
    return chosen


@pytest.fixture
async def client(mcp_url: str, token: str, mode: str) -> AsyncIterator[MCPClient]:
    """A connected client with a token."""
    async with Client(StreamableHttpTransport(mcp_url, auth=token), mode=mode) as connected:
        yield connected


async def test_it_negotiates_the_revision_of_its_era(client: MCPClient, mode: str) -> None:
    """`auto` ends up without a handshake, `legacy` with one."""
    assert REVISIONS[mode] == client.protocol_version


async def test_it_is_offered_tools_and_nothing_else(client: MCPClient) -> None:
    """A client is not told of prompts, resources, completions or logging that are not there."""
    assert client.server_capabilities
    offered = set(client.server_capabilities.model_dump(exclude_none=True))

    assert {"tools"} == offered


async def test_it_lists_the_tools(client: MCPClient) -> None:
    """All 41 of them, by their names."""
    tools = await client.list_tools()

    assert TOOL_NAMES | {HEALTH_CHECK} == {tool.name for tool in tools}
    assert 41 == len(tools)


async def test_a_note_lives_and_dies(client: MCPClient) -> None:
    """Created, read, listed, deleted, gone: with what was written in between."""
    made = await client.call_tool("create_note", {"title": "Größe", "content": "1\n2"})
    uid = made.data["uid"]
    read = await client.call_tool("get_note", {"uid": uid})
    listed = await client.call_tool("list_notes", {"limit": 5})
    await client.call_tool("delete_note", {"uid": uid})
    left = await client.call_tool("list_notes", {})

    payload = read.data["payload"]
    assert (uid, "Größe", "1\n2") == (read.data["uid"], payload["title"], payload["content"])
    assert [uid] == [item["uid"] for item in listed.data["items"]]
    assert [] == left.data["items"]
    with pytest.raises(ToolError, match="gone"):
        await client.call_tool("get_note", {"uid": uid})


@pytest.mark.parametrize(
    ("tool", "arguments", "code"),
    [
        ("get_task", {"uid": "00000000-0000-4000-8000-000000000000"}, "not_found"),
        ("list_tasks", {"limit": "many"}, "invalid_argument"),
        ("create_comment", {"content": "no parent"}, "invalid_argument"),
    ],
)
async def test_a_tool_error_is_a_result(
    client: MCPClient, tool: str, arguments: dict[str, Any], code: str
) -> None:
    """The client gets the error object beside the text that a model reads."""
    answer = await client.call_tool(tool, arguments, raise_on_error=False)

    assert answer.structured_content is not None
    error, text = answer.structured_content["error"], answer.content[0]
    assert isinstance(text, TextContent)
    assert (True, code, error["message"]) == (answer.is_error, error["code"], text.text)


async def test_an_unknown_tool_is_invalid_params(client: MCPClient) -> None:
    """It is a protocol error and not a result."""
    with pytest.raises(MCPError) as raised:
        await client.call_tool("no_such_tool", {})

    assert INVALID_PARAMS == raised.value.error.code


async def test_without_a_token_the_refusal_is_told(mcp_url: str, mode: str) -> None:
    """health_check works and a call that needs a token fails with the proxy's own code."""
    async with Client(StreamableHttpTransport(mcp_url), mode=mode) as anonymous:
        health = await anonymous.call_tool(HEALTH_CHECK, {})
        with pytest.raises(MCPError) as raised:
            await anonymous.call_tool("list_notes", {})

    assert {"status": "ok"} == health.data
    assert UNAUTHENTICATED == raised.value.error.code
