"""Messages for the MCP endpoint, sent as raw bytes, and how a denial is read."""

import json
from typing import Any

import httpx

from support.proxy_app import Mcp

LIST = {"name": "list_notes", "arguments": {}}
HEALTH = {"name": "health_check", "arguments": {}}
INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}


def rpc(method: Any = "tools/call", params: Any = None, **changes: Any) -> bytes:
    """Return a JSON-RPC message; a change to `...` leaves the member out."""
    message = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params or LIST} | changes
    return json.dumps({k: v for k, v in message.items() if v is not ...}).encode()


async def post(
    mcp: Mcp, body: bytes, *, path: str = "/mcp", auth: str | None = None, **headers: str
) -> httpx.Response:
    """POST raw bytes; header names take `_` for `-`."""
    sent = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    if auth:
        sent["Authorization"] = f"Bearer {auth}"
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return await mcp.http.post(path, content=body, headers=sent)


def denial(response: httpx.Response) -> tuple[int, int, str, Any]:
    """Return status, JSON-RPC code, machine code and request id of a refusal."""
    error = response.json()["error"]
    return response.status_code, error["code"], error["data"]["code"], response.json()["id"]
