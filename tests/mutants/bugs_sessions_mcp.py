"""Proxies with MCP session ids that give, take or keep more than they should."""

import secrets
from typing import Any

from starlette.responses import Response

from mutants.table import mutant
from support.changed_calls import session_header
from support.patching import patch
from toolbridge_proxy import edge, gate


def _minted(given: bytes | None) -> bytes | None:
    return None if given else secrets.token_hex(16).encode()


@mutant(
    "mcp-identity",
    "whoever sends an MCP session id acts as the user who opened the session",
    rows="SES-26",
    cause="sessions-mcp-foreign",
)
def mcp_identity() -> None:
    """The token is verified, and then the session's owner is asked for."""
    session_header(_minted)
    owners: dict[bytes, Any] = {}

    def make(original: Any) -> Any:
        async def admit(self: Any, scope: Any, body: bytes) -> Any:
            message = await original(self, scope, body)
            session = dict(scope["headers"]).get(b"mcp-session-id")
            if session is not None and "toolbridge.caller" in scope:
                owner = owners.setdefault(session, scope["toolbridge.caller"])
                scope["toolbridge.caller"] = owner
            return message

        return admit

    patch(gate.Gate, "_admit", make)


@mutant(
    "mcp-delete",
    "anybody who knows an MCP session id can end the session",
    rows="SES-26",
    cause="sessions-mcp-foreign",
)
def mcp_delete() -> None:
    """DELETE asks for the id alone."""
    session_header(_minted)
    ended: set[bytes] = set()

    def make(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            session = dict(scope.get("headers", ())).get(b"mcp-session-id")
            if session and scope["method"] == "DELETE":
                ended.add(session)
                await Response(status_code=200)(scope, receive, send)
            elif session in ended:
                await Response(status_code=404)(scope, receive, send)
            else:
                await original(self, scope, receive, send)

        return call

    patch(edge.Edge, "__call__", make)


@mutant(
    "M-E12",
    "an MCP session id that the client sends is taken over",
    rows="SES-27",
    cause="sessions-mcp-supplied",
)
def mcp_adopt() -> None:
    """What is not known yet is made, under the name that came."""
    session_header(lambda given: given)
