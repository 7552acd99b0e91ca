"""Correct proxies whose answers have another look: headers, words, formats, identifiers."""

import json
import sys
import uuid
from dataclasses import replace
from typing import Any

import structlog
from starlette.responses import JSONResponse, Response

from mutants.table import variant
from support.patching import patch
from toolbridge_proxy import calls, edge, errors, gate, logs, tools
from toolbridge_proxy.errors import Result
from toolbridge_proxy.upstream import ApiRequest

# What gateways and security policies add.
MORE_HEADERS = [
    (b"Server", b"gateway"),
    (b"Via", b"1.1 edge"),
    (b"Vary", b"Accept, Origin"),
    (b"X-Request-Id", b"01J0000000000000000000"),
    (b"Strict-Transport-Security", b"max-age=31536000"),
    (b"Content-Security-Policy", b"default-src 'none'"),
    (b"X-RateLimit-Remaining", b"99"),
]


def _answer_heads(change: Any) -> None:
    """Let `change(headers)` return the headers of every answer."""

    def make(original: Any) -> Any:
        async def serve(self: Any, scope: Any, receive: Any, send: Any) -> None:
            async def changed(message: Any) -> None:
                if message["type"] == "http.response.start":
                    message = {**message, "headers": change(message["headers"])}
                await send(message)

            await original(self, scope, receive, changed)

        return serve

    patch(edge.Edge, "__call__", make)


@variant("more-headers", "answers carry headers of gateways and security policies")
def more_headers() -> None:
    """None of them says anything about this proxy."""
    _answer_heads(lambda headers: [*headers, *MORE_HEADERS])


@variant("few-headers", "answers carry no Server-Timing and no nosniff")
def few_headers() -> None:
    """What helps people, and what JSON hardly needs."""
    gone = {b"server-timing", b"x-content-type-options"}
    _answer_heads(lambda headers: [pair for pair in headers if pair[0] not in gone])


@variant("headers-capitalised", "names of headers are written with capitals")
def headers_capitalised() -> None:
    """As HTTP/1.1 servers did for long."""
    _answer_heads(lambda headers: [(name.title(), value) for name, value in headers])


@variant("charset-named", "the media type of answers names a character set")
def charset_named() -> None:
    """Which RFC 8259 section 11 ignores."""

    def change(headers: Any) -> Any:
        other = {b"application/json": b"application/json; charset=utf-8"}
        return [(name, other.get(value, value)) for name, value in headers]

    _answer_heads(change)


@variant("chunked", "answers come in chunks, without a Content-Length")
def chunked() -> None:
    """As from servers that do not know the end yet."""
    _answer_heads(lambda headers: [pair for pair in headers if pair[0] != b"content-length"])


@variant("connections-closed", "every answer closes its connection")
def connections_closed() -> None:
    """HTTP keep-alive disabled."""
    _answer_heads(lambda headers: [*headers, (b"connection", b"close")])


@variant("own-correlation-ids", "correlation ids are UUIDs of its own, whatever the client sent")
def own_correlation_ids() -> None:
    """A client's id is not taken over."""
    patch(edge, "_correlation_id", lambda _: lambda headers: str(uuid.uuid4()))


@variant("text-alone", "tools answer JSON as text, without structured content")
def text_alone() -> None:
    """As servers before structured content did."""

    def answer(request_id: Any, result: Any, end: bytes) -> JSONResponse:
        text = result.structured.decode()
        told = {"content": [{"type": "text", "text": text}], "isError": result.outcome != "ok"}
        told |= json.loads(b"{" + end.removeprefix(b",") + b"}")
        return JSONResponse({"jsonrpc": "2.0", "id": request_id, "result": told})

    patch(calls, "_answer", lambda _: answer)
    patch(tools, "OUTPUT_SCHEMA", lambda _: None)
    patch(tools, "HEALTH_CHECK", lambda known: {**known, "output_schema": None})


