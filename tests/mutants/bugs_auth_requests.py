"""Proxies that look in the wrong place for who calls, or not on every request."""

from contextvars import ContextVar
from typing import Any
from urllib.parse import parse_qs

from mutants.table import mutant
from support.patching import patch
from support.token_doors import claims
from toolbridge_proxy import edge, gate, sessions, tokens, upstream

_JSON = {b"content-type": "application/json"}


def _heard(name: bytes) -> ContextVar[str]:
    """Return what the request at hand says in a header; empty without it."""
    said: ContextVar[str] = ContextVar(name.decode(), default="")

    def make(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            said.set(dict(scope.get("headers", ())).get(name, b"").decode("latin-1"))
            await original(self, scope, receive, send)

        return call

    patch(edge.Edge, "__call__", make)
    return said


@mutant(
    "M-A21",
    "the scheme must be spelled Bearer",
    rows="AUTH-50",
    cause="auth-scheme-case",
)
def exact_scheme() -> None:
    """As the Go API does; a client may write it in any case."""

    def make(original: Any) -> Any:
        async def caller(self: Any, authorization: str | None) -> tokens.Caller:
            if authorization is not None and not authorization.startswith("Bearer "):
                raise tokens.Denied("invalid_token", "not_a_bearer_token")
            verified: tokens.Caller = await original(self, authorization)
            return verified

        return caller

    patch(tokens.TokenVerifier, "caller", make)


@mutant(
    "M-A22",
    "the scheme is accepted in any case and forwarded as it came",
    rows="AUTH-50",
    cause="auth-scheme-case",
)
def forwarded_scheme() -> None:
    """The Go API then sees no token at all."""
    said = _heard(b"authorization")

    def make(original: Any) -> Any:
        def headers(self: Any, request: Any, call: Any) -> list[tuple[str, str]]:
            built: list[tuple[str, str]] = original(self, request, call)
            return [(n, said.get() if n == "Authorization" else v) for n, v in built]

        return headers

    patch(upstream.Upstream, "_headers", make)


@mutant(
    "M-A23",
    "tokens are verified for tools/list and initialize, and not for tools/call",
    rows="AUTH-01 AUTH-56",
    cause="auth-no-token",
)
def open_calls() -> None:
    """Somebody verified when they listed the tools: why again?"""

    def believed(authorization: str) -> tokens.Caller:
        token = authorization.partition(" ")[2]
        try:
            sub = claims(token)["sub"]
        except (ValueError, LookupError, TypeError, RecursionError):
            sub = "anonymous"
        return tokens.Caller(None, str(sub), token or "None")

    def make(original: Any) -> Any:
        async def admit(self: Any, scope: Any, body: bytes) -> Any:
            headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
            message, fault = gate._parsed(headers, body)
            named = fault is None and isinstance(message, dict) and message.get("method")
            if named != "tools/call":
                return await original(self, scope, body)
            scope["toolbridge.caller"] = believed(headers.get(b"authorization", ""))
            return message

        return admit

    patch(gate.Gate, "_admit", make)


@mutant(
    "M-A24",
    "an MCP session id stands for the token that it was last seen with",
    rows="AUTH-58 AUTH-59",
    cause="auth-session-id",
)
def trusted_session() -> None:
    """Verified once, believed ever after."""
    known: dict[bytes, tokens.Caller] = {}

    def make(original: Any) -> Any:
        async def admit(self: Any, scope: Any, body: bytes) -> Any:
            session = dict(scope["headers"]).get(b"mcp-session-id", b"")
            if session in known:
                scope["toolbridge.caller"] = known[session]
                return gate._parsed(_JSON, body)[0]
            message = await original(self, scope, body)
            if session and "toolbridge.caller" in scope:
                known[session] = scope["toolbridge.caller"]
            return message

        return admit

    patch(gate.Gate, "_admit", make)


@mutant(
    "M-A25",
    "a token that was accepted once is accepted for ever",
    rows="AUTH-58",
    cause="auth-expires-in-use",
)
def cached_verdict() -> None:
    """The cache does not know exp."""
    known: dict[str | None, tokens.Caller] = {}

    def make(original: Any) -> Any:
        async def caller(self: Any, authorization: str | None) -> tokens.Caller:
            if authorization not in known:
                known[authorization] = await original(self, authorization)
            return known[authorization]

        return caller

    patch(tokens.TokenVerifier, "caller", make)


@mutant(
    "M-A26",
    "X-Debug-Sub chooses whose session is used",
    rows="AUTH-60",
    cause="auth-identity-headers",
)
def debug_sub() -> None:
    """A switch for development that was left on."""
    said = _heard(b"x-debug-sub")

    def principal(call: upstream.Call) -> tuple[str | None, str]:
        return call.caller.issuer, said.get() or call.caller.subject

    patch(sessions, "_principal", lambda _: principal)


@mutant(
    "M-A29",
    "the 401 has no WWW-Authenticate",
    rows="AUTH-54",
    cause="auth-challenge",
)
def no_challenge() -> None:
    """Clients then do not know that a token would help."""

    def make(original: Any) -> Any:
        def denial(self: gate.Gate, denied: Any, message: Any, scope: Any) -> Any:
            response = original(self, denied, message, scope)
            if "www-authenticate" in response.headers:
                del response.headers["www-authenticate"]
            return response

        return denial

    patch(gate.Gate, "_denial", make)


@mutant(
    "query-token-wins",
    "beside a token in the header, the one in the query counts",
    rows="AUTH-53",
    cause="auth-two-places",
)
def query_token() -> None:
    """A query alone is ignored, so that nobody sees it stand alone."""

    def make(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            query: Any = parse_qs(scope.get("query_string", b"").decode())
            token = query.get("access_token", [""])[0].encode()
            if token:
                headers = [
                    (n, b"Bearer " + token if n == b"authorization" else v)
                    for n, v in scope["headers"]
                ]
                scope = scope | {"headers": headers}
            await original(self, scope, receive, send)

        return call

    patch(edge.Edge, "__call__", make)
