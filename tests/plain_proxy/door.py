"""The outermost layer: which requests come in at all, and what every answer carries."""

import asyncio
import re
import time
import uuid
from collections import Counter

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from plain_proxy import journal, rpc
from plain_proxy.rpc import Problem
from plain_proxy.settings import Settings

MAX_HEAD_BYTES = 64 * 1024  # four times the longest token
# How long an answer waits for a client that is still sending: it may not look before.
LINGER_SECONDS = 1

_SINGLE = ("authorization", "host", "origin", "content-type", "content-length")
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
# Asked by machines that know an address and no name.
_OPEN = ("/healthz", "/readyz")


class Door:
    """ASGI middleware: guards, correlation id, timing, and the last resort for our own bugs."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = _Visit(receive, send)
        scope["state"] |= {"correlation_id": visit.correlation_id, "seconds": visit.seconds}
        try:
            self._check(scope)
            await self._app(scope, visit.receive, visit.send)
        except Problem as problem:
            await problem.answer()(scope, visit.receive, visit.send)
        except Exception:  # noqa: BLE001 - the last resort, logged
            journal.crash("request_crashed", correlation_id=visit.correlation_id)
            if not visit.answered:
                failed = Problem(500, rpc.INTERNAL_ERROR, "Internal error")
                await failed.answer()(scope, visit.receive, visit.send)

    def _check(self, scope: Scope) -> None:
        """Raise Problem for a request with ambiguous headers or from a foreign page."""
        pairs = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in scope["headers"]]
        for name, count in Counter(name for name, _ in pairs).items():
            if count > 1 and (name in _SINGLE or name.startswith("mcp-")):
                code = rpc.HEADER_MISMATCH if name.startswith("mcp-") else rpc.INVALID_REQUEST
                raise Problem(400, code, f"{name} is given more than once")
        headers = dict(pairs)
        if scope["path"] in _OPEN:
            return
        host = headers.get("host", "").lower()
        match = _HOST.fullmatch(host)
        local = match is not None and match[1] in _LOOPBACK
        names = {host, match[1] if match else host}
        if self._settings.hosts and not local and not names & self._settings.hosts:
            raise Problem(403, rpc.INVALID_REQUEST, "This host is not served here")
        origin = headers.get("origin")
        if origin is not None and not self._admits(origin.lower(), local):
            raise Problem(403, rpc.INVALID_REQUEST, "This origin is not allowed")

    def _admits(self, origin: str, local: bool) -> bool:
        scheme, _, place = origin.partition("://")
        match = _HOST.fullmatch(place)
        loopback = scheme in ("http", "https") and match is not None and match[1] in _LOOPBACK
        return origin in self._settings.origins or (local and loopback)


class _Visit:
    """One request: what it took, and whether its body and its answer are through."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self.correlation_id = str(uuid.uuid4())
        self.seconds: dict[str, float] = {}
        self.answered, self._read = False, False
        self._started = time.monotonic()

    async def receive(self) -> Message:
        """Pass a part of the request on."""
        message = await self._receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self._read = True
        return message

    async def send(self, message: Message) -> None:
        """Pass a part of the answer on, with the headers that every answer has."""
        if message["type"] == "http.response.start":
            self.answered = True
            self._add_headers(message)
        if self._read:
            await self._send(message)
            return
        # Nobody else reads the rest, and Hypercorn waits until somebody does.
        rest = asyncio.create_task(self._rest())
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if last:
            await self._send({**message, "more_body": True})
            await asyncio.wait((rest,), timeout=LINGER_SECONDS)
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)
        rest.cancel()

    async def _rest(self) -> None:
        while not self._read:
            await self.receive()

    def _add_headers(self, message: Message) -> None:
        self.seconds["total"] = time.monotonic() - self._started
        timing = (f"{name};dur={seconds * 1000:.1f}" for name, seconds in self.seconds.items())
        headers = MutableHeaders(raw=message["headers"])
        headers["X-Correlation-Id"] = self.correlation_id
        headers["Server-Timing"] = ", ".join(timing)
        headers["Cache-Control"] = "no-store"
        headers["X-Content-Type-Options"] = "nosniff"