@variant("pretty", "JSON is indented, sorted and escaped to ASCII")
def pretty() -> None:
    """Another serialiser of the same values."""

    def answer(request_id: Any, result: Any, end: bytes) -> Any:
        value = json.loads(result.structured)
        text = (
            json.dumps(value, indent=2, sort_keys=True) if result.outcome == "ok" else result.text
        )
        told = {"structuredContent": value, "isError": result.outcome != "ok"}
        told |= {"content": [{"type": "text", "text": text}]}
        told |= json.loads(b"{" + end.removeprefix(b",") + b"}")
        whole = {"result": told, "jsonrpc": "2.0", "id": request_id}
        body = json.dumps(whole, indent=2, sort_keys=True)
        return Response(body, media_type="application/json")

    patch(calls, "_answer", lambda _: answer)


@variant("other-words", "every error says the same in other words")
def other_words() -> None:
    """Codes, names and uids are the contract; sentences are not."""
    for code in errors.MESSAGES:
        errors.MESSAGES[code] = f"Sorry, that did not work ({code.replace('_', ' ')})"
    # Its operator needs to know where to look.
    errors.MESSAGES["tenant_headers_rejected"] = "Signature refused upstream: see clock and secret"

    def make(original: Any) -> Any:
        def rpc_error(status: int, code: int, _: str, *rest: Any) -> Any:
            return original(status, code, "No", *rest)

        return rpc_error

    for module in (gate, edge, calls):
        patch(module, "rpc_error", make)

    def built(original: Any) -> Any:
        def build(entity: Any, name: str, given: Any) -> ApiRequest:
            request: ApiRequest = original(entity, name, given)
            text = (
                f"Nobody knows whether the {name} took effect. Before anything else, check with "
                f"get_{entity.singular} what became of {given.get('uid')}."
            )
            return replace(request, lost=request.lost and text)

        return build

    patch(tools, "build", built)


@variant("errors-say-more", "errors hold further fields")
def errors_say_more() -> None:
    """Beside those of the contract."""

    def make(original: Any) -> Any:
        def as_result(*given: Any) -> Result:
            result: Result = original(*given)
            error = json.loads(result.structured)["error"] | {"origin": "proxy", "hints": []}
            return replace(result, structured=json.dumps({"error": error}).encode())

        return as_result

    patch(tools, "as_result", make)


@variant("health-in-other-words", "health_check says that all is well in other words")
def health_in_other_words() -> None:
    """Its answer is for people."""
    _health('{"healthy": true, "service": "notes"}', b'{"healthy":true,"service":"notes"}')


def _health(text: str, structured: bytes) -> None:
    def make(original: Any) -> Any:
        async def health(arguments: Any, scope: Any) -> Result:
            result: Result = await original(arguments, scope)
            return Result(text, structured) if result.outcome == "ok" else result

        return health

    patch(tools, "_health", make)


@variant("logs-for-people", "logs are lines for people")
def logs_for_people() -> None:
    """Whatever format is asked for."""
    patch(logs, "configure", lambda configure: lambda level, fmt: configure(level, "console"))


@variant("logs-logfmt", "logs are key=value lines on standard error")
def logs_logfmt() -> None:
    """A field's standard beside JSON."""

    def make(original: Any) -> Any:
        def configure(level: str, fmt: str) -> None:
            original(level, fmt)
            known = structlog.get_config()["processors"][:-1]
            structlog.configure(
                processors=[*known, structlog.processors.LogfmtRenderer()],
                logger_factory=structlog.WriteLoggerFactory(sys.stderr),
            )

        return configure

    patch(logs, "configure", make)


@variant("other-statuses", "400 for foreign hosts and media types, where 421 and 415 say more")
def other_statuses() -> None:
    """The general status for the special ones (RFC 9110 section 15.5.1)."""

    def make(original: Any) -> Any:
        def rpc_error(status: int, *rest: Any) -> Any:
            return original(400 if status in (415, 421) else status, *rest)

        return rpc_error

    for module in (gate, edge):
        patch(module, "rpc_error", make)
