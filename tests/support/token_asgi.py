"""Requests as the server hands them to the application: header lines in a list, unjoined."""

import json
import uuid
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.types import ASGIApp, Message, Scope

from support.proxy_upstream import ITEM, SESSIONS, reply, session_body

_BASE = ((b"host", b"localhost:8001"), (b"content-type", b"application/json"), (b"accept", b"*/*"))

Lines = tuple[str, ...]


@dataclass
class GoApi:
    """A Go API that answers well, and keeps the Authorization lines of what reached it."""

    entities: dict[str, list[Lines]] = field(default_factory=dict)
    sessions: list[Lines] = field(default_factory=list)

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        lines = tuple(
            value.decode()
            for name, value in request.headers.raw
            if name.lower() == b"authorization"
        )
        if request.url.path == SESSIONS:
            self.sessions.append(lines)
            return reply(201, session_body(len(self.sessions))).response()
        self.entities.setdefault(request.url.path.rpartition("/")[2], []).append(lines)
        return reply(200, ITEM).response()

    def check_sessions(self, verified: set[str]) -> None:
        """Fail if a session was made with a token that was not verified."""
        assert {(f"Bearer {token}",) for token in verified} >= set(self.sessions)


@dataclass(frozen=True)
class Answer:
    """The status of one request, and the Authorization lines of what it caused upstream."""

    status: int
    forwarded: list[Lines]


def _uid(number: int) -> str:
    return str(uuid.UUID(int=(4 << 76) + (2 << 62) + number + 1))


def _scope(headers: list[tuple[str, str]]) -> Scope:
    raw = [(name.encode(), value.encode()) for name, value in headers]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/mcp",
        "raw_path": b"/mcp",
        "query_string": b"",
        "root_path": "",
        "headers": [*_BASE, *raw],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8001),
    }


async def post(app: ASGIApp, go_api: GoApi, number: int, headers: list[tuple[str, str]]) -> Answer:
    """Call get_note for an object of this request alone."""
    params = {"name": "get_note", "arguments": {"uid": _uid(number)}}
    message = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}
    incoming: list[Message] = [
        {"type": "http.request", "body": json.dumps(message).encode(), "more_body": False}
    ]
    outgoing: list[MutableMapping[str, Any]] = []

    async def receive() -> Message:
        return incoming.pop(0) if incoming else {"type": "http.disconnect"}

    async def send(sent: Message) -> None:
        outgoing.append(sent)

    await app(_scope(headers), receive, send)
    return Answer(outgoing[0]["status"], go_api.entities.get(_uid(number), []))
