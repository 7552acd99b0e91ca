"""Read an MCP answer to a tool call strictly, and name what is wrong with it.

Sources: MCP 2025-11-25, transports (JSON or SSE answers) and server/tools (isError).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolbridge_loadtests.samples import MISMATCH

# Enough of a message to recognise it, too little to fill a report.
_EXCERPT = 160


@dataclass
class AnswerError(Exception):
    """An answer that is not the one asked for. `kind` has few values: errors are counted by it."""

    kind: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}" if self.detail else self.kind


def excerpt(text: str) -> str:
    """Return the start of a text on one line."""
    folded = " ".join(text.split())
    return folded if len(folded) <= _EXCERPT else folded[: _EXCERPT - 1] + "…"


def message(body: str, content_type: str) -> Mapping[str, Any]:
    """Return the JSON-RPC message in a body, plain or as the last SSE event that holds one."""
    text = body
    if content_type.startswith("text/event-stream"):
        data = [line[5:].strip() for line in body.splitlines() if line.startswith("data:")]
        text = next((line for line in reversed(data) if line), "")
    try:
        value = json.loads(text)
    except ValueError:
        raise AnswerError("not JSON", excerpt(body)) from None
    if not isinstance(value, dict):
        raise AnswerError("not a JSON-RPC message", excerpt(text))
    return value


def result(status: int, content_type: str, body: str, request_id: int) -> Mapping[str, Any]:
    """Return the `result` of an answer; AnswerError with HTTP status, error code or what is odd."""
    if status != 200:
        raise AnswerError(f"HTTP {status}", excerpt(body))
    answer = message(body, content_type)
    error = answer.get("error")
    if isinstance(error, dict):
        raise AnswerError(
            f"JSON-RPC error {error.get('code')}", excerpt(str(error.get("message", "")))
        )
    value = answer.get("result")
    if answer.get("id") != request_id or not isinstance(value, dict):
        raise AnswerError("not an answer to the request", excerpt(body))
    return value


def tool_content(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the structured content of a tool result, or the JSON in its first text block."""
    blocks = value.get("content")
    first = blocks[0] if isinstance(blocks, list) and blocks else {}
    text = str(first.get("text", "")) if isinstance(first, dict) else ""
    structured = value.get("structuredContent")
    if value.get("isError"):
        raise AnswerError(f"tool error {_error_code(structured)}".rstrip(), excerpt(text))
    if isinstance(structured, dict):
        return structured
    try:
        parsed = json.loads(text)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise AnswerError("tool result without JSON", excerpt(text))
    return parsed


def _error_code(structured: object) -> str:
    error = structured.get("error") if isinstance(structured, dict) else None
    return str(error.get("code", "")) if isinstance(error, dict) else ""


def expect_fields(item: Mapping[str, Any], expected: Mapping[str, str]) -> str:
    """Return the uid of an item; AnswerError unless its payload holds what was written."""
    uid, payload = item.get("uid"), item.get("payload")
    if not isinstance(uid, str) or not isinstance(payload, dict):
        raise AnswerError("not an item", excerpt(json.dumps(item, default=str)))
    for name, value in expected.items():
        if payload.get(name) != value:
            raise AnswerError(
                MISMATCH, excerpt(f"{name} of {uid} is {payload.get(name)!r}, written {value!r}")
            )
    return uid
