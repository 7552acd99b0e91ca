"""Proxies that answer what needs no answer, in the wrong type, or to the wrong kind of request."""

import asyncio
import gzip
import json
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from mutants.table import mutant
from support.patching import patch
from support.rewritten import Serve, answers, around_gate, header, parsed, requests
from toolbridge_proxy import app, calls, tools

NOTIFICATIONS, ACCEPT = "transport-notifications", "transport-accept"
METHODS, FORMS = "transport-methods-token", "transport-http-forms"


def _silent(message: Any) -> bool:
    """Whether nobody waits for an answer to this message."""
    return isinstance(message, dict) and ("id" not in message or "method" not in message)


@mutant(
    "notification-200", "a notification gets 200 and an object", rows="MCP-13", cause=NOTIFICATIONS
)
def notification_200() -> None:
    """Which is no JSON-RPC message."""

    def rewrite(_: Any, __: Any, answer: Response) -> Response:
        return JSONResponse({}) if answer.status_code == 202 else answer

    answers(rewrite)


@mutant(
    "accepted-with-body",
    "202 for a notification has a body",
    rows="MCP-13",
    cause=NOTIFICATIONS,
)
def accepted_with_body() -> None:
    """That says what the status says."""

    def rewrite(_: Any, __: Any, answer: Response) -> Response:
        taken = answer.status_code == 202
        return JSONResponse({"status": "accepted"}, 202) if taken else answer

    answers(rewrite)


@mutant(
    "refused-with-202",
    "a notification that cannot be accepted gets 202",
    rows="MCP-13",
    cause=NOTIFICATIONS,
)
def refused_with_202() -> None:
    """Nobody waits for the answer, so nobody will miss the error."""

    def rewrite(message: Any, _: Any, answer: Response) -> Response:
        lost = _silent(message) and answer.status_code == 400
        return Response(status_code=202) if lost else answer

    answers(rewrite)


@mutant(
    "response-crash",
    "a response that nobody asked for crashes",
    rows="MCP-13",
    cause=NOTIFICATIONS,
)
def response_crash() -> None:
    """A KeyError."""

    async def serve(proper: Serve, scope: Any, body: bytes) -> Response:
        message = parsed(body)
        if isinstance(message, dict) and "id" in message:
            message["method"]
        return await proper(scope, body)

    around_gate(serve)


def _typed(kind: str) -> None:
    def make(original: Any) -> Any:
        def answer(*given: Any) -> Response:
            return Response(bytes(original(*given).body), media_type=kind)

        return answer

    patch(calls, "_answer", make)


@mutant("answers-as-text", "answers are called text/plain", rows="MCP-04", cause=ACCEPT)
def answers_as_text() -> None:
    """The body is right."""
    _typed("text/plain")


@mutant(
    "stream-to-all",
    "every answer is an event stream, also to clients that accept JSON alone",
    rows="MCP-04",
    cause=ACCEPT,
)
def stream_to_all() -> None:
    """Accept is not read."""

    def make(original: Any) -> Any:
        def answer(*given: Any) -> Response:
            body = bytes(original(*given).body)
            return Response(b"data: " + body + b"\n\n", media_type="text/event-stream")

        return answer

    patch(calls, "_answer", make)


@mutant("accept-required", "a request without Accept crashes", rows="MCP-04", cause=ACCEPT)
def accept_required() -> None:
    """A KeyError."""

    async def serve(proper: Serve, scope: Any, body: bytes) -> Response:
        dict(scope["headers"])[b"accept"]
        return await proper(scope, body)

    around_gate(serve)


def _with_token(method: str, answer: Any) -> None:
    def respond(scope: Any) -> Any:
        signed_in = header(scope, b"authorization") is not None
        return answer(scope) if scope["method"] == method and signed_in else None

    requests(respond)


