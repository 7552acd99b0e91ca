"""What the reference proxy is compared with: `python variants.py NAME PORT UPSTREAM`.

bare      Starlette, passing the answer through with the proxy's own upstream client
stock     FastMCP with its defaults and one plain pooled httpx client, 41 tools, no checks
per-call  the pattern found in the field: a new client and a new sync session for every call
"""

import itertools
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import uvicorn
from fastmcp import FastMCP
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

TOOLS = 41  # the same number that the reference proxy lists


def bare(upstream: str) -> ASGIApp:
    """The floor: one JSON-RPC answer around the upstream's bytes."""
    from toolbridge_proxy.settings import Settings
    from toolbridge_proxy.upstream import make_transports

    secret = SecretStr("s" * 32)
    settings = Settings(go_api_base_url=upstream, tenant_id="t1", tenant_header_secret=secret)
    pools = [httpx.AsyncClient(transport=pool) for pool in make_transports(settings)]
    turns = itertools.cycle(pools)

    async def call(request: Request) -> Response:
        message = json.loads(await request.body())
        answer = await next(turns).get(f"{upstream}/v1/notes?limit=10")
        body = b'{"jsonrpc":"2.0","id":%d,"result":{"structuredContent":%b}}' % (
            message["id"],
            answer.content,
        )
        return Response(body, media_type="application/json")

    return Starlette(routes=[Route("/mcp", call, methods=["POST"])])


def _fastmcp(fetch: Callable[[int], Any], lifespan: Any = None) -> ASGIApp:
    mcp: FastMCP = FastMCP("baseline", lifespan=lifespan)

    async def list_notes(limit: int = 10) -> dict[str, Any]:
        """List notes."""
        answer: dict[str, Any] = await fetch(limit)
        return answer

    mcp.tool(list_notes)
    for number in range(TOOLS - 1):
        mcp.tool(list_notes, name=f"tool_{number}")
    return mcp.http_app(path="/mcp", stateless_http=True, json_response=True)


def stock(upstream: str) -> ASGIApp:
    """FastMCP as its documentation shows it."""
    client = httpx.AsyncClient(base_url=upstream)

    async def fetch(limit: int) -> Any:
        answer = await client.get("/v1/notes", params={"limit": limit})
        answer.raise_for_status()
        return answer.json()

    @asynccontextmanager
    async def lifespan(_: FastMCP) -> AsyncIterator[dict[str, Any]]:
        yield {}
        await client.aclose()

    return _fastmcp(fetch, lifespan)


def per_call(upstream: str) -> ASGIApp:
    """A client and a session for every call."""

    async def fetch(limit: int) -> Any:
        async with httpx.AsyncClient(base_url=upstream) as client:
            session = (await client.post("/v1/sync/sessions")).json()
            headers = {"X-Sync-Session": session["id"], "X-Sync-Epoch": str(session["epoch"])}
            answer = await client.get("/v1/notes", params={"limit": limit}, headers=headers)
            answer.raise_for_status()
            return answer.json()

    return _fastmcp(fetch)


VARIANTS = {"bare": bare, "stock": stock, "per-call": per_call}

if __name__ == "__main__":
    name, port, api = sys.argv[1:]
    uvicorn.run(VARIANTS[name](api), port=int(port), log_level="error", access_log=False)
