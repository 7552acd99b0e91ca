"""Proxies that do well until a crowd comes, or until the Go API has too much to do."""

import asyncio
from contextvars import ContextVar
from typing import Any

from mutants.table import mutant
from support.wrapping import in_place_of
from toolbridge_proxy import gate, sessions, signing, upstream
from toolbridge_proxy.errors import ToolFailure

_MANY_HELD = 10
_HELD_SECONDS = 0.02
_FEW_AT_ONCE = 4
# Of a body that is a bomb; what people write has fewer.
_MANY_NAMES = 1_500


@mutant(
    "limit-for-everybody",
    "refused calls are held back one behind the other, and ten of them stop everybody's",
    rows="LIM-03",
    cause="limits-rate-passed-on",
)
def limit_for_everybody() -> None:
    """A breaker to spare the Go API, whose limits are per user; the breaker is not."""
    held: list[None] = []

    @in_place_of(upstream.Upstream, "_attempt")
    async def attempt(original: Any, self: Any, *given: Any) -> Any:
        try:
            if len(held) > _MANY_HELD:
                raise ToolFailure("rate_limited", 429, 1)
            return await original(self, *given)
        except ToolFailure as failure:
            if failure.code == "rate_limited":
                held.append(None)
                await asyncio.sleep(_HELD_SECONDS * len(held))
                held.pop()
            raise


@mutant(
    "session-tried-thrice",
    "a session that the Go API has no time to make is asked for three times",
    rows="RES-13 RES-14",
    cause="resilience-amplification",
)
def session_tried_thrice() -> None:
    """A 503 says that it will be over soon, and everybody waits for a session."""

    @in_place_of(sessions.Sessions, "_make")
    async def make(original: Any, self: Any, *given: Any) -> Any:
        for _ in range(2):
            try:
                return await original(self, *given)
            except ToolFailure as failure:
                if failure.status != 503:
                    raise
        return await original(self, *given)


@mutant(
    "crowd-of-one-signed",
    "when one user has many requests under way, some carry the signature of another of them",
    rows="SIG-14",
    cause="signing-concurrent",
)
def crowd_of_one_signed() -> None:
    """The user's signature is kept from one step to the next, as if requests took turns."""
    under_way: dict[str, int] = {}
    last: dict[str, str] = {}
    own: ContextVar[tuple[str, list[tuple[str, str]]]] = ContextVar("own")

    @in_place_of(upstream.Upstream, "_exchange")
    async def exchange(original: Any, self: Any, request: Any, call: Any, session: Any) -> Any:
        user = call.caller.subject
        under_way[user] = under_way.get(user, 0) + 1
        triple = signing.Signer.headers(self._signer)
        own.set((user, triple))
        last[user] = triple[2][1]
        try:
            if under_way[user] > _FEW_AT_ONCE:
                await asyncio.sleep(0.005)
            return await original(self, request, call, session)
        finally:
            under_way[user] -= 1

    @in_place_of(signing.Signer, "sign")
    def sign(_: Any, self: Any, headers: Any) -> list[tuple[str, str]]:
        user, (tenant, stamp, (name, _value)) = own.get()
        return [*headers, tenant, stamp, (name, last[user])]


@mutant(
    "names-in-slices",
    "the names of a large body are looked through a hundred at a time, with a pause after each",
    rows="LIM-02",
    cause="limits-json-bombs",
)
def names_in_slices() -> None:
    """So that the others go on meanwhile; whoever sent it holds his connection for seconds."""

    @in_place_of(gate.Gate, "_admit")
    async def admit(original: Any, self: Any, scope: Any, body: bytes) -> Any:
        names = body.count(b'":')
        if names > _MANY_NAMES:
            for _ in range(0, min(names, 10 * _MANY_NAMES), 100):
                await asyncio.sleep(0.02)
        return await original(self, scope, body)
