"""A Go API behind respx that answers what a test puts in its queues, and well otherwise."""

import json
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import respx

from support.proxy_app import GO_API

UID = "123e4567-e89b-42d3-a456-426614174000"
SESSIONS = "/v1/sync/sessions"
ITEM = {"uid": UID, "version": 3, "updatedAt": "2025-01-01T00:00:00Z", "payload": {"title": "T"}}
PAGE = {"items": [ITEM], "nextCursor": "bmV4dA"}
DELETED = {"uid": UID, "version": 4, "updatedAt": "2025-01-01T00:00:00Z"}


@dataclass(frozen=True)
class Reply:
    """An answer as it goes over the wire; `body` is not touched."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)

    def response(self) -> httpx.Response:
        return httpx.Response(
            self.status, headers=list(self.headers), stream=httpx.ByteStream(self.body)
        )


def reply(status: int, data: Any = None, **headers: str) -> Reply:
    """Return a JSON answer; header names take `_` for `-`."""
    body = b"" if data is None else json.dumps(data).encode()
    sent = {"Content-Type": "application/json"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, body, tuple(sent.items()))


Planned = Reply | Exception | Callable[[httpx.Request], Awaitable[httpx.Response]]


def session_body(number: int, **changes: Any) -> dict[str, Any]:
    """Return a session as the Go API makes it."""
    return {
        "id": f"session-{number}",
        "userId": "u",
        "createdAt": "2025-01-01T00:00:00Z",
        "expiresAt": "2999-01-01T00:00:00Z",
        "epoch": number,
    } | changes


class FakeGoApi:
    """Answers session and entity requests; `entity` and `session` hold planned answers."""

    def __init__(self, router: respx.MockRouter) -> None:
        self.entity: deque[Planned] = deque()
        self.session: deque[Planned] = deque()
        self.requests: list[httpx.Request] = []
        self.sessions: list[httpx.Request] = []
        router.route(url__startswith=GO_API).mock(side_effect=self._answer)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        is_session = request.url.path == SESSIONS
        (self.sessions if is_session else self.requests).append(request)
        queue = self.session if is_session else self.entity
        if not queue:
            return self._good(request, is_session)
        planned = queue.popleft()
        if isinstance(planned, Exception):
            raise planned
        return planned.response() if isinstance(planned, Reply) else await planned(request)

    def _good(self, request: httpx.Request, is_session: bool) -> httpx.Response:
        if is_session:
            return httpx.Response(201, json=session_body(len(self.sessions)))
        if request.method == "DELETE":
            return httpx.Response(200, json=DELETED)
        is_list = request.method == "GET" and request.url.path.count("/") == 2
        return httpx.Response(200, json=PAGE if is_list else ITEM)

    @property
    def body(self) -> Any:
        """The JSON body of the last entity request."""
        return json.loads(self.requests[-1].content)
