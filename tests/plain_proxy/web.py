"""The routes, and the Go API's client that lives as long as they do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from plain_proxy.door import Door
from plain_proxy.endpoint import Endpoint
from plain_proxy.go_api import GoApi
from plain_proxy.settings import Settings

PROBE_SECONDS = 2  # under the usual 5 s of a health check
OTHER_METHODS = ["GET", "HEAD", "DELETE"]


class Readiness:
    """Ready from the Go API's first answer on: a later outage would take every machine out."""

    def __init__(self, notes: list[str]) -> None:
        self._notes, self._ready = notes, False

    async def answer(self, request: Request) -> Response:
        """Answer GET /readyz."""
        api: GoApi = request.state.api
        self._ready = self._ready or await api.healthy(PROBE_SECONDS)
        if not self._ready:
            return JSONResponse({"ready": False, "waiting_for": "go_api"}, 503)
        return JSONResponse({"ready": True, "notes": self._notes})


async def _alive(_: Request) -> Response:
    return JSONResponse({"alive": True})


async def _index(request: Request) -> Response:
    if "text/event-stream" in request.headers.get("accept", ""):
        return Response(status_code=405, headers={"Allow": "POST"})
    return JSONResponse({"server": "toolbridge", "endpoint": "/mcp"})


def create_app(settings: Settings) -> ASGIApp:
    """Return the ASGI application."""

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[dict[str, GoApi]]:
        api = GoApi(settings)
        yield {"api": api}
        await api.close()

    endpoint = Endpoint(settings)
    routes = [
        Route("/mcp", endpoint.post, methods=["POST"]),
        Route("/mcp", endpoint.other, methods=OTHER_METHODS),
        Route("/", endpoint.post, methods=["POST"]),
        Route("/", _index, methods=["GET"]),
        Route("/healthz", _alive, methods=["GET"]),
        Route("/readyz", Readiness(settings.warnings).answer, methods=["GET"]),
    ]
    # No redirect to a path without a slash: it would be built from the request's Host.
    return Door(Router(routes, redirect_slashes=False, lifespan=lifespan), settings)
