"""The MCP endpoint's gate: which message may pass, and with whose token."""

import asyncio
import re
from http import HTTPStatus
from typing import Any

from mcp_types.jsonrpc import INVALID_REQUEST, PARSE_ERROR
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from toolbridge_proxy import strict_json
from toolbridge_proxy.calls import Calls
from toolbridge_proxy.edge import MAX_BODY_BYTES, RequestId, rpc_error
from toolbridge_proxy.logs import log
from toolbridge_proxy.metrics import Metrics
from toolbridge_proxy.operations import HEALTH_CHECK
from toolbridge_proxy.settings import Settings
from toolbridge_proxy.tokens import Denied, TokenVerifier

# Outside -32768..-32000, which JSON-RPC reserves.
UNAUTHENTICATED, FORBIDDEN = -31401, -31403

PUBLIC_METHODS = frozenset({"initialize", "server/discover", "ping", "tools/list"})
BODY_SECONDS = 15  # 2 MiB at 150 KiB/s; slower senders hold a connection for nothing
# One of the two MCP eras reads at most 200 levels; the envelope takes three.
MAX_DEPTH = 128

_JSON = re.compile(r'(?i)application/json(?:\s*;\s*+(?:charset="?utf-8"?|(?!charset)[^;]*+))*')


class Refused(Exception):
    """The request is answered with the response that is its argument, and goes no further."""


class Gate:
    """ASGI app in front of what answers: body, token, envelope."""

    def __init__(self, calls: Calls, settings: Settings, tokens: TokenVerifier, metrics: Metrics):
        self._calls, self._settings = calls, settings
        self._tokens, self._metrics = tokens, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one POST."""
        try:
            body = await _body(receive)
            message = await self._admit(scope, body)
            _check_envelope(message)
        except Refused as refused:
            await refused.args[0](scope, receive, send)
            return
        await self._calls.serve(message, body, scope, receive, send)

    async def _admit(self, scope: Scope, body: bytes) -> Any:
        """Return the message if its sender may send it; sets the caller on the scope."""
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        message, fault = _parsed(headers, body)
        authorization = headers.get(b"authorization")
        if authorization is not None or (fault is None and not _is_public(message)):
            try:
                scope["toolbridge.caller"] = await self._tokens.caller(authorization)
            except Denied as denied:
                raise Refused(self._denial(denied, message, scope)) from None
        if fault is not None:
            raise Refused(fault)
        return message

    def _denial(self, denied: Denied, message: Any, scope: Scope) -> Response:
        self._metrics.denials.labels(denied.code).inc()
        correlation_id = scope["toolbridge.correlation_id"]
        log.warning("denied", code=denied.code, reason=denied.reason, correlation_id=correlation_id)
        request_id = _request_id(message)
        if denied.code == "forbidden_tenant":
            text = "This token is not for this tenant"
            return rpc_error(403, FORBIDDEN, text, request_id, denied.code)
        text = "A valid bearer token is needed"
        response = rpc_error(401, UNAUTHENTICATED, text, request_id, denied.code)
        challenge = ['error="invalid_token"'] if denied.code == "invalid_token" else []
        if self._settings.jwt_issuer and (url := self._settings.public_url):
            metadata = f"{url}/.well-known/oauth-protected-resource{scope['path'].rstrip('/')}"
            challenge.append(f'resource_metadata="{metadata}"')
        response.headers["WWW-Authenticate"] = f"Bearer {', '.join(challenge)}".rstrip()
        return response


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while more and len(body) <= MAX_BODY_BYTES:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refused(Response(status_code=400))  # which nobody reads
                body, more = body + message.get("body", b""), message.get("more_body", False)
    except TimeoutError:
        raise Refused(rpc_error(408, INVALID_REQUEST, "Request body too slow")) from None
    if len(body) > MAX_BODY_BYTES:
        raise Refused(rpc_error(413, INVALID_REQUEST, "Request body too large"))
    return body


def _parsed(headers: dict[bytes, str], body: bytes) -> tuple[Any, Response | None]:
    """Return the message, or why there is none."""
    plain = headers.get(b"content-encoding", "identity").lower() == "identity"
    if not plain or not _JSON.fullmatch(headers.get(b"content-type", "")):
        text = "Content-Type must be application/json, in UTF-8 and not compressed"
        return None, rpc_error(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, INVALID_REQUEST, text)
    try:
        return strict_json.loads(body, max_depth=MAX_DEPTH), None
    except strict_json.StrictJSONError as fault:
        return None, rpc_error(400, PARSE_ERROR, f"Parse error: {fault}")


def _is_public(message: Any) -> bool:
    """Whether `message` works without a token."""
    if not isinstance(message, dict):
        return False
    method = message.get("method")
    if "id" not in message:
        return isinstance(method, str) and method.startswith("notifications/")
    if method == "tools/call":
        params = message.get("params")
        return isinstance(params, dict) and params.get("name") == HEALTH_CHECK["name"]
    return isinstance(method, str) and method in PUBLIC_METHODS


def _request_id(message: Any) -> RequestId:
    request_id = message.get("id") if isinstance(message, dict) else None
    return request_id if isinstance(request_id, str) or type(request_id) is int else None


def _check_envelope(message: Any) -> None:
    """Refuse what is not one JSON-RPC message: batches, null ids, other versions."""
    good = isinstance(message, dict) and message.get("jsonrpc") == "2.0"
    good = good and ("id" not in message or _request_id(message) is not None)
    # The library's own refusal of other parameters quotes them, at a second per megabyte.
    good = good and isinstance(message.get("params") or {}, dict)
    if not good or not isinstance(message.get("method", ""), str):
        text = "Body must be a single JSON-RPC 2.0 message"
        raise Refused(rpc_error(400, INVALID_REQUEST, text, _request_id(message)))
