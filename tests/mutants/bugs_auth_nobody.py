"""Proxies that act for nobody, or for themselves."""

import json
import time
from collections.abc import Callable
from typing import Any

from mutants.table import mutant
from support.patching import patch
from support.token_doors import claims, mac_is, reissued, secret, tenant
from toolbridge_proxy import tokens


def _without_a_token(somebody: Callable[[], tokens.Caller]) -> None:
    """Let in who sends no token, as `somebody` says."""

    def make(original: Any) -> Any:
        async def caller(self: Any, authorization: str | None) -> tokens.Caller:
            if authorization is None:
                return somebody()
            verified: tokens.Caller = await original(self, authorization)
            return verified

        return caller

    patch(tokens.TokenVerifier, "caller", make)


@mutant(
    "anonymous",
    "a call without a token is executed, with the token None",
    rows="AUTH-01 AUTH-56",
    cause="auth-no-token",
)
def anonymous() -> None:
    """The Go API refuses it: that is somebody else's luck."""
    _without_a_token(lambda: tokens.Caller(None, "anonymous", "None"))


@mutant(
    "service-account",
    "a call without a token is executed under an account of the proxy's own",
    rows="AUTH-01 AUTH-56",
    cause="run-strays",
)
def service_account() -> None:
    """Everybody is that account."""

    def somebody() -> tokens.Caller:
        payload = {"sub": "service", "tenant_id": tenant(), "exp": int(time.time()) + 3600}
        return tokens.Caller(None, "service", reissued(payload))

    _without_a_token(somebody)


@mutant(
    "nameless",
    "the subject of a token is not looked at",
    rows="AUTH-31",
    cause="auth-subject",
)
def nameless() -> None:
    """Whatever it is, a session is kept under it."""

    def make(original: Any) -> Any:
        async def caller(self: Any, authorization: str | None) -> tokens.Caller:
            token = (authorization or "").partition(" ")[2]
            try:
                sub = claims(token).get("sub") if mac_is(token, secret()) else "as ever"
            except (ValueError, LookupError, AttributeError, RecursionError):
                sub = "as ever"
            if not isinstance(sub, str) or not sub.strip():
                return tokens.Caller(None, json.dumps(sub), token)
            verified: tokens.Caller = await original(self, authorization)
            return verified

        return caller

    patch(tokens.TokenVerifier, "caller", make)
