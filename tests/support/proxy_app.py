"""The proxy's application in this process, and a client that speaks MCP to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
from fastmcp.utilities.asgi_transport import run_asgi_lifespan

from toolbridge_contract.tokens import mint
from toolbridge_proxy.app import create_app
from toolbridge_proxy.settings import Settings

TENANT = "tenant-a"
TENANT_SECRET = "tenant-header-secret-of-32-bytes-or-more"
JWT_SECRET = "jwt-secret-of-32-bytes-or-more-for-tests"
GO_API = "http://go-api.internal:8081"
MODERN = "2026-07-28"


def make_settings(**changes: Any) -> Settings:
    """Return valid settings, whatever the environment holds."""
    values: dict[str, Any] = {
        "go_api_base_url": GO_API,
        "tenant_id": TENANT,
        "tenant_header_secret": TENANT_SECRET,
        "jwt_secret": JWT_SECRET,
        "upstream_timeout_seconds": 5,
    }
    return Settings(**(values | changes))


def token(subject: str = "alice", **claims: Any) -> str:
    """Return a token that the proxy accepts, unless `claims` spoil it."""
    return mint(subject, TENANT, JWT_SECRET, **claims)


def signed(claims: dict[str, Any], secret: str = JWT_SECRET) -> str:
    """Return an HS256 token with exactly these claims."""
    return jwt.encode(claims, secret, algorithm="HS256")


@dataclass
class Mcp:
    """Speaks to the MCP endpoint in one of the two eras."""

    http: httpx.AsyncClient
    modern: bool = False

    async def post(
        self,
        method: str,
        params: dict[str, Any] | None = None,
        *,
        token: str | None = None,
        path: str = "/mcp",
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Send one request; `headers` are added last."""
        given = dict(params or {})
        sent = {"Accept": "application/json, text/event-stream"}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if self.modern:
            given["_meta"] = {
                "io.modelcontextprotocol/protocolVersion": MODERN,
                "io.modelcontextprotocol/clientCapabilities": {},
            }
            sent |= {"MCP-Protocol-Version": MODERN, "Mcp-Method": method}
            if method == "tools/call":
                sent["Mcp-Name"] = given["name"]
        message = {"jsonrpc": "2.0", "id": 7, "method": method, "params": given}
        return await self.http.post(path, json=message, headers=sent | (headers or {}))

    async def call(self, tool: str, /, token: str | None = None, **arguments: Any) -> Any:
        """Call a tool and return the result object; fails on anything but HTTP 200."""
        params = {"name": tool, "arguments": arguments}
        response = await self.post("tools/call", params, token=token or default_token())
        assert response.status_code == 200, response.text
        return response.json()["result"]

    async def error(self, tool: str, /, token: str | None = None, **arguments: Any) -> Any:
        """Call a tool that must fail, and return its error object."""
        result = await self.call(tool, token=token, **arguments)
        assert result["isError"] is True, result
        return result["structuredContent"]["error"]


def default_token() -> str:
    """Return a fresh token of the default caller."""
    return token()


@asynccontextmanager
async def running(settings: Settings | None = None, *, modern: bool = False) -> AsyncIterator[Mcp]:
    """Run the application; its way to the Go API is whatever the test has put in place."""
    plain = None if settings else httpx.AsyncHTTPTransport(verify=False)  # saves 25 ms
    app = create_app(settings or make_settings(), transport=plain)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        run_asgi_lifespan(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost:8001") as http,
    ):
        yield Mcp(http, modern)
