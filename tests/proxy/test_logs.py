"""What the log says, and what it must never say."""

import base64
import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from support.proxy_app import JWT_SECRET, TENANT_SECRET, Mcp, default_token
from support.proxy_upstream import UID, FakeGoApi, reply
from toolbridge_proxy import logs

NOTE = "canary note text"


@pytest.fixture
def logging_state() -> Iterator[None]:
    """Put the process's logging back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.fixture
def log_format(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", "json"))


@pytest.fixture
def lines(log_format: str, logging_state: None, monkeypatch: pytest.MonkeyPatch) -> "Lines":
    """The log at DEBUG."""
    stream = io.StringIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        logs.configure("DEBUG", log_format)
    return Lines(stream)


class Lines:
    """Reads what was logged."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    def text(self) -> str:
        return self._stream.getvalue()

    def events(self, name: str) -> list[dict[str, Any]]:
        parsed = [json.loads(line) for line in self.text().splitlines()]
        return [event for event in parsed if event["event"] == name]


async def test_one_line_per_upstream_request(mcp: Mcp, go_api: FakeGoApi, lines: Lines) -> None:
    """Method, route template, status, milliseconds, tenant and correlation id; no `error`."""
    await mcp.call("get_note", uid=UID)
    session, entity = lines.events("upstream_request")
    assert ("POST", "/v1/sync/sessions", 201) == (
        session["method"], session["route"], session["status"],
    )  # fmt: skip
    assert ("GET", "/v1/notes/{uid}", 200, "tenant-a", "info") == (
        entity["method"], entity["route"], entity["status"], entity["tenant_id"], entity["level"],
    )  # fmt: skip
    assert entity["ms"] >= 0
    assert session["correlation_id"] == entity["correlation_id"]
    assert "error" not in json.dumps([session, entity])


async def test_a_failed_request_is_a_warning_with_its_cause(
    mcp: Mcp, go_api: FakeGoApi, lines: Lines
) -> None:
    """The code is on the line, and the Go API's own correlation id."""
    go_api.entity.append(reply(500, {"error": "x", "correlation_id": "theirs"}))
    await mcp.error("get_note", uid=UID)
    line = lines.events("upstream_request")[-1]
    assert ("warning", "upstream_error", "theirs") == (
        line["level"], line["failure"], line["upstream_correlation_id"],
    )  # fmt: skip


async def test_each_tool_call_leaves_one_audit_line(
    mcp: Mcp, go_api: FakeGoApi, lines: Lines
) -> None:
    """Who (hashed), which tool, which object, and how it ended."""
    await mcp.call("delete_note", uid=UID)
    await mcp.error("get_note", uid="x")
    good, bad = lines.events("tool_call")
    assert ("delete_note", UID, "ok") == (good["tool"], good["uid"], good["outcome"])
    assert ("get_note", "invalid_argument") == (bad["tool"], bad["outcome"])
    assert good["principal"] == bad["principal"] != "alice"


async def test_a_denial_is_one_warning_with_a_reason(mcp: Mcp, lines: Lines) -> None:
    """The reason category, not the token."""
    await mcp.post("tools/call", {"name": "list_notes"}, token="a.b.c")
    (line,) = lines.events("denied")
    assert ("warning", "invalid_token", "malformed_base64") == (
        line["level"], line["code"], line["reason"],
    )  # fmt: skip


async def test_at_debug_the_signing_step_is_shown_but_cannot_be_replayed(
    mcp: Mcp, go_api: FakeGoApi, lines: Lines
) -> None:
    """Message, timestamp and the first eight hex digits."""
    await mcp.call("get_note", uid=UID)
    line = lines.events("signature")[-1]
    sent = go_api.requests[0].headers
    assert f"tenant-a:{sent['X-TB-Timestamp']}" == line["message"]
    assert sent["X-TB-Signature"][:8] == line["signature"]


@pytest.mark.parametrize("log_format", ["json", "console"], indirect=True)
async def test_no_secret_is_ever_logged(
    mcp: Mcp,
    go_api: FakeGoApi,
    lines: Lines,
    monkeypatch: pytest.MonkeyPatch,
    log_format: str,
) -> None:
    """Not at DEBUG, not from the libraries, not in the traceback of a crash."""
    mine = default_token()
    fields = {"title": NOTE, "content": NOTE, "additional_fields": {"x": NOTE}}
    await mcp.call("create_note", token=mine, **fields)
    await mcp.error("create_note", token=mine, title=NOTE, content=5, bogus=NOTE)
    await mcp.post("tools/call", {"name": "list_notes"}, token=mine[:-3] + "xyz")
    await mcp.post("tools/call", {"name": "x", "arguments": NOTE}, token=mine)
    await mcp.post(f"canary{NOTE}", {"x": NOTE}, token=mine, path=f"/mcp?access_token={mine}")

    def crash(*_: Any) -> Any:
        raise RuntimeError(NOTE, mine)

    monkeypatch.setattr("toolbridge_proxy.operations._json", crash)
    await mcp.error("create_note", token=mine, **fields)
    text = lines.text()
    signatures = [r.headers["X-TB-Signature"] for r in go_api.requests + go_api.sessions]
    secrets = [JWT_SECRET, TENANT_SECRET, NOTE, mine, mine.split(".")[2], *signatures]
    secrets += [base64.b64encode(secret.encode()).decode() for secret in secrets]
    assert "in crash\n" in text.replace("\\n", "\n")
    assert [] == [secret for secret in secrets if secret in text]


def test_a_line_break_in_a_value_is_no_second_line(lines: Lines) -> None:
    """One event is one physical line."""
    structlog.get_logger().info("x", value='a\r\n{"event":"forged"}\x1b[0m\u2028')
    text = lines.text()
    assert (1, False, False) == (text.count("\n"), "\x1b" in text, "\u2028" in text)


def test_a_librarys_message_is_withheld(lines: Lines) -> None:
    """The MCP library prints whole requests in its warnings; only the place is kept."""
    logging.getLogger("mcp.server.x").warning("request was %s", NOTE)
    (event,) = lines.events("message withheld")
    assert event["source"].startswith("mcp.server.x:")
    assert NOTE not in json.dumps(event)
