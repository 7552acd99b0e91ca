"""An issuer's key set endpoint: publishes keys, fails as endpoints do, and keeps count."""

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType
from typing import Any, Self
from unittest import mock

import httpx
import respx
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from support.proxy_app import JWT_SECRET, make_settings
from support.token_subject import TokenSubject, Verifies
from toolbridge_proxy.settings import Settings

URL = "https://issuer.example/jwks"
ELSEWHERE = "https://evil.example/jwks"
ISSUER, AUDIENCE = "https://issuer.example", "toolbridge"
# The set's limit in the proxy is 256 KiB.
TOO_LARGE = 300 * 1024
# Keys 0 to 3 are the issuer's; this one is in no set that counts.
ATTACKER = 4


@cache
def rsa_key(number: int) -> rsa.RSAPrivateKey:
    """Return the key of that number, made once per run."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def _public(number: int) -> dict[str, Any]:
    entry: dict[str, Any] = json.loads(RSAAlgorithm.to_jwk(rsa_key(number).public_key()))
    return {name: entry[name] for name in ("kty", "n", "e")}


def jwk(number: int, kid: str, **changes: Any) -> dict[str, Any]:
    """Return the public key of that number as an entry of a set."""
    return _public(number) | {"kid": kid} | changes


# Entries of a correct set that verify nothing: RFC 7517 sections 4.1 to 4.4.
UNUSABLE: dict[str, dict[str, Any]] = {
    "enc": {"use": "enc"},
    "rs512": {"alg": "RS512"},
    "signs": {"key_ops": ["sign"]},
}


def key_set(published: dict[str, int]) -> dict[str, Any]:
    """Return the document that publishes these keys, among entries that must not be used."""
    unusable = [jwk(ATTACKER, kid, **changes) for kid, changes in UNUSABLE.items()]
    symmetric = {"kty": "oct", "kid": "oct", "k": "c2VjcmV0"}
    return {"keys": [symmetric, *unusable, *(jwk(n, kid) for kid, n in published.items())]}


def evil_set(kids: Iterable[str]) -> dict[str, Any]:
    """Return a set in which the attacker's key has every one of these names."""
    return {"keys": [jwk(ATTACKER, kid) for kid in kids]}


def _raised(failure: type[httpx.TransportError]) -> Callable[[dict[str, Any]], httpx.Response]:
    def answer(evil: dict[str, Any]) -> httpx.Response:
        raise failure("as planned")

    return answer


# Where a body is parsed by mistake, it holds the attacker's keys.
OUTAGES: dict[str, Callable[[dict[str, Any]], httpx.Response]] = {
    "refused": _raised(httpx.ConnectError),
    "connect timeout": _raised(httpx.ConnectTimeout),
    "timeout": _raised(httpx.ReadTimeout),
    "cut off": _raised(httpx.RemoteProtocolError),
    "500": lambda evil: httpx.Response(500, json=evil),
    "404": lambda evil: httpx.Response(404, json=evil),
    "HTML": lambda evil: httpx.Response(200, html="<p>Back soon</p>"),
    "{}": lambda evil: httpx.Response(200, json={}),
    "[]": lambda evil: httpx.Response(200, json=evil["keys"]),
    "keys is an object": lambda evil: httpx.Response(200, json={"keys": {"evil": evil}}),
    "truncated": lambda evil: httpx.Response(200, content=json.dumps(evil).encode()[:-1]),
    "too large": lambda evil: httpx.Response(200, json=evil | {"x": "x" * TOO_LARGE}),
    "redirect": lambda evil: httpx.Response(302, headers={"Location": ELSEWHERE}, json=evil),
}


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


@dataclass
class FakeIssuer:
    """The endpoint behind respx, a context manager; `published` maps key ids to key numbers."""

    published: dict[str, int] = field(default_factory=dict)
    outage: str | None = None
    clock: Callable[[], float] = time.monotonic
    fetched: list[float] = field(default_factory=list)  # when, by `clock`
    served: dict[str, int] = field(default_factory=dict)  # the last good answer
    strays: list[str] = field(default_factory=list)  # requests to anywhere else

    def __enter__(self) -> Self:
        # Each client would read the CA bundle again: 15 ms, and none of it is used.
        self._tls = mock.patch.object(ssl, "create_default_context", return_value=_tls())
        self._router = respx.MockRouter(assert_all_called=False)
        self._router.get(URL).mock(side_effect=self._answer)
        self._router.route().mock(side_effect=self._stray)
        self._tls.start()
        self._router.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._router.stop(quiet=True)
        self._tls.stop()

    def _evil(self) -> dict[str, Any]:
        return evil_set(["evil", *self.published])

    async def _answer(self, _: httpx.Request) -> httpx.Response:
        self.fetched.append(self.clock())
        await asyncio.sleep(0)  # so that others come while the first one fetches
        if self.outage is not None:
            return OUTAGES[self.outage](self._evil())
        self.served = dict(self.published)
        return httpx.Response(200, json=key_set(self.published))

    async def _stray(self, request: httpx.Request) -> httpx.Response:
        self.strays.append(str(request.url))
        return httpx.Response(200, json=self._evil())


# What each way of configuring keys allows.
ALLOWED = {
    "secret": frozenset({"HS256"}),
    "key set": frozenset({"RS256"}),
    "key set and a left-over secret": frozenset({"RS256"}),
    "both": frozenset({"HS256", "RS256"}),
}


@cache
def configured(how: str) -> Settings:
    """Return settings with the keys configured in one of the ways of ALLOWED."""
    named = {"jwt_issuer": ISSUER, "jwt_audience": AUDIENCE}
    secret = None if how == "key set" else JWT_SECRET
    url = None if how == "secret" else URL
    both = how == "both"
    return make_settings(jwt_secret=secret, jwt_jwks_url=url, jwt_allow_both=both, **named)


@asynccontextmanager
async def verifying(
    subject: TokenSubject, settings: Settings, clock: Callable[[], float] = lambda: 0.0
) -> AsyncIterator[Verifies]:
    """Yield the subject's verifier, with the subject's key set if one is configured."""
    if settings.jwt_jwks_url is None:
        yield subject.verifier(settings, None)
        return
    jwks = subject.jwks(settings.jwt_jwks_url, settings.jwks_refresh_seconds, clock)
    try:
        yield subject.verifier(settings, jwks)
    finally:
        await jwks.close()
