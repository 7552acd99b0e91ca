"""Proxies for the state machines: sessions over an upstream, and the application as a whole."""

import asyncio
import json
import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any, Protocol

import httpx
from fastmcp.utilities.asgi_transport import run_asgi_lifespan

from support.proxy_app import Mcp, make_settings
from support.session_model import Outcome, Port
from support.session_upstream import Tracked
from toolbridge_proxy.answers import Answer
from toolbridge_proxy.app import create_app
from toolbridge_proxy.errors import ToolFailure
from toolbridge_proxy.metrics import Metrics
from toolbridge_proxy.sessions import Sessions
from toolbridge_proxy.settings import Settings
from toolbridge_proxy.tokens import Caller
from toolbridge_proxy.upstream import ApiRequest, Call, Upstream

TIMEOUT_SECONDS = 25.0
LOST = "Outcome unknown: read it back."


class Sends(Protocol):
    """What takes a request through a session: the surface of `Sessions`."""

    async def send(self, request: ApiRequest, call: Call) -> Answer: ...


MakesUpstream = Callable[[Settings, Metrics, httpx.AsyncBaseTransport], Upstream]
MakesSessions = Callable[[Upstream], Sends]
metrics = cache(Metrics)
settings = cache(partial(make_settings, upstream_timeout_seconds=TIMEOUT_SECONDS))


class Parts:
    """`sessions` over `upstream`, called as the tools call them."""

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        sessions: MakesSessions = Sessions,
        upstream: MakesUpstream = Upstream,
    ) -> None:
        self.timeout_seconds = TIMEOUT_SECONDS
        self._upstream = upstream(settings(), metrics(), transport)
        self._sessions = sessions(self._upstream)

    async def __call__(self, call: Tracked) -> Outcome:
        subject, issuer = call.principal
        caller = Caller(issuer, subject, call.token)
        deadline = time.monotonic() + self.timeout_seconds
        try:
            await self._sessions.send(_request(call), Call(caller, deadline, call.id))
        except ToolFailure as failure:
            return failure.code, failure.retry_after
        return "ok", None

    async def close(self) -> None:
        await self._upstream.close()


def _request(call: Tracked) -> ApiRequest:
    operation, route = call.operation, "/v1/notes"
    path, body = route, operation.body
    if operation.about_one:
        path += f"/{call.uid}{operation.suffix}"
    elif operation.write:
        body = json.dumps({"uid": call.uid, "title": "t"}).encode()
    lost = LOST if operation.write else None
    return ApiRequest(operation.method, path, route, json_object, body=body, lost=lost)


def json_object(data: Any) -> dict[str, Any]:
    """Return a parsed answer that is an object; raises ValueError for any other."""
    if not isinstance(data, dict):
        raise ValueError("not an object")
    return data


class Application:
    """The whole of it, spoken to in MCP."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self.timeout_seconds = TIMEOUT_SECONDS
        self._app = create_app(settings(), transport=transport)
        self._mcp: asyncio.Future[Mcp] | None = None

    async def __call__(self, call: Tracked) -> Outcome:
        if self._mcp is None:
            self._mcp, self._end = asyncio.Future(), asyncio.Event()
            self._running = asyncio.create_task(self._run(self._mcp))
        mcp = await asyncio.shield(self._mcp)
        name, arguments = _tool(call)
        params = {"name": name, "arguments": arguments}
        answer = await mcp.post(
            "tools/call", params, token=call.token, headers={"X-Correlation-ID": call.id}
        )
        assert answer.status_code == 200, answer.text
        result = answer.json()["result"]
        if not result.get("isError"):
            return "ok", None
        error = result["structuredContent"]["error"]
        return error["code"], error["retry_after"]

    async def _run(self, ready: "asyncio.Future[Mcp]") -> None:
        # In a task of its own: the lifespan has to end in the task where it began.
        way = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        async with (
            run_asgi_lifespan(self._app),
            httpx.AsyncClient(transport=way, base_url="http://localhost:8001") as http,
        ):
            ready.set_result(Mcp(http))
            await self._end.wait()

    async def close(self) -> None:
        if self._mcp is not None:
            self._end.set()
            await self._running


def _tool(call: Tracked) -> tuple[str, dict[str, Any]]:
    name = call.operation.name
    arguments: dict[str, dict[str, Any]] = {
        "list": {"limit": 1},
        "create": {"title": "t", "content": "c"},
        "update": {"uid": call.uid, "title": "t", "content": "c"},
        "patch": {"uid": call.uid, "updates": {"title": "t"}},
    }
    return f"{name}_note{'s' * (name == 'list')}", arguments.get(name, {"uid": call.uid})


def parts(
    sessions: MakesSessions = Sessions, upstream: MakesUpstream = Upstream
) -> Callable[[httpx.AsyncBaseTransport], Port]:
    """Return a subject made from these parts."""
    return partial(Parts, sessions=sessions, upstream=upstream)
