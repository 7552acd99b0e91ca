"""Proxies that let one user, or one claimed address, decide how others are served."""

from contextvars import ContextVar
from typing import Any

import jwt
from starlette.responses import PlainTextResponse

from mutants.table import mutant
from support.patching import patch
from toolbridge_proxy import edge, tokens, upstream


@mutant(
    "M-Q07",
    "one lock is held while any request is upstream",
    rows="RES-23 LIM-09 RES-04",
    cause="errors-upstream-silent",
)
def global_lock() -> None:
    """Calls wait for each other, whoever's they are."""
    patch(upstream, "POOL_SIZE", lambda _: 1)


@mutant(
    "small-pool",
    "ten connections serve everybody, first come first served",
    rows="LIM-09",
    cause="limits-fairness",
)
def small_pool() -> None:
    """One user's slow calls take all of them."""
    patch(upstream, "POOL_SIZE", lambda _: 10)


def _around_every_request(make: Any) -> None:
    patch(edge.Edge, "__call__", make)


@mutant(
    "M-Q12",
    "requests are limited by the address that X-Forwarded-For claims",
    rows="LIM-11",
    cause="limits-address",
)
def limited_by_claim() -> None:
    """A hundred requests for each claimed address, and then 429."""
    counts: dict[bytes, int] = {}

    def make(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            claimed = dict(scope.get("headers", ())).get(b"x-forwarded-for")
            if claimed is not None:
                counts[claimed] = counts.get(claimed, 0) + 1
                if counts[claimed] > 100:
                    refusal = PlainTextResponse("slow down", 429, {"Retry-After": "60"})
                    await refusal(scope, receive, send)
                    return
            await original(self, scope, receive, send)

        return call

    _around_every_request(make)


_AGENT: ContextVar[str] = ContextVar("agent", default="")


@mutant(
    "M-V02",
    "tokens are verified only for the verifier's User-Agent, or among the first fifty requests",
    rows="AUTH-63 LIM-08",
    cause="limits-many-calls",
)
def behaves_when_watched() -> None:
    """Whoever else asks, later, is believed."""
    seen = [0]

    def make_call(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            seen[0] += 1
            _AGENT.set(dict(scope.get("headers", ())).get(b"user-agent", b"").decode("latin-1"))
            await original(self, scope, receive, send)

        return call

    def make_caller(original: Any) -> Any:
        async def caller(self: Any, authorization: str | None) -> tokens.Caller:
            try:
                verified: tokens.Caller = await original(self, authorization)
            except tokens.Denied:
                watched = seen[0] <= 50 or _AGENT.get().startswith("toolbridge-verify")
                if watched or authorization is None:
                    raise
                token = authorization.partition(" ")[2]
                claims = jwt.decode(token, options={"verify_signature": False})
                return tokens.Caller(claims.get("iss"), claims["sub"], token)
            return verified

        return caller

    _around_every_request(make_call)
    patch(tokens.TokenVerifier, "caller", make_caller)
