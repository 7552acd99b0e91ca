"""The MCP endpoint's gate: which message may pass, and with whose token."""

import asyncio
from http import HTTPStatus
from typing import Any

import structlog
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from toolbridge_proxy import strict_json
from toolbridge_proxy.edge import INVALID_REQUEST, MAX_BODY_BYTES, rpc_error
from toolbridge_proxy.metrics import Metrics
from toolbridge_proxy.settings import Settings
from toolbridge_proxy.tokens import Denied, TokenVerifier
from toolbridge_proxy.tools import HEALTH_CHECK

log = structlog.get_logger()

PARSE_ERROR = -32700
# Outside -32768..-32000, which JSON-RPC reserves.
UNAUTHENTICATED, FORBIDDEN = -31401, -31403

PUBLIC_METHODS = frozenset({"initialize", "server/discover", "ping", "tools/list"})
BODY_SECONDS = 15  # 4 MiB at 300 KiB/s; slower senders hold a connection for nothing
# One of the two MCP eras reads at most 200 levels; the envelope takes three.
MAX_DEPTH = 128


class Refused(Exception):
    """The request is answered with `response` and goes no further."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


class Disconnected(Exception):
    """The client went away while sending."""


class Gate:
    """ASGI app in front of the MCP app: body, token, envelope."""

    def __init__(
        self, app: ASGIApp, path: str, settings: Settings, tokens: TokenVerifier, metrics: Metrics
    ) -> None:
        self._app, self._path, self._tokens, self._metrics = app, path, tokens, metrics
        self._public_url, self._issuer = settings.public_url, settings.jwt_issuer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one POST."""
        try:
            body = await _body(receive)
            message = await self._admit(scope, body)
            _check_envelope(message)
        except Refused as refused:
            await refused.response(scope, receive, send)
            return
        except Disconnected:
            return
        inner = {**scope, "path": self._path, "headers": _plain(scope["headers"])}
        await self._app(inner, _replay(body, receive), send)

    async def _admit(self, scope: Scope, body: bytes) -> Any:
        """Return the message if its sender may send it; sets the caller on the scope."""
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        fault: Refused | None = None
        message: Any = None
        try:
            message = _parsed(headers, body)
        except Refused as refused:
            fault = refused
        authorization = headers.get(b"authorization")
        if authorization is not None or (fault is None and not _is_public(message)):
            try:
                scope["toolbridge.caller"] = await self._tokens.caller(authorization)
            except Denied as denied:
                raise Refused(self._denial(denied, message, scope)) from None
        if fault is not None:
            raise fault
        return message

    def _denial(self, denied: Denied, message: Any, scope: Scope) -> Response:
        self._metrics.denied(denied.code)
        log.warning(
            "denied",
            code=denied.code,
            reason=denied.reason,
            correlation_id=scope["toolbridge.correlation_id"],
        )
        request_id, data = _request_id(message), {"code": denied.code}
        if denied.code == "forbidden_tenant":
            text = "This token is not for this tenant"
            return rpc_error(HTTPStatus.FORBIDDEN, FORBIDDEN, text, request_id, data)
        parameters = []
        if denied.code == "invalid_token":
            parameters.append('error="invalid_token"')
        if self._issuer and self._public_url:
            suffix = "" if scope["path"] == "/" else scope["path"]
            metadata = f"{self._public_url}/.well-known/oauth-protected-resource{suffix}"
            parameters.append(f'resource_metadata="{metadata}"')
        challenge = f"Bearer {', '.join(parameters)}".rstrip()
        text = "A valid bearer token is needed"
        return rpc_error(
            401, UNAUTHENTICATED, text, request_id, data, {"WWW-Authenticate": challenge}
        )


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Disconnected
                body += message.get("body", b"")
                if len(body) > MAX_BODY_BYTES:
                    raise Refused(rpc_error(413, INVALID_REQUEST, "Request body too large"))
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        raise Refused(rpc_error(408, INVALID_REQUEST, "Request body too slow")) from None


def _parsed(headers: dict[bytes, str], body: bytes) -> Any:
    kind, *parameters = headers.get(b"content-type", "").lower().replace(" ", "").split(";")
    plain = headers.get(b"content-encoding", "identity").lower() == "identity"
    charset = [value for value in parameters if value.startswith("charset=")]
    utf8 = all(value.removeprefix("charset=").strip('"') == "utf-8" for value in charset)
    if kind != "application/json" or not plain or not utf8:
        text = "Content-Type must be application/json, in UTF-8 and not compressed"
        raise Refused(rpc_error(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, INVALID_REQUEST, text))
    try:
        return strict_json.loads(body, max_depth=MAX_DEPTH)
    except strict_json.StrictJSONError as fault:
        raise Refused(rpc_error(400, PARSE_ERROR, f"Parse error: {fault}")) from None


def _is_public(message: Any) -> bool:
    """Whether `message` works without a token."""
    if not isinstance(message, dict):
        return False
    method = message.get("method")
    if "id" not in message:
        return isinstance(method, str) and method.startswith("notifications/")
    if method == "tools/call":
        params = message.get("params")
        return isinstance(params, dict) and params.get("name") == HEALTH_CHECK
    return isinstance(method, str) and method in PUBLIC_METHODS


def _request_id(message: Any) -> str | int | None:
    request_id = message.get("id") if isinstance(message, dict) else None
    return request_id if isinstance(request_id, str) or type(request_id) is int else None


def _check_envelope(message: Any) -> None:
    """Refuse what is not one JSON-RPC message: batches, null ids, other versions."""
    good = isinstance(message, dict) and message.get("jsonrpc") == "2.0"
    if good and "id" in message:
        good = _request_id(message) is not None
    if good and "method" in message:
        good = isinstance(message["method"], str)
    if not good:
        text = "Body must be a single JSON-RPC 2.0 message"
        raise Refused(rpc_error(400, INVALID_REQUEST, text, _request_id(message)))


def _plain(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return `headers` in the spelling that the MCP library compares.

    Accept may come in several lines, and absent means anything (RFC 9110 section 12.5.1).
    """
    accept = b", ".join(value for name, value in headers if name == b"accept") or b"*/*"
    kept = [(n, v) for n, v in headers if n not in (b"accept", b"content-type")]
    return [*kept, (b"accept", accept), (b"content-type", b"application/json")]


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
