"""The reference proxy, acting for nobody or for itself: `python broken_identity.py BUG`."""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.patching import patch
from toolbridge_proxy import __main__ as entry
from toolbridge_proxy import tokens


def _secret() -> str:
    return os.environ["TOOLBRIDGE_JWT_SECRET"]


def _without_a_token(caller: Callable[[], tokens.Caller]) -> None:
    """Let in who sends no token, as `caller` says."""

    def make(original: Any) -> Any:
        async def verified(self: Any, authorization: str | None) -> Any:
            return caller() if authorization is None else await original(self, authorization)

        return verified

    patch(tokens.TokenVerifier, "caller", make)


def anonymous() -> None:
    """A call without a token is executed, with the token None."""
    _without_a_token(lambda: tokens.Caller(None, "anonymous", "None"))


def service_account() -> None:
    """A call without a token is executed under an account of the proxy's own."""
    tenant, expiry = os.environ["TOOLBRIDGE_TENANT_ID"], int(time.time()) + 3600
    claims = {"sub": "service", "tenant_id": tenant, "exp": expiry}
    token = jwt.encode(claims, _secret(), "HS256")
    _without_a_token(lambda: tokens.Caller(None, "service", token))


def nameless() -> None:
    """The subject of a token is not looked at."""

    def make(original: Any) -> Any:
        async def verified(self: Any, authorization: str | None) -> Any:
            token = (authorization or "").partition(" ")[2]
            try:
                payload = jwt.decode(token, _secret(), ["HS256"], options={"verify_sub": False})
            except jwt.PyJWTError:
                payload = {"sub": "for the original"}
            sub = payload.get("sub")
            if isinstance(sub, str) and sub.strip():
                return await original(self, authorization)
            return tokens.Caller(None, json.dumps(sub), token)

        return verified

    patch(tokens.TokenVerifier, "caller", make)


BUGS: dict[str, Callable[[], None]] = {
    "anonymous": anonymous,
    "service-account": service_account,
    "nameless": nameless,
}

if __name__ == "__main__":
    BUGS[sys.argv.pop()]()
    sys.exit(entry.main())
