"""What the proxy imports while it serves: `python lazy_imports.py`, JSON on the last line.

In a process of its own, because modules that a test run has imported already would hide it.
"""

import asyncio
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import httpx
import structlog
from fastmcp.utilities.asgi_transport import run_asgi_lifespan

from support.proxy_app import Mcp, make_settings, token
from support.proxy_upstream import ITEM, PAGE, SESSIONS, UID, reply, session_body
from toolbridge_proxy.app import create_app


def _go_api(request: httpx.Request) -> httpx.Response:
    answer = reply(201, ITEM)
    if request.url.path == SESSIONS:
        answer = reply(201, session_body(1))
    elif request.method == "GET":
        # A failure too: what it needs must be there before it happens.
        answer = reply(200, PAGE) if request.url.path == "/v1/notes" else reply(404)
    return answer.response()


async def _round(mcp: Mcp) -> None:
    """List the tools, and make calls that work, that the Go API refuses, that are refused here."""
    listed = await mcp.post("tools/list")
    assert 41 == len(listed.json()["result"]["tools"]), listed.text
    page = await mcp.call("list_notes", token=token())
    assert PAGE == page["structuredContent"], page
    made = await mcp.call("create_note", token=token(), title="T", content="C")
    assert ITEM == made["structuredContent"], made
    errors = [await mcp.error("get_note", token=token(), uid=uid) for uid in (UID, "none")]
    assert ["not_found", "invalid_argument"] == [error["code"] for error in errors]
    denied = await mcp.post("tools/call", {"name": "list_notes", "arguments": {}}, token="x.y.z")
    assert 401 == denied.status_code


async def _new_modules() -> list[list[str]]:
    app = create_app(make_settings(), transport=httpx.MockTransport(_go_api))
    transport = httpx.ASGITransport(app)
    async with (
        run_asgi_lifespan(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost:8001") as http,
    ):
        await http.get("/healthz")  # what the client itself imports late
        rounds = []
        for _ in range(2):
            before = set(sys.modules)
            for modern in (False, True):
                await _round(Mcp(http, modern))
            rounds.append(sorted(set(sys.modules) - before))
        return rounds


if __name__ == "__main__":
    # As in the deployment; the default would load what draws coloured tracebacks.
    structlog.configure(processors=[structlog.processors.JSONRenderer()])
    print(json.dumps(asyncio.run(_new_modules())))  # noqa: T201
