"""Mint the JWTs that ToolBridge callers present."""

import time
import uuid
import warnings

import jwt


def mint(
    subject: str,
    tenant_id: str,
    secret: str,
    *,
    lifetime: float = 3600,
    now: float | None = None,
    **claims: object,
) -> str:
    """Return an HS256 token for `subject` in `tenant_id`, valid for `lifetime` seconds.

    `claims` are added last, so they may replace what is set here.
    """
    issued = time.time() if now is None else now
    payload: dict[str, object] = {
        "sub": subject,
        "tenant_id": tenant_id,
        "iat": int(issued),
        "exp": int(issued + lifetime),
        "jti": uuid.uuid4().hex,
    }
    with warnings.catch_warnings():
        # Whether a key is long enough is for the target to say, and for its owner to be told.
        warnings.simplefilter("ignore")
        return jwt.encode(payload | claims, secret, algorithm="HS256")
