"""The HTTP application: routes, and how the parts are put together."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

# Imported by FastMCP at its first answer, which would then take half a second more.
import fastmcp.server.context
import fastmcp.server.providers.prefab_synthesis
import fastmcp.server.sessions  # noqa: F401
import key_value.aio.adapters.pydantic
import key_value.aio.stores.memory  # noqa: F401
from fastmcp import FastMCP
from fastmcp.tools.base import Tool
from httpx import AsyncBaseTransport
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from toolbridge_proxy.calls import MCP_PATH, NAME, VERSION, Calls
from toolbridge_proxy.edge import Edge
from toolbridge_proxy.gate import Gate
from toolbridge_proxy.jwks import Jwks
from toolbridge_proxy.logs import log
from toolbridge_proxy.metrics import Metrics
from toolbridge_proxy.sessions import Sessions
from toolbridge_proxy.settings import MIN_SECRET_BYTES, Settings
from toolbridge_proxy.tokens import TokenVerifier
from toolbridge_proxy.tools import make_tools
from toolbridge_proxy.upstream import Upstream, make_transports

PROBE_SECONDS = 2  # under the usual health check time-out of 5 s
METADATA_PATH = "/.well-known/oauth-protected-resource"
# The handlers of a server that has tools and nothing else; what is not here is not advertised.
SERVED_METHODS = frozenset({"ping", "server/discover", "tools/list", "tools/call"})


def make_mcp(tools: Iterable[Tool]) -> FastMCP:
    """Return the MCP server: the handshake of both eras, and the list of tools."""
    about = "Notes, tasks, comments, chats and chat messages of the caller."
    # The list is the same for everyone, and changes only with a deployment.
    mcp: FastMCP = FastMCP(NAME, about, version=VERSION, cache_ttl=60, cache_scope="public")
    for tool in tools:
        mcp.add_tool(tool)
    server = mcp._mcp_server
    for method in server._request_handlers.keys() - SERVED_METHODS:
        del server._request_handlers[method]
    full = server.get_capabilities  # has an extension for user interfaces, which are not here
    plain = {"extensions": None}
    server.get_capabilities = lambda *a, **kw: full(*a, **kw).model_copy(update=plain)  # type: ignore[method-assign]
    return mcp


class Readiness:
    """Ready once the Go API has answered; a later outage would take every machine out."""

    def __init__(self, upstream: Upstream, notes: list[str]) -> None:
        self._upstream, self._notes = upstream, notes
        self._probe: asyncio.Task[bool] | None = None

    async def __call__(self, _: Request) -> Response:
        """Answer GET /readyz; who asks meanwhile waits for the same probe."""
        if self._probe is None or (self._probe.done() and not self._probe.result()):
            self._probe = asyncio.create_task(self._upstream.alive(PROBE_SECONDS))
        if not await asyncio.shield(self._probe):
            return JSONResponse({"status": "not_ready", "reason": "go_api_unreachable"}, 503)
        return JSONResponse({"status": "ready", "notes": self._notes})


async def _index(request: Request) -> Response:
    if "text/event-stream" in request.headers.get("accept", ""):
        # An MCP client asking for the stream that a stateless server does not have.
        return Response(status_code=405, headers={"Allow": "POST"})
    return JSONResponse({"name": NAME, "mcp": MCP_PATH, "health": "/healthz", "ready": "/readyz"})


def _metadata_routes(settings: Settings) -> list[Route]:
    """Return the RFC 9728 documents; the resource is never built from a request's Host."""

    def route(suffix: str) -> Route:
        document = {
            "resource": f"{settings.public_url}{suffix}",
            "authorization_servers": [settings.jwt_issuer],
            "bearer_methods_supported": ["header"],
        }
        return Route(METADATA_PATH + suffix, JSONResponse(document), methods=["GET"])

    known = settings.jwt_issuer and settings.public_url
    return [route(""), route(MCP_PATH)] if known else []


def create_app(
    settings: Settings, metrics: Metrics | None = None, transport: AsyncBaseTransport | None = None
) -> ASGIApp:
    """Return the ASGI application; `transport` replaces the way to the Go API."""
    metrics = metrics or Metrics()
    transports = [transport] if transport else make_transports(settings)
    upstream = Upstream(settings, metrics, *transports)
    url = settings.jwt_jwks_url
    jwks = Jwks(url, settings.jwks_refresh_seconds) if url else None
    tokens = TokenVerifier(settings, jwks)
    tools = make_tools(Sessions(upstream), metrics)
    mcp = make_mcp(tools.values())
    mcp_app = mcp.http_app(path=MCP_PATH, stateless_http=True, json_response=True)
    gate = Gate(Calls(mcp_app, tools), settings, tokens, metrics)
    notes = _notes(settings)

    @asynccontextmanager
    async def lifespan(_: Router) -> AsyncIterator[None]:
        for note in notes:
            log.warning("configuration", note=note)
        async with mcp_app.lifespan(mcp_app):
            yield
        await upstream.close()
        if jwks:
            await jwks.close()

    routes = [
        Route("/", _index, methods=["GET"]),
        # At / too, so that the bare URL works in clients.
        *(Route(path, gate, methods=["POST"]) for path in ("/", MCP_PATH)),
        Route("/healthz", JSONResponse({"status": "ok"}), methods=["GET"]),
        # A method, because Starlette takes an instance for an ASGI application.
        Route("/readyz", Readiness(upstream, notes).__call__, methods=["GET"]),
        *_metadata_routes(settings),
    ]
    # No redirect to or from a trailing slash: it would be built from the request's Host.
    return Edge(Router(routes, redirect_slashes=False, lifespan=lifespan), settings)


def _notes(settings: Settings) -> list[str]:
    """Return what an operator should know: allowed, and probably not meant."""
    notes = []
    if not (settings.jwt_secret or settings.jwt_jwks_url):
        notes.append("no JWT key is configured: every call that needs a token is refused")
    if settings.jwt_jwks_url and settings.jwt_secret and not settings.jwt_allow_both:
        notes.append("TOOLBRIDGE_JWT_SECRET is ignored beside TOOLBRIDGE_JWT_JWKS_URL")
    if len(settings.tenant_header_secret.get_secret_value().encode()) < MIN_SECRET_BYTES:
        notes.append(f"TOOLBRIDGE_TENANT_HEADER_SECRET is shorter than {MIN_SECRET_BYTES} bytes")
    return notes
