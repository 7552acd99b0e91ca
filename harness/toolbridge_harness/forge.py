"""Tokens that a correct proxy refuses: each is a good one with a single thing wrong."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from typing import Any

import jwt

from toolbridge_harness.verdicts import NotApplicable


def segment(value: Any) -> str:
    """Return base64url of a JSON value, or of raw bytes (RFC 7515 §2)."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def claims(sub: str, tenant: str, /, **changes: Any) -> dict[str, Any]:
    """Return claims that are valid for ten minutes; a change to `...` removes the claim."""
    now = int(time.time())
    good = {
        "sub": sub,
        "tenant_id": tenant,
        "iat": now,
        "exp": now + 600,
        "jti": secrets.token_hex(8),
    }
    return {k: v for k, v in (good | changes).items() if v is not ...}


def altered(token: str | None, **changes: Any) -> dict[str, Any]:
    """Return a good token's claims with some changed; a change to `...` removes the claim."""
    if token is None:
        raise NotApplicable("there is no token to alter")
    good = jwt.decode(token, options={"verify_signature": False})
    return {k: v for k, v in (good | changes).items() if v is not ...}


def signed(
    payload: Any, secret: str, header: dict[str, Any] | None = None, digest: str = "sha256"
) -> str:
    """Return a compact JWS over `payload` with an HMAC by `secret`, whatever the header says."""
    head = {"alg": "HS256", "typ": "JWT"} if header is None else header
    body = f"{segment(head)}.{segment(payload)}"
    mac = hmac.new(secret.encode(), body.encode(), getattr(hashlib, digest)).digest()
    return f"{body}.{segment(mac)}"


def unsigned(payload: Any, alg: str) -> str:
    """Return a token whose signature is empty."""
    return f"{segment({'alg': alg, 'typ': 'JWT'})}.{segment(payload)}."


def with_signature(token: str, signature: bytes) -> str:
    """Return the token with another signature."""
    return token.rsplit(".", 1)[0] + "." + segment(signature)


def signature_of(token: str) -> bytes:
    """Return the signature's bytes."""
    text = token.rsplit(".", 1)[1]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