@mutant("get-hangs", "GET with a token waits for events in silence", rows="MCP-21", cause=METHODS)
def get_hangs() -> None:
    """Whatever the client accepts."""

    async def wait(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(5)  # longer than the check waits
        await Response(status_code=405)(scope, receive, send)

    _with_token("GET", lambda _: wait)


@mutant("get-lists", "GET with a token answers with JSON", rows="MCP-21", cause=METHODS)
def get_lists() -> None:
    """Neither a stream nor 405."""
    _with_token("GET", lambda _: JSONResponse({"tools": []}))


@mutant("delete-succeeds", "DELETE of no session succeeds", rows="MCP-22", cause=METHODS)
def delete_succeeds() -> None:
    """204."""
    _with_token("DELETE", lambda _: Response(status_code=204))


@mutant("trace-echoes", "TRACE answers with what was sent", rows="MCP-23", cause=METHODS)
def trace_echoes() -> None:
    """The token, too."""

    def echo(scope: Any) -> Response:
        lines = [b"%b: %b" % pair for pair in scope["headers"]]
        return Response(b"\r\n".join(lines), media_type="message/http")

    _with_token("TRACE", echo)


@mutant("allow-missing", "405 does not say what is allowed", rows="MCP-23", cause=METHODS)
def allow_missing() -> None:
    """Without Allow."""
    _with_token("PATCH", lambda _: Response(status_code=405))


@mutant("unpacks-gzip", "a body packed with gzip is unpacked", rows="MCP-31", cause=FORMS)
def unpacks_gzip() -> None:
    """Whatever its size."""

    async def serve(proper: Serve, scope: Any, body: bytes) -> Response:
        if header(scope, b"content-encoding") != b"gzip":
            return await proper(scope, body)
        rest = [pair for pair in scope["headers"] if pair[0] != b"content-encoding"]
        return await proper({**scope, "headers": rest}, gzip.decompress(body))

    around_gate(serve)


@mutant("length-required", "a chunked body crashes", rows="MCP-31", cause=FORMS)
def length_required() -> None:
    """It has no Content-Length."""

    async def serve(proper: Serve, scope: Any, body: bytes) -> Response:
        dict(scope["headers"])[b"content-length"]
        return await proper(scope, body)

    around_gate(serve)


def _changed_tools(change: Any) -> None:
    def make(original: Any) -> Any:
        def made(*given: Any) -> dict[str, tools.ServedTool]:
            known: dict[str, tools.ServedTool] = original(*given)
            return {name: change(name, tool) for name, tool in known.items()}

        return made

    patch(app, "make_tools", make)


def _hinted(prefix: str, **hints: bool) -> None:
    def change(name: str, tool: tools.ServedTool) -> tools.ServedTool:
        if not name.startswith(prefix) or tool.annotations is None:
            return tool
        return tool.model_copy(update={"annotations": tool.annotations.model_copy(update=hints)})

    _changed_tools(change)


@mutant(
    "delete-read-only",
    "delete_note calls itself read-only",
    rows="MCP-35",
    cause="tools-annotations",
)
def delete_read_only() -> None:
    """Clients would run it unasked."""
    _hinted("delete_note", read_only_hint=True)


@mutant(
    "delete-harmless",
    "the tools that delete call themselves not destructive",
    rows="MCP-35",
    cause="tools-annotations",
)
def delete_harmless() -> None:
    """They can be undone, after all."""
    _hinted("delete_", destructive_hint=False)


@mutant(
    "text-is-prose",
    "the text of an answer is a sentence, and the object stands in the structure alone",
    rows="MCP-34",
    cause="tools-results",
)
def text_is_prose() -> None:
    """Nicer to read."""

    def make(original: Any) -> Any:
        def answer(request_id: Any, result: Any, end: bytes) -> Response:
            if result.outcome != "ok":
                # What is patched is Any to mypy.
                return original(request_id, result, end)  # type: ignore[no-any-return]
            said = parsed(bytes(original(request_id, result, end).body))
            said["result"]["content"] = [{"type": "text", "text": "Done."}]
            return Response(json.dumps(said).encode(), media_type="application/json")

        return answer

    patch(calls, "_answer", make)


@mutant(
    "schema-promises",
    "the output schema promises a field that the Go API does not send",
    rows="MCP-34",
    cause="tools-results",
)
def schema_promises() -> None:
    """From an older version of it."""
    patch(tools, "OUTPUT_SCHEMA", lambda _: {"type": "object", "required": ["id"]})


@mutant(
    "errors-as-success",
    "failures are answers with isError false",
    rows="MCP-34",
    cause="tools-results",
)
def errors_as_success() -> None:
    """The text tells."""

    def make(original: Any) -> Any:
        def answer(*given: Any) -> Response:
            body = bytes(original(*given).body).replace(b'"isError":true', b'"isError":false')
            return Response(body, media_type="application/json")

        return answer

    patch(calls, "_answer", make)
