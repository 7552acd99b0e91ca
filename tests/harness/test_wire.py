"""MCP on the wire."""

import json
from importlib.metadata import version

import httpx
import pytest

from toolbridge_harness.wire import Call, Era, Reply, identified, initialize, parse, tool_call


def _reply(body: object, status: int = 200, content_type: str = "application/json") -> Reply:
    text = body if isinstance(body, str) else json.dumps(body)
    response = httpx.Response(status, text=text, headers={"content-type": content_type})
    return parse(response, 0.1)


RESULT = {"jsonrpc": "2.0", "id": 1, "result": {"structuredContent": {"items": []}}}


def test_json_and_event_streams_read_alike() -> None:
    """The same message comes out of both framings, whatever else the stream holds."""
    progress = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {}}
    stream = f"event: message\ndata: {json.dumps(progress)}\n\ndata: {json.dumps(RESULT)}\n\n"

    assert _reply(RESULT).message == _reply(stream, content_type="text/event-stream").message


def test_a_payload_over_several_data_lines_is_joined() -> None:
    """Data lines of one event are joined with line breaks, CRLF or not."""
    stream = 'data: {"jsonrpc": "2.0", "id": 1,\r\ndata: "result": {"a": 1}}\r\n\r\n'

    assert {"a": 1} == _reply(stream, content_type="text/event-stream").result


@pytest.mark.parametrize(
    ("reply", "ok", "code"),
    [
        (_reply(RESULT), True, ""),
        (_reply({"result": {"isError": True, "structuredContent": {"error": {"code": "gone"}}}}),
         False, "gone"),
        (_reply({"error": {"code": -31401, "data": {"code": "invalid_token"}}}, 401),
         False, "invalid_token"),
        (_reply({"error": {"code": -32601, "message": "no"}}), False, ""),
        (_reply(RESULT, 500), False, ""),
        (_reply("[" * 100_000), False, ""),
        (_reply("<html>"), False, ""),
        (_reply({"result": None}), False, ""),
    ],
)  # fmt: skip
def test_an_answer_is_judged_by_all_of_it(reply: Reply, ok: bool, code: str) -> None:
    """Success needs 200, a result and no isError; the code comes from either kind of error."""
    assert (ok, code) == (reply.ok, reply.code)


def test_a_tool_that_answers_text_alone_is_understood() -> None:
    """Where a proxy sends no structured content, its text is read as JSON."""
    reply = _reply({"result": {"content": [{"type": "text", "text": '{"uid": "u"}'}]}})

    assert {"uid": "u"} == reply.data


def test_the_modern_era_carries_its_version_twice() -> None:
    """2026-07-28 needs the version in header and _meta, and the method and name in headers."""
    call = tool_call("list_notes", {"limit": 1}, era=Era.MODERN)
    headers = dict(call.header_list())
    meta = json.loads(call.body())["params"]["_meta"]

    assert "2026-07-28" == headers["MCP-Protocol-Version"]
    assert "2026-07-28" == meta["io.modelcontextprotocol/protocolVersion"]
    assert ("tools/call", "list_notes") == (headers["Mcp-Method"], headers["Mcp-Name"])


def test_a_notification_has_no_id() -> None:
    """Notifications are sent without an id, everything else with one."""
    assert "id" not in json.loads(Call("notifications/initialized").body())
    assert "id" in json.loads(Call("ping").body())


def test_the_suite_names_itself() -> None:
    """Owners of a live deployment can tell its traffic from an attack, and one run from another."""
    agent = f"toolbridge-verify/{version('toolbridge-mcp')}"

    assert ("User-Agent", agent) in Call("ping").header_list()
    assert ("User-Agent", f"{agent} (run 1a2b)") in identified(Call("ping").header_list(), "1a2b")
    assert [("User-Agent", f"{agent} (run 1a2b)")] == identified([], "1a2b")
    assert {"name": "toolbridge-verify", "version": version("toolbridge-mcp")} == (
        initialize().params["clientInfo"]
    )


@pytest.mark.parametrize("name", ["User-Agent", "user-agent"])
def test_a_check_may_call_itself_something_else(name: str) -> None:
    """A row that wants another User-Agent gets it, alone and unchanged."""
    headers = identified(Call("ping", headers=((name, "curl/8"),)).header_list(), "1a2b")

    assert [(name, "curl/8")] == [h for h in headers if h[0].lower() == "user-agent"]
