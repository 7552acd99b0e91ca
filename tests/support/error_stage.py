"""The proxy in front of a Go API that fails on purpose, and one call as it was seen."""

import json
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import respx
import structlog.testing
from fastmcp.utilities.asgi_transport import run_asgi_lifespan
from starlette.types import ASGIApp

from support.error_plans import FAULT, Plan, answer, good_data
from support.proxy_app import GO_API, Mcp, make_settings, token
from support.proxy_upstream import SESSIONS, UID, session_body
from toolbridge_contract.tools import NOTE, Entity, Operation
from toolbridge_proxy.app import create_app

Transport = Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport]
SAMPLE = {
    "title": "T",
    "content": "C",
    "parent_type": "note",
    "parent_uid": UID,
    "chat_uid": UID,
}


class GoApi:
    """Follows the plans, one after the other for each caller; the last one goes on for ever."""

    def __init__(self, router: respx.MockRouter) -> None:
        self.entity: Sequence[Plan] = ()
        self.session: Sequence[Plan] = ()
        self.requests: list[httpx.Request] = []
        self.elsewhere: list[httpx.Request] = []
        self._turns: Counter[tuple[str, bool]] = Counter()
        router.route(host="elsewhere.example").mock(side_effect=self._answer_elsewhere)
        router.route(url__startswith=GO_API).mock(side_effect=self._answer)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        is_session = request.url.path == SESSIONS
        self.requests.append(request)
        turn = (request.headers.get("Authorization", ""), is_session)
        plans = self.session if is_session else self.entity
        number = self._turns[turn]
        self._turns[turn] += 1
        plan = plans[min(number, len(plans) - 1)] if plans else self.good
        return await plan(request)

    async def good(self, request: httpx.Request) -> httpx.Response:
        """Answer well; each session has its own id."""
        data = good_data(request)
        if request.url.path == SESSIONS:
            data = session_body(len(self.requests))
        status = 201 if request.url.path == SESSIONS else 200
        body = json.dumps(data).encode()
        return await answer(status, (body, "application/json; charset=utf-8"))(request)

    async def _answer_elsewhere(self, request: httpx.Request) -> httpx.Response:
        self.elsewhere.append(request)
        return await self.good(request)


class Mounted(httpx.AsyncBaseTransport):
    """A respx router as httpx's transport, which raises what a plan wants raised."""

    def __init__(self, router: respx.MockRouter) -> None:
        self._router = router

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        response = await self._router.async_handler(request)
        if FAULT in response.extensions:
            raise response.extensions[FAULT]()
        return response


@dataclass(frozen=True)
class Seen:
    """One call: the answer, and what was sent for it."""

    operation: Operation
    entity: Entity
    token: str
    response: httpx.Response
    sent: list[httpx.Request]
    sessions: list[httpx.Request]
    elsewhere: list[httpx.Request]

    @property
    def result(self) -> dict[str, Any]:
        """The tool's result; empty for what is none."""
        body = self.response.json()
        return dict(body.get("result") or {})

    @property
    def error(self) -> dict[str, Any]:
        """`structuredContent.error`; empty for what is none."""
        return dict((self.result.get("structuredContent") or {}).get("error") or {})


@dataclass
class Stage:
    """The Go API, and a client of the proxy in front of it."""

    api: GoApi
    mcp: Mcp
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(self, operation: Operation, entity: Entity = NOTE, **arguments: Any) -> Seen:
        """Perform `operation` as a caller who was never seen before."""
        bearer = token(f"{operation}-{uuid.uuid4()}")
        params = {
            "name": entity.tool(operation),
            "arguments": arguments or arguments_of(entity, operation),
        }
        response = await self.mcp.post("tools/call", params, token=bearer, headers=self.headers)
        mine = f"Bearer {bearer}"
        sent = [r for r in self.api.requests if r.headers.get("Authorization") == mine]
        return Seen(
            operation,
            entity,
            bearer,
            response,
            [request for request in sent if request.url.path != SESSIONS],
            [request for request in sent if request.url.path == SESSIONS],
            list(self.api.elsewhere),
        )


def arguments_of(entity: Entity, operation: Operation) -> dict[str, Any]:
    """Valid arguments of the tool."""
    given: dict[Operation, dict[str, Any]] = {
        "list": {"limit": 10},
        "create": {name: SAMPLE[name] for name in entity.required},
        "update": {name: SAMPLE[name] for name in entity.update if name in SAMPLE},
        "patch": {"updates": {"title": "T"}, "if_match": 3},
        "process": {"action": next(iter(entity.actions))},
    }
    own = {} if operation in ("list", "create") else {"uid": UID}
    return own | given.get(operation, {})


@asynccontextmanager
async def stage(
    *,
    seconds: float = 5,
    modern: bool = False,
    transport: Transport = lambda inner: inner,
    app: Callable[[ASGIApp], ASGIApp] = lambda inner: inner,
) -> AsyncIterator[Stage]:
    """Run the proxy; `transport` and `app` may put a fault into its way up and its answers."""
    router = respx.MockRouter(assert_all_called=False)
    api = GoApi(router)
    settings = make_settings(upstream_timeout_seconds=seconds)
    proxy = create_app(settings, transport=transport(Mounted(router)))
    way = httpx.ASGITransport(app(proxy), raise_app_exceptions=False)
    async with (
        run_asgi_lifespan(proxy),
        httpx.AsyncClient(transport=way, base_url="http://localhost:8001") as http,
    ):
        with structlog.testing.capture_logs():  # half of the time would go into printing
            yield Stage(api, Mcp(http, modern))
