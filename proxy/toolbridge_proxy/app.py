"""The HTTP application: routes, and how the parts are put together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import fastmcp.server.middleware as fastmcp_middleware

# Imported by FastMCP at the first call, which would then take half a second more.
import key_value.aio.adapters.pydantic
import key_value.aio.stores.memory  # noqa: F401
import structlog
from fastmcp import FastMCP
from fastmcp.exceptions import NotFoundError
from fastmcp.tools.base import ToolResult
from httpx import AsyncBaseTransport
from mcp import MCPError
from mcp_types import CallToolRequestParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from toolbridge_proxy.edge import Edge
from toolbridge_proxy.gate import Gate
from toolbridge_proxy.jwks import Jwks
from toolbridge_proxy.metrics import Metrics
from toolbridge_proxy.sessions import Sessions
from toolbridge_proxy.settings import MIN_SECRET_BYTES, Settings
from toolbridge_proxy.tokens import TokenVerifier
from toolbridge_proxy.tools import make_tools
from toolbridge_proxy.upstream import Upstream, make_transport

log = structlog.get_logger()

NAME = "toolbridge"
MCP_PATH = "/mcp"
PROBE_SECONDS = 2  # under the usual health check time-out of 5 s
METADATA_PATH = "/.well-known/oauth-protected-resource"
INVALID_PARAMS = -32602
# The handlers of a server that has tools and nothing else; what is not here is not advertised.
SERVED_METHODS = frozenset({"ping", "server/discover", "tools/list", "tools/call"})


class UnknownTool(fastmcp_middleware.Middleware):
    """Answers an unknown tool with -32602 (MCP server/tools), not with a tool result."""

    async def on_call_tool(
        self,
        context: fastmcp_middleware.MiddlewareContext[CallToolRequestParams],
        call_next: fastmcp_middleware.CallNext[CallToolRequestParams, ToolResult],
    ) -> ToolResult:
        """Pass the call on."""
        try:
            return await call_next(context)
        except NotFoundError:
            raise MCPError(code=INVALID_PARAMS, message="Unknown tool") from None


def make_mcp(sessions: Sessions, metrics: Metrics) -> FastMCP:
    """Return the MCP server with its 41 tools."""
    mcp: FastMCP = FastMCP(
        NAME,
        version="1",
        instructions="Notes, tasks, comments, chats and chat messages of the caller.",
        on_duplicate="error",
        mask_error_details=True,
        middleware=[UnknownTool()],
        cache_ttl=60,
        cache_scope="public",
    )
    schemas = {}
    for tool in make_tools(sessions, metrics):
        schemas[tool.name] = tool.parameters
        mcp.add_tool(tool)
    server = mcp._mcp_server
    # Without it each call of a 2026-07-28 client lists all tools first, five times the work.
    server.get_tool_input_schema = schemas.get
    handlers = server._request_handlers
    for method in handlers.keys() - SERVED_METHODS:
        del handlers[method]
    return mcp


class Readiness:
    """Ready once the Go API has answered; a later outage would take every machine out."""

    def __init__(self, upstream: Upstream, notes: list[str]) -> None:
        self._upstream, self._notes = upstream, notes
        self._reached, self._lock = False, asyncio.Lock()

    async def __call__(self, _: Request) -> Response:
        """Answer GET /readyz."""
        async with self._lock:
            if not self._reached:
                self._reached = await self._upstream.alive(PROBE_SECONDS)
        if not self._reached:
            return JSONResponse({"status": "not_ready", "reason": "go_api_unreachable"}, 503)
        return JSONResponse({"status": "ready", "notes": self._notes})


async def _alive(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _index(request: Request) -> Response:
    if "text/event-stream" in request.headers.get("accept", ""):
        # An MCP client asking for the stream that a stateless server does not have.
        return Response(status_code=405, headers={"Allow": "POST"})
    return JSONResponse({"name": NAME, "mcp": MCP_PATH, "health": "/healthz", "ready": "/readyz"})


def _metadata_routes(settings: Settings) -> list[Route]:
    """Return the RFC 9728 documents; the resource is never built from a request's Host."""
    if not settings.jwt_issuer or not settings.public_url:
        return []

    def route(suffix: str) -> Route:
        document = {
            "resource": f"{settings.public_url}{suffix}",
            "authorization_servers": [settings.jwt_issuer],
            "bearer_methods_supported": ["header"],
        }

        async def serve(_: Request) -> Response:
            return JSONResponse(document)

        return Route(METADATA_PATH + suffix, serve, methods=["GET"])

    return [route(""), route(MCP_PATH)]


class _Root:
    """`/`: MCP for POST, so that the bare URL works in clients; an index for people."""

    def __init__(self, gate: Gate) -> None:
        self._post, self._get = gate, Route("/", _index, methods=["GET"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "POST":
            await self._post(scope, receive, send)
        elif scope["method"] in ("GET", "HEAD"):
            await self._get.handle(scope, receive, send)
        else:
            await Response(status_code=405, headers={"Allow": "GET, HEAD, POST"})(
                scope, receive, send
            )


def create_app(
    settings: Settings,
    metrics: Metrics | None = None,
    transport: AsyncBaseTransport | None = None,
) -> ASGIApp:
    """Return the ASGI application; `transport` replaces the way to the Go API."""
    metrics = metrics or Metrics()
    upstream = Upstream(settings, metrics, transport or make_transport(settings))
    jwks = None
    if settings.jwt_jwks_url:
        jwks = Jwks(settings.jwt_jwks_url, settings.jwks_refresh_seconds)
    tokens = TokenVerifier(settings, jwks)
    mcp_app = make_mcp(Sessions(upstream), metrics).http_app(
        path=MCP_PATH, stateless_http=True, json_response=True
    )
    gate = Gate(mcp_app, MCP_PATH, settings, tokens, metrics)
    notes = _notes(settings, tokens)

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
        Route("/", _Root(gate)),
        Route(MCP_PATH, gate, methods=["POST"]),
        Route("/healthz", _alive, methods=["GET"]),
        Route("/readyz", Readiness(upstream, notes).__call__, methods=["GET"]),
        *_metadata_routes(settings),
    ]
    # No redirect to or from a trailing slash: it would be built from the request's Host.
    return Edge(Router(routes, redirect_slashes=False, lifespan=lifespan), settings)


def _notes(settings: Settings, tokens: TokenVerifier) -> list[str]:
    """Return what an operator should know: allowed, and probably not meant."""
    notes = []
    if not tokens.has_keys:
        notes.append("no JWT key is configured: every call that needs a token is refused")
    if settings.jwt_jwks_url and settings.jwt_secret and not settings.jwt_allow_both:
        notes.append("TOOLBRIDGE_JWT_SECRET is ignored beside TOOLBRIDGE_JWT_JWKS_URL")
    if len(settings.tenant_header_secret.get_secret_value().encode()) < MIN_SECRET_BYTES:
        notes.append(f"TOOLBRIDGE_TENANT_HEADER_SECRET is shorter than {MIN_SECRET_BYTES} bytes")
    return notes
