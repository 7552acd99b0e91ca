"""Caches of the issuer's keys that keep, drop, fetch or trust what they should not: SM-3."""

import functools
import math
from collections.abc import Callable
from typing import Any
from unittest import mock

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from support.fake_jwks import ATTACKER, rsa_key
from support.jwks_machine import KeySetCache, regular_traffic_is_a_fetch_per_interval
from support.token_breaks_base import Break
from support.token_subject import TokenSubject
from toolbridge_proxy import jwks
from toolbridge_proxy.jwks import Jwks, JwksUnavailableError

Key = RSAPublicKey | None
Header = dict[str, Any]


class Keeping(Jwks):
    """The reference, which knows how it was made and closes what it makes."""

    def __init__(self, url: str, refresh_seconds: float, clock: Callable[[], float]) -> None:
        super().__init__(url, refresh_seconds, clock)
        self.again = functools.partial(Jwks, url, refresh_seconds, clock)
        self.refresh_seconds, self.clock = refresh_seconds, clock
        self.others: list[Jwks] = []

    def another(self) -> Jwks:
        self.others.append(self.again())
        return self.others[-1]

    async def close(self) -> None:
        for one in self.others:
            await one.close()
        await super().close()


class RefetchesForUnknown(Keeping):
    """No floor: each unknown key id is a fetch."""

    async def key(self, header: Header) -> Key:
        return await super().key(header) or await self.another().key(header)


class RefetchesInOutage(Keeping):
    """No floor until there is a first set."""

    async def key(self, header: Header) -> Key:
        try:
            return await super().key(header)
        except JwksUnavailableError:
            return await self.another().key(header)


class KeepsNothing(Keeping):
    """A fetch for each token."""

    async def key(self, header: Header) -> Key:
        return await self.another().key(header)


class NotTogether(Keeping):
    """Callers that come during a fetch fetch too."""

    fetching = 0

    async def key(self, header: Header) -> Key:
        if self.fetching:
            return await self.another().key(header)
        self.fetching += 1
        try:
            return await super().key(header)
        finally:
            self.fetching -= 1


class DropsInOutage(Keeping):
    """Begins anew at each refresh, so that a failed one leaves it without keys."""

    made = 0.0

    async def key(self, header: Header) -> Key:
        if not self.others or self.clock() - self.made >= self.refresh_seconds:
            self.made = self.clock()
            self.another()
        return await self.others[-1].key(header)


class KeepsForEver(Keeping):
    """Has every key that there ever was."""

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self.known: dict[str | None, Key] = {}

    async def key(self, header: Header) -> Key:
        kid = header.get("kid")
        self.known[kid] = await super().key(header) or self.known.get(kid)
        return self.known[kid]


class OneKey(Keeping):
    """Takes the first key that it found for all."""

    first: str | None = None

    async def key(self, header: Header) -> Key:
        if self.first is None:
            found = await super().key(header)
            self.first = header.get("kid") if found else None
            return found
        return await super().key({"kid": self.first})


class FoldsKeyIds(Keeping):
    """Key ids are names, and names have no case."""

    async def key(self, header: Header) -> Key:
        kid = header.get("kid", "").strip()
        return await super().key(header) or await super().key(header | {"kid": kid.lower()})


class FailsOpen(Keeping):
    """Without a set, the key in the token must do."""

    async def key(self, header: Header) -> Key:
        try:
            return await super().key(header)
        except JwksUnavailableError:
            return rsa_key(ATTACKER).public_key()


class Crashes(Keeping):
    """Expects each token to name a key."""

    async def key(self, header: Header) -> Key:
        header["kid"].encode()
        return await super().key(header)


def timed(
    refresh: Callable[[float], float] = lambda seconds: seconds,
    clock: Callable[[float], float] = lambda now: now,
) -> type[Jwks]:
    """Return a cache with another idea of the interval, or of the time."""

    class Timed(Jwks):
        def __init__(self, url: str, refresh_seconds: float, given: Callable[[], float]) -> None:
            super().__init__(url, refresh(refresh_seconds), lambda: clock(given()))

    return Timed


async def _any_status(response: httpx.Response) -> None:
    response.status_code = 200


def fetching(**options: Any) -> type[Jwks]:
    """Return a cache whose HTTP client has these options too."""

    class Fetching(Jwks):
        def __init__(self, *about: Any) -> None:
            client = functools.partial(httpx.AsyncClient, **options)
            with mock.patch.object(httpx, "AsyncClient", client):
                super().__init__(*about)

    return Fetching


class TakesAnySize(Jwks):
    """Has no limit."""

    async def key(self, header: Header) -> Key:
        with mock.patch.object(jwks, "MAX_BYTES", math.inf):
            return await super().key(header)


def caches(noticed_by: Callable[..., Any], broken: dict[str, type[Jwks]]) -> list[Break]:
    return [Break(name, noticed_by, TokenSubject(name, jwks=one)) for name, one in broken.items()]


BREAKS: tuple[Break, ...] = (
    *caches(
        KeySetCache,
        {
            "a fetch for each unknown key id": RefetchesForUnknown,
            "a fetch for each token until one succeeds": RefetchesInOutage,
            "a fetch for each token": KeepsNothing,
            "a fetch for each of those that wait": NotTogether,
            "floor and interval halved": timed(clock=lambda now: 2 * now),
            "keys dropped in an outage": DropsInOutage,
            "revoked keys kept": KeepsForEver,
            "revoked keys kept until another is unknown": timed(lambda seconds: math.inf),
            "revoked keys kept twice as long": timed(lambda seconds: 2 * seconds),
            "the first set kept for ever": timed(clock=lambda now: 0),
            "floor and interval doubled": timed(clock=lambda now: now / 2),
            "key id ignored": OneKey,
            "key ids by case": FoldsKeyIds,
            "fails open": FailsOpen,
            "redirect followed": fetching(follow_redirects=True),
            "any status taken": fetching(event_hooks={"response": [_any_status]}),
            "any size taken": TakesAnySize,
        },
    ),
    *caches(
        regular_traffic_is_a_fetch_per_interval,
        {
            "a fetch at each floor": timed(lambda seconds: min(seconds, 30)),
            "a fetch for each token": KeepsNothing,
        },
    ),
    Break(
        "a token without key id crashes",
        KeySetCache,
        TokenSubject("a token without key id crashes", jwks=Crashes),
        KeyError,
    ),
)
