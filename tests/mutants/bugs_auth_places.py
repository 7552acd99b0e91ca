"""Proxies that read tokens from where none belongs, or a token that is not quite one."""

import hashlib
import hmac
from contextvars import ContextVar
from typing import Any
from urllib.parse import parse_qs

from mutants.table import mutant
from support.patching import patch
from support.token_doors import Claims, also, claims, decode, header, mac_is, secret, tenant
from toolbridge_proxy import edge, gate, tokens, upstream

_MODERN = b"2026-07-28"


def _rewritten(change: Any) -> None:
    """Let `change` make the headers of each request anew, from the request."""

    def make(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                scope = scope | {"headers": change(scope)}
            await original(self, scope, receive, send)

        return call

    patch(edge.Edge, "__call__", make)


@mutant(
    "query-token",
    "without a token in the header, the one in the query counts",
    rows="AUTH-52",
    cause="auth-token-elsewhere",
)
def query_token() -> None:
    """As older versions of OAuth allowed."""

    def change(scope: Any) -> Any:
        query: Any = parse_qs(scope["query_string"].decode())
        token = query.get("access_token", [""])[0].encode()
        named = any(name == b"authorization" for name, _ in scope["headers"])
        extra = [(b"authorization", b"Bearer " + token)] if token and not named else []
        return [*scope["headers"], *extra]

    _rewritten(change)


@mutant(
    "first-verified-last-sent",
    "of two Authorization headers the first is verified and the last forwarded",
    rows="AUTH-49",
    cause="auth-two-tokens",
)
def split_tokens() -> None:
    """Two libraries, two ways to read a repeated header."""
    last: ContextVar[str] = ContextVar("last")

    def change(scope: Any) -> Any:
        sent = [value for name, value in scope["headers"] if name == b"authorization"]
        scheme, _, token = sent[-1].decode("latin-1").partition(" ") if sent else ("", "", "")
        last.set(f"{scheme.title()} {token}")
        rest = [pair for pair in scope["headers"] if pair[0] != b"authorization"]
        return [*rest, *[(b"authorization", value) for value in sent[:1]]]

    def make(original: Any) -> Any:
        def headers(self: Any, request: Any, call: Any) -> list[tuple[str, str]]:
            built: list[tuple[str, str]] = original(self, request, call)
            return [(n, last.get() if n == "Authorization" else v) for n, v in built]

        return headers

    patch(upstream.Upstream, "_headers", make)
    _rewritten(change)


@mutant(
    "open-modern-era",
    "signatures are not verified in the 2026-07-28 era",
    rows="AUTH-57",
    cause="auth-both-eras",
)
def open_era() -> None:
    """The newer path of the code has a gate of its own, which only decodes."""

    def make(original: Any) -> Any:
        async def admit(self: Any, scope: Any, body: bytes) -> Any:
            headers = dict(scope["headers"])
            token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")[2]
            if headers.get(b"mcp-protocol-version") != _MODERN or not token:
                return await original(self, scope, body)
            scope["toolbridge.caller"] = tokens.Caller(None, claims(token)["sub"], token)
            return gate._parsed({b"content-type": "application/json"}, body)[0]

        return admit

    patch(gate.Gate, "_admit", make)


@mutant(
    "any-sha-2",
    "HS384 and HS512 are accepted beside HS256",
    rows="AUTH-05 AUTH-10",
    cause="auth-alg-other",
)
def any_digest() -> None:
    """As the Go API does."""
    digests = {"HS384": hashlib.sha384, "HS512": hashlib.sha512}

    def accepts(token: str) -> Claims | None:
        body, _, signature = token.rpartition(".")
        mac = hmac.digest(secret(), body.encode(), digests[header(token)["alg"]])
        return claims(token) if mac == decode(signature) else None

    also(accepts)


@mutant(
    "segments-counted-later",
    "a token without a dot in it is an internal error",
    rows="AUTH-02 AUTH-47 AUTH-51",
    cause="auth-garbage-token",
)
def no_segments() -> None:
    """The second of one part."""

    def make(original: Any) -> Any:
        async def caller(self: Any, authorization: str | None) -> tokens.Caller:
            if authorization is not None:
                assert authorization.split(".")[1] is not None
            verified: tokens.Caller = await original(self, authorization)
            return verified

        return caller

    patch(tokens.TokenVerifier, "caller", make)


@mutant(
    "more-segments",
    "what follows the third segment of a token is ignored",
    rows="AUTH-63",
    cause="auth-mutated",
)
def more_segments() -> None:
    """One token has then many spellings."""

    def accepts(token: str) -> Claims | None:
        parts = token.split(".")
        whole = ".".join(parts[:3])
        return claims(whole) if len(parts) > 3 and mac_is(whole, secret()) else None

    also(accepts, exchanged=True)


@mutant(
    "tenant-of-a-header",
    "X-Tenant-ID, as a front server would set it, is compared in place of the claim",
    rows="TEN-12",
    cause="tenant-header-powerless",
)
def tenant_of_a_header() -> None:
    """And nobody makes sure that there is a front server."""
    said: ContextVar[str] = ContextVar("said", default="")

    def change(scope: Any) -> Any:
        said.set(dict(scope["headers"]).get(b"x-tenant-id", b"").decode("latin-1"))
        return scope["headers"]

    def accepts(token: str) -> Claims | None:
        trusted = said.get() == tenant() and mac_is(token, secret())
        return claims(token) | {"tenant_id": tenant()} if trusted else None

    _rewritten(change)
    also(accepts)
