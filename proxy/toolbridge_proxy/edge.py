"""The outermost layer: what any request must satisfy, and what any answer carries."""

import re
import time
import uuid
from collections import Counter
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from mcp_types.jsonrpc import HEADER_MISMATCH, INTERNAL_ERROR, INVALID_REQUEST
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from toolbridge_proxy.logs import CORRELATION_ID, log
from toolbridge_proxy.settings import Settings

# A note of 1 MB with every character escaped once; parsing more would hold the others up.
MAX_BODY_BYTES = 2 * 1024 * 1024
MAX_HEAD_BYTES = 64 * 1024  # four times the longest token

_SINGLE = frozenset({"authorization", "host", "origin", "content-type", "content-length"})
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# In full: what follows a port that is none ("127.0.0.1:80.evil.example") is somebody's name.
_LOOPBACK_ORIGIN = re.compile(r"https?://(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{1,5})?")
# Asked by machines that know the address and not the name.
_UNGUARDED = frozenset({"/healthz", "/readyz"})


RequestId = str | int | None


def rpc_error(
    status: int, code: int, message: str, request_id: RequestId = None, reason: str | None = None
) -> Response:
    """Return an HTTP error with a JSON-RPC error body; `reason` is its `error.data.code`."""
    error: dict[str, Any] = {"code": code, "message": message}
    if reason is not None:
        error["data"] = {"code": reason}
    return JSONResponse({"jsonrpc": "2.0", "id": request_id, "error": error}, status)


class Edge:
    """ASGI middleware: correlation id, limits, single headers, Host and Origin, last resort."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        # Headers for every answer: while the server drains, that it closes the connection.
        self.also: list[tuple[bytes, bytes]] = []
        self._origins = frozenset(settings.allowed_origins)
        public = urlsplit(settings.public_url or "").netloc
        self._hosts = frozenset(name.lower() for name in (public, *settings.allowed_hosts) if name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
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
                own = [*_own(correlation_id, seconds), *self.also]
                # A new list: that of an answer which is always the same is used again.
                message["headers"] = [*message["headers"], *own]
            await send(message)

        try:
            await (self._refusal(scope, headers) or self._app)(scope, receive, finish)
        except Exception:  # noqa: BLE001 - the last resort, logged
            log.exception("request_crashed", correlation_id=correlation_id)
            if not answered:
                await rpc_error(500, INTERNAL_ERROR, "Internal error")(scope, receive, finish)

    def _refusal(self, scope: Scope, headers: list[tuple[str, str]]) -> Response | None:
        # The server's own cap is on what it has not read whole yet.
        target = len(scope["path"]) + len(scope["query_string"])
        if target + sum(len(name) + len(value) for name, value in headers) > MAX_HEAD_BYTES:
            return rpc_error(431, INVALID_REQUEST, "URL and header fields too large")
        for name, count in Counter(name for name, _ in headers).items():
            if count > 1 and (name in _SINGLE or name.startswith("mcp-")):
                code = HEADER_MISMATCH if name.startswith("mcp-") else INVALID_REQUEST
                return rpc_error(400, code, f"{name} header appears more than once")
        given = dict(headers)
        if scope["path"] in _UNGUARDED:
            return None
        return self._foreign(given.get("host", ""), given.get("origin"))

    def _foreign(self, host: str, origin: str | None) -> Response | None:
        """Refuse names that are not ours: DNS rebinding (MCP transports, security warning)."""
        match = _HOST.fullmatch(host)
        name = match[1].strip("[]").lower() if match else ""
        if self._hosts and name not in _LOOPBACK and not self._hosts & {host.lower(), name}:
            return rpc_error(HTTPStatus.MISDIRECTED_REQUEST, INVALID_REQUEST, "Unknown host")
        if origin is None or origin in self._origins:
            return None
        if name in _LOOPBACK and _LOOPBACK_ORIGIN.fullmatch(origin):
            return None
        return rpc_error(HTTPStatus.FORBIDDEN, INVALID_REQUEST, "Origin not allowed")


def _correlation_id(headers: list[tuple[str, str]]) -> str:
    given = [value for name, value in headers if name == "x-correlation-id"]
    return given[0] if len(given) == 1 and CORRELATION_ID.fullmatch(given[0]) else uuid.uuid4().hex


def _own(correlation_id: str, seconds: dict[str, float]) -> list[tuple[bytes, bytes]]:
    timing = ", ".join(f"{name};dur={value * 1000:.1f}" for name, value in sorted(seconds.items()))
    own = [(b"x-correlation-id", correlation_id.encode()), (b"server-timing", timing.encode())]
    return [*own, (b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
