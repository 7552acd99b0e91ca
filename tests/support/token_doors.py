"""Second doors into the reference proxy: whom it lets in beside whom its verifier lets in."""

import base64
import hmac
import json
import os
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.responses import JSONResponse

from support.patching import patch
from toolbridge_proxy import edge, tokens

Claims = dict[str, Any]
Accepts = Callable[[str], Claims | None]

# What reading a token that was forged in any way may raise.
_UNREADABLE = (
    *(ValueError, LookupError, TypeError, AttributeError, OSError, RecursionError),
    *(jwt.PyJWTError, sqlite3.Error),
)


def decode(segment: str) -> bytes:
    """Return the bytes of a segment."""
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def header(token: str) -> Claims:
    """Return the header, unverified."""
    read: Claims = json.loads(decode(token.split(".")[0]))
    return read


def claims(token: str) -> Claims:
    """Return the claims, unverified."""
    read: Claims = json.loads(decode(token.split(".")[1]))
    return read


def mac_is(token: str, key: bytes, length: int = 32) -> bool:
    """Whether the first `length` bytes of the signature are HMAC-SHA-256 by `key`."""
    body, _, signature = token.rpartition(".")
    return hmac.digest(key, body.encode(), "sha256")[:length] == decode(signature)[:length]


def secret() -> bytes:
    """Return the key of good tokens."""
    return os.environ["TOOLBRIDGE_JWT_SECRET"].encode()


def tenant() -> str:
    """Return the tenant that is served."""
    return os.environ["TOOLBRIDGE_TENANT_ID"]


def reissued(payload: Claims) -> str:
    """Return a good token with these claims."""
    parts = (b'{"alg":"HS256","typ":"JWT"}', json.dumps(payload).encode())
    body = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
    mac = hmac.digest(secret(), body.encode(), "sha256")
    return f"{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def also(accepts: Accepts, *, exchanged: bool = False) -> None:
    """Believe the claims that `accepts` returns for a token; None: verify it as ever.

    Expiry, subject and tenant are checked in those claims. What goes upstream is the token
    received, or, `exchanged`, a good one with those claims.
    """

    def make(original: Any) -> Any:
        async def caller(self: Any, authorization: str | None) -> tokens.Caller:
            token = (authorization or "").partition(" ")[2]
            try:
                believed = accepts(token)
                good = None if believed is None else f"Bearer {reissued(believed)}"
            except _UNREADABLE:  # so is a proxy without a secret, which has no second door
                good = None
            found: tokens.Caller = await original(self, good or authorization)
            return replace(found, token=token) if good and not exchanged else found

        return caller

    patch(tokens.TokenVerifier, "caller", make)


def keyed(key: Callable[[Claims], bytes]) -> None:
    """Accept an HMAC by the key that `key` returns for a header."""
    also(lambda token: claims(token) if mac_is(token, key(header(token))) else None)


def mended(mend: Callable[[Claims], Claims]) -> None:
    """Judge well-signed claims as if they were what `mend` makes of them."""

    def accepts(token: str) -> Claims | None:
        if not mac_is(token, secret()):
            return None
        read = claims(token)
        better = mend(read)
        return better if better != read else None

    also(accepts)


def read_first(read: Callable[[str], object]) -> None:
    """Read well-signed tokens with `read` before they are judged: what it raises is a crash."""

    def make(original: Any) -> Any:
        async def caller(self: Any, authorization: str | None) -> tokens.Caller:
            token = (authorization or "").partition(" ")[2]
            try:
                signed = mac_is(token, secret())
            except _UNREADABLE:
                signed = False
            if signed:
                read(token)
            found: tokens.Caller = await original(self, authorization)
            return found

        return caller

    patch(tokens.TokenVerifier, "caller", make)


def publish(key: rsa.RSAPublicKey) -> None:
    """Serve `key` as the set of keys of this server."""
    jwk = jwt.algorithms.RSAAlgorithm.to_jwk(key, as_dict=True) | {"kid": "main"}

    def make(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            known = scope.get("path") == "/.well-known/jwks.json"
            app = JSONResponse({"keys": [jwk]}) if known else original.__get__(self)
            await app(scope, receive, send)

        return call

    patch(edge.Edge, "__call__", make)
