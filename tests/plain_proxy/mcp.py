"""The MCP methods of a server that has tools and nothing else."""

from typing import Any

from plain_proxy import eras
from plain_proxy.rpc import INVALID_PARAMS, METHOD_NOT_FOUND, Problem
from plain_proxy.tools import TOOLS, Tool

SERVER = {"name": "toolbridge-plain", "version": "1"}
CAPABILITIES: dict[str, Any] = {"tools": {}}
# The list changes with a deployment alone, and is the same for everyone.
CACHED = {"ttlMs": 60_000, "cacheScope": "public"}
PUBLIC = ("initialize", "server/discover", "ping", "tools/list")


def is_public(message: Any) -> bool:
    """Whether `message` needs no token."""
    if not isinstance(message, dict) or not isinstance(message.get("method"), str):
        return False
    if "id" not in message:
        return bool(message["method"].startswith("notifications/"))
    if message["method"] == "tools/call":
        params = message.get("params")
        return isinstance(params, dict) and params.get("name") == "health_check"
    return message["method"] in PUBLIC


def tool_of(message: dict[str, Any], modern: bool) -> tuple[Tool, dict[str, Any]]:
    """Return tool and arguments of tools/call; raises Problem."""
    params = message.get("params", {})
    name, given = params.get("name"), params.get("arguments")
    tool = TOOLS.get(name) if isinstance(name, str) else None
    if tool is None:
        raise _invalid("Unknown tool", modern)
    if not isinstance(given, dict | None):
        raise _invalid("arguments must be an object", modern)
    return tool, given or {}


def answer(message: dict[str, Any], modern: bool) -> dict[str, Any]:
    """Return the result of any other method; raises Problem."""
    method = message["method"]
    if method == "tools/list":
        return _tools(message, modern)
    if method == "initialize" and not modern:
        return _initialize(message)
    if method == "ping" and not modern:
        return {}
    if method == "server/discover" and modern:
        versions = {"supportedVersions": [eras.MODERN, *reversed(eras.LEGACY)]}
        return versions | {"capabilities": CAPABILITIES, "serverInfo": SERVER} | CACHED
    raise Problem(404 if modern else 200, METHOD_NOT_FOUND, "Unknown method")


def _tools(message: dict[str, Any], modern: bool) -> dict[str, Any]:
    if message.get("params", {}).get("cursor") is not None:
        raise _invalid("tools/list has one page", modern)
    listed = {"tools": [tool.described() for tool in TOOLS.values()]}
    return listed | CACHED if modern else listed


def _initialize(message: dict[str, Any]) -> dict[str, Any]:
    wanted = message.get("params", {}).get("protocolVersion")
    if not isinstance(wanted, str):
        raise _invalid("protocolVersion must be a string", modern=False)
    return {
        "protocolVersion": eras.offered(wanted),
        "capabilities": CAPABILITIES,
        "serverInfo": SERVER,
    }


def _invalid(text: str, modern: bool) -> Problem:
    return Problem(400 if modern else 200, INVALID_PARAMS, text)
