"""Proxies that break a rule of MCP or of its transport (M-P of the published table)."""

import asyncio
import json
import re
from dataclasses import replace
from typing import Any

from starlette.responses import JSONResponse, Response

from mutants.table import mutant
from support.patching import patch
from support.rewritten import Serve, around_gate, parsed
from toolbridge_proxy import app, calls, edge, gate, tools, upstream

SILENT = "transport-no-silent-execution"


@mutant("M-P03", "a preflight lets every page in", rows="MCP-24", cause="transport-origin")
def cors() -> None:
    """The Origin comes back, with credentials and Authorization allowed."""

    def make(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http" or scope["method"] != "OPTIONS":
                await original(self, scope, receive, send)
                return
            origin = dict(scope["headers"]).get(b"origin", b"*").decode()
            headers = {
                "Access-Control-Allow-Origin": origin,
                "Access-Control-Allow-Credentials": "true",
                "Access-Control-Allow-Headers": "authorization, content-type",
            }
            await Response(status_code=204, headers=headers)(scope, receive, send)

        return call

    patch(edge.Edge, "__call__", make)


@mutant("M-P04", "JSON-RPC batches are executed", rows="MCP-06", cause=SILENT)
def batches() -> None:
    """One after another, as 2025-03-26 had it."""

    async def serve(proper: Serve, scope: Any, body: bytes) -> Response:
        messages = parsed(body)
        if not isinstance(messages, list) or not messages:
            return await proper(scope, body)
        found = [await proper(scope, json.dumps(message).encode()) for message in messages]
        return JSONResponse([parsed(bytes(answer.body)) for answer in found])

    around_gate(serve)


@mutant("notifications-run", "a tool is run for a call without an id", rows="MCP-07", cause=SILENT)
def notifications_run() -> None:
    """A moment after the answer."""
    running: set[asyncio.Task[Response]] = set()

    async def serve(proper: Serve, scope: Any, body: bytes) -> Response:
        message = parsed(body)
        called = isinstance(message, dict) and message.get("method") == "tools/call"
        if not called or "id" in message:
            return await proper(scope, body)

        async def later() -> Response:
            await asyncio.sleep(0.15)
            return await proper(scope, json.dumps({**message, "id": 77}).encode())

        task = asyncio.create_task(later())
        running.add(task)
        task.add_done_callback(running.discard)
        return Response(status_code=202)

    around_gate(serve)


@mutant("M-P05", "a call whose id is null is run", rows="MCP-08", cause=SILENT)
def null_ids() -> None:
    """And answered with the id null."""

    def make(original: Any) -> Any:
        def check(message: Any) -> None:
            null = isinstance(message, dict) and message.get("id", 0) is None
            original(message | {"id": 0} if null else message)

        return check

    patch(gate, "_check_envelope", make)


@mutant(
    "M-P06",
    "Mcp-Name and Mcp-Method are not compared with the body",
    rows="MCP-16",
    cause="transport-header-body",
)
def headers_unread() -> None:
    """The body alone counts."""

    def make(original: Any) -> Any:
        def classify(body: Any, *, headers: Any) -> Any:
            said = {"mcp-method": body.get("method"), "mcp-name": body["params"].get("name")}
            return original(body, headers={**headers, **said})

        return classify

    patch(calls, "classify_inbound_request", make)


def _types(pattern: str) -> None:
    patch(gate, "_JSON", lambda _: re.compile(pattern))


@mutant("M-P07", "text/plain is accepted", rows="MCP-05", cause="transport-content-type")
def text_plain() -> None:
    """As a page of another site can send it unasked."""
    _types(r"(?i)(?:application/json|text/plain)(?:\s*;.*)?")


@mutant(
    "type-by-prefix",
    "whatever begins with application/json is taken for it",
    rows="MCP-05",
    cause="transport-content-type",
)
def type_by_prefix() -> None:
    """startswith."""
    _types(r"(?i)application/json.*")


@mutant(
    "type-optional",
    "a body without a Content-Type is accepted",
    rows="MCP-05",
    cause="transport-content-type",
)
def type_optional() -> None:
    """Which a page can send unasked, too."""
    _types(r"(?i)(?:application/json(?:\s*;.*)?)?")


def _tools(change: Any) -> None:
    def make(original: Any) -> Any:
        def made(*given: Any) -> dict[str, tools.ServedTool]:
            known: dict[str, tools.ServedTool] = original(*given)
            change(known)
            return known

        return made

    patch(app, "make_tools", make)


@mutant("M-P09", "one of the 40 tools is missing", rows="MCP-01", cause="tools-inventory")
def one_missing() -> None:
    """process_chat_message."""
    _tools(lambda known: known.pop("process_chat_message"))


@mutant("raw-request-tool", "there is a tool raw_request", rows="MCP-01", cause="tools-inventory")
def raw_request() -> None:
    """Left over from development."""

    def add(known: dict[str, tools.ServedTool]) -> None:
        known["raw_request"] = known["health_check"].model_copy(update={"name": "raw_request"})

    _tools(add)


def _built(change: Any) -> None:
    def make(original: Any) -> Any:
        def build(entity: Any, operation: str, given: Any) -> upstream.ApiRequest:
            request: upstream.ApiRequest = change(original, entity, operation, given)
            return request

        return build

    patch(tools, "build", make)


@mutant("M-P10", "list_chats lists the notes", rows="MCP-02", cause="tools-chat-life-cycle")
def chats_are_notes() -> None:
    """Copied, and not changed everywhere."""

    def change(original: Any, entity: Any, operation: str, given: Any) -> Any:
        request = original(entity, operation, given)
        wrong = (entity.plural, operation) == ("chats", "list")
        return replace(request, path="/v1/notes") if wrong else request

    _built(change)


@mutant(
    "archive-deletes", "archive_task deletes the task", rows="MCP-02", cause="tools-task-life-cycle"
)
def archive_deletes() -> None:
    """The copied line is the one of delete_task."""

    def change(original: Any, entity: Any, operation: str, given: Any) -> Any:
        wrong = (entity.plural, operation) == ("tasks", "archive")
        return original(entity, "delete" if wrong else operation, given)

    _built(change)
