"""What a user's notes may be after writes that met faults."""

import json
from typing import Any

import httpx
import pytest

from toolbridge_harness.notebook import Note, Notebook
from toolbridge_harness.verdicts import Violation
from toolbridge_harness.wire import Reply, parse


def told(code: str = "", status: int = 200) -> Reply:
    """An answer that says success, or an error with `code`."""
    content: dict[str, Any] = {"error": {"code": code}} if code else {"uid": "u1"}
    result = {"isError": bool(code), "structuredContent": content}
    return parse(httpx.Response(status, text=json.dumps({"result": result})), 0.0)


def item(content: str, version: int) -> dict[str, Any]:
    """A note as the Go API lists it."""
    return {"uid": "u1", "version": version, "payload": {"title": "t", "content": content}}


@pytest.mark.parametrize(
    ("code", "may_be"),
    [
        ("", [[item("a", 1)]]),
        ("outcome_unknown", [[], [item("a", 1)]]),
        ("upstream_error", [[]]),
    ],
)
def test_a_create_may_be_there_as_far_as_was_said(
    code: str, may_be: list[list[dict[str, Any]]]
) -> None:
    """Acknowledged: once; unknown: once or not; failed: not."""
    for items in ([], [item("a", 1)], [item("a", 2)], [item("a", 1), item("a", 1)]):
        note, notebook = Note("t"), Notebook()
        notebook.notes["t"] = note
        notebook.told(note, ("a", 1), told(code), "a create")
        if items in may_be:
            notebook.compare(items)
            assert ("a", 1) == note.state if items else note.state is None
        else:
            with pytest.raises(Violation):
                notebook.compare(items)


def test_a_note_that_nobody_wrote_is_a_violation() -> None:
    """Notes of others, or under a changed title."""
    with pytest.raises(Violation, match="no note under the title 't'"):
        Notebook().compare([item("a", 1)])


@pytest.mark.parametrize("reply", [told("x", 502), told("", 500)])
def test_a_verdict_is_a_tool_result(reply: Reply) -> None:
    """A crash is neither success nor failure."""
    with pytest.raises(Violation, match="success or a tool error"):
        Notebook().told(Note("t"), ("a", 1), reply, "a create")
