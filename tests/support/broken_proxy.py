"""The reference proxy with one bug: `python broken_proxy.py BUG`, configured as the real one."""

import sys
import time
from collections.abc import Callable

import jwt

from toolbridge_proxy import __main__ as entry
from toolbridge_proxy import sessions, signing, tokens


def signature() -> None:
    """The MAC is not the one that the Go API computes."""
    original = signing.Signer.headers

    def reversed_digits(self: signing.Signer) -> list[tuple[str, str]]:
        tenant, timestamp, (name, value) = original(self)
        return [tenant, timestamp, (name, value[::-1])]

    signing.Signer.headers = reversed_digits  # type: ignore[method-assign]


def seconds() -> None:
    """The timestamp is in seconds."""
    original = signing.Signer.__init__

    def slow_clock(self: signing.Signer, tenant_id: str, secret: str) -> None:
        original(self, tenant_id, secret, clock=lambda: time.time_ns() // 1000)

    signing.Signer.__init__ = slow_clock  # type: ignore[method-assign,assignment]


def shared_session() -> None:
    """All callers share one sync session."""
    sessions._principal = lambda call: (None, "everybody")


def any_tenant() -> None:
    """The tenant claim is not compared."""
    original = tokens.TokenVerifier.caller

    async def lenient(self: tokens.TokenVerifier, authorization: str | None) -> tokens.Caller:
        try:
            return await original(self, authorization)
        except tokens.Denied as denied:
            if denied.code != "forbidden_tenant" or authorization is None:
                raise
            token = authorization.split()[1]
            claims = jwt.decode(token, options={"verify_signature": False})
            return tokens.Caller(claims.get("iss"), claims["sub"], token)

    tokens.TokenVerifier.caller = lenient  # type: ignore[method-assign]


def any_token() -> None:
    """Tokens are decoded, not verified."""
    tokens.TokenVerifier._verify = lambda *_: None  # type: ignore[method-assign]


BUGS: dict[str, Callable[[], None]] = {
    "signature": signature,
    "seconds": seconds,
    "shared-session": shared_session,
    "any-tenant": any_tenant,
    "any-token": any_token,
}

if __name__ == "__main__":
    BUGS[sys.argv.pop()]()
    sys.exit(entry.main())
