"""The outermost layer: what any request must satisfy, and what any answer carries."""

import re
import time
import uuid
from collections import Counter
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from toolbridge_proxy.settings import Settings

log = structlog.get_logger()

# The MCP library's own cap on bodies; far above a note, far below what hurts.
MAX_BODY_BYTES = 4 * 1024 * 1024
MAX_HEADER_BYTES = 64 * 1024  # uvicorn with httptools has no cap of its own
MAX_HEADERS = 100
MAX_TARGET_BYTES = 8 * 1024  # RFC 9110 section 4.1 asks for 8,000 octets at least

INVALID_REQUEST = -32600
INTERNAL_ERROR = -32603
HEADER_MISMATCH = -32020  # MCP 2026-07-28

_SINGLE = frozenset({"authorization", "host", "origin", "content-type", "content-length"})
_CORRELATION_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# In full: what follows a port that is none ("127.0.0.1:80.evil.example") is somebody's name.
_LOOPBACK_ORIGIN = re.compile(r"https?://(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{1,5})?")
# Asked by machines that know the address and not the name.
_UNGUARDED = frozenset({"/healthz", "/readyz"})


def rpc_error(
    status: int,
    code: int,
    message: str,
    request_id: str | int | None = None,
    data: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Return an HTTP error with a JSON-RPC error body."""
    error: dict[str, Any] = {"code": code, "message": message}
    if data is not None:
        error["data"] = data
    body = {"jsonrpc": "2.0", "id": request_id, "error": error}
    return JSONResponse(body, status, headers)


class Edge:
    """ASGI middleware: correlation id, limits, single headers, Host and Origin, last resort."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._origins = frozenset(settings.allowed_origins)
        public = urlsplit(settings.public_url or "").netloc
        self._hosts = frozenset(name.lower() for name in (public, *settings.allowed_hosts) if name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        # httptools keeps the blanks after a value, which are not part of it (RFC 9110 5.5).
        scope["headers"] = [(name, value.strip(b" \t")) for name, value in scope["headers"]]
        headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in scope["headers"]]
        correlation_id = _correlation_id(headers)
        seconds: dict[str, float] = {}
        scope["toolbridge.correlation_id"], scope["toolbridge.seconds"] = correlation_id, seconds
        answered = False

        async def finish(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                seconds["total"] = time.monotonic() - started
                _decorate(MutableHeaders(scope=message), correlation_id, seconds)
            await send(message)

        refusal = self._refusal(scope, headers)
        try:
            await (refusal or self._app)(scope, receive, finish)
        except Exception:
            log.exception("request_crashed", correlation_id=correlation_id)
            if not answered:
                await rpc_error(500, INTERNAL_ERROR, "Internal error")(scope, receive, finish)

    def _refusal(self, scope: Scope, headers: list[tuple[str, str]]) -> Response | None:
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MAX_TARGET_BYTES:
            return rpc_error(HTTPStatus.REQUEST_URI_TOO_LONG, INVALID_REQUEST, "URL too long")
        size = sum(len(name) + len(value) for name, value in headers)
        if len(headers) > MAX_HEADERS or size > MAX_HEADER_BYTES:
            return rpc_error(431, INVALID_REQUEST, "Header fields too large")
        for name, count in Counter(name for name, _ in headers).items():
            if count > 1 and (name in _SINGLE or name.startswith("mcp-")):
                code = HEADER_MISMATCH if name.startswith("mcp-") else INVALID_REQUEST
                return rpc_error(400, code, f"{name} header appears more than once")
        given = dict(headers)
        if int(_digits(given.get("content-length"))) > MAX_BODY_BYTES:
            return rpc_error(413, INVALID_REQUEST, "Request body too large")
        if scope["path"] in _UNGUARDED:
            return None
        return self._foreign(given.get("host", ""), given.get("origin"))

    def _foreign(self, host: str, origin: str | None) -> Response | None:
        """Refuse names that are not ours: DNS rebinding (MCP transports, security warning)."""
        name = _hostname(host)
        if self._hosts and name not in _LOOPBACK and not self._hosts & {host.lower(), name}:
            return rpc_error(HTTPStatus.MISDIRECTED_REQUEST, INVALID_REQUEST, "Unknown host")
        if origin is None or origin in self._origins:
            return None
        if name in _LOOPBACK and _LOOPBACK_ORIGIN.fullmatch(origin):
            return None
        return rpc_error(HTTPStatus.FORBIDDEN, INVALID_REQUEST, "Origin not allowed")


def _correlation_id(headers: list[tuple[str, str]]) -> str:
    given = [value for name, value in headers if name == "x-correlation-id"]
    return given[0] if len(given) == 1 and _CORRELATION_ID.fullmatch(given[0]) else uuid.uuid4().hex


def _decorate(headers: MutableHeaders, correlation_id: str, seconds: dict[str, float]) -> None:
    headers["X-Correlation-ID"] = correlation_id
    headers["Cache-Control"] = "no-store"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Server-Timing"] = ", ".join(
        f"{name};dur={value * 1000:.1f}" for name, value in sorted(seconds.items())
    )


def _digits(value: str | None) -> str:
    """Return a Content-Length that can be compared; the server refuses malformed ones."""
    return value if value and re.fullmatch(r"[0-9]{1,18}", value) else "0"


def _hostname(netloc: str) -> str:
    try:
        parts = urlsplit(f"//{netloc}")
        return (parts.hostname or "") if parts.netloc == netloc and "@" not in netloc else ""
    except ValueError:
        return ""
