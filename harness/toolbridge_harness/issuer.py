"""An issuer with a key set: RS256 tokens, and a proxy that is configured to trust them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, AsymmetricPadding, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from toolbridge_harness import forge, forge_keys
from toolbridge_harness.jwks_server import JwksServer, serving
from toolbridge_harness.model import Vantage
from toolbridge_harness.restarts import Settings
from toolbridge_harness.target import Target

# Names that no resolver knows (RFC 6761 §6.4): nobody can be asked by mistake.
ISSUER = "https://issuer.verify.invalid"
AUDIENCE = "toolbridge-verify"
# RFC 7518 §3.3 and §3.5. What is not here is signed as RS256, whatever the header says.
_SCHEMES: dict[str, tuple[AsymmetricPadding, HashAlgorithm]] = {
    "RS384": (PKCS1v15(), SHA384()),
    "RS512": (PKCS1v15(), SHA512()),
    "PS256": (PSS(MGF1(SHA256()), SHA256.digest_size), SHA256()),
}


@cache
def _rsa_keys() -> tuple[RSAPrivateKey, RSAPrivateKey]:
    """Return the issuer's keys, made once per run: each takes 0.1 s."""
    first, second = (generate_private_key(65537, 2048) for _ in range(2))
    return first, second


@dataclass(frozen=True)
class SigningKey:
    """A private key and the id under which its public half is known."""

    kid: str
    private: RSAPrivateKey

    def jwk(self, **changes: Any) -> dict[str, Any]:
        """Return the public key as a JSON Web Key; a change to `...` removes a member."""
        public = forge_keys.jwk(self.private.public_key())
        good = {name: public[name] for name in ("kty", "n", "e")}
        good |= {"kid": self.kid, "use": "sig", "alg": "RS256"}
        return {name: value for name, value in (good | changes).items() if value is not ...}

    def token(self, payload: Any, **header: Any) -> str:
        """Return a token signed as `alg` says; `header` changes and adds, `...` removes."""
        whole = {"alg": "RS256", "typ": "JWT", "kid": self.kid} | header
        head = forge.segment({name: value for name, value in whole.items() if value is not ...})
        body = f"{head}.{forge.segment(payload)}"
        scheme = _SCHEMES.get(whole["alg"], (PKCS1v15(), SHA256()))
        return f"{body}.{forge.segment(self.private.sign(body.encode(), *scheme))}"


@dataclass(frozen=True)
class ByKey:
    """A source of tokens: the issuer's key signs them."""

    key: SigningKey
    tenant: str
    vantages: frozenset[Vantage] = frozenset({Vantage.TOKENS})
    secrets: tuple[str, ...] = ()

    def identity(self, wanted: str, unlike: str = "") -> tuple[str, str]:  # noqa: ARG002 - TokenSource
        """A fresh token for exactly the wanted subject."""
        return wanted, self.foreign(wanted, self.tenant)

    def foreign(self, sub: str, tenant: str) -> str:
        """A token that differs from the caller's in its tenant alone."""
        return self.key.token(forge.claims(sub, tenant, iss=ISSUER, aud=AUDIENCE))


@dataclass
class Issuer:
    """The keys, the endpoint that publishes the first one, and another host's key set."""

    target: Target
    key: SigningKey
    second: SigningKey
    """Also of this issuer, but not published until a check does it."""
    server: JwksServer
    elsewhere: JwksServer
    refresh_seconds: int | None = None
    settings: dict[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.server.published = [self.key.jwk()]
        self.server.elsewhere = self.elsewhere.url
        refresh = None if self.refresh_seconds is None else str(self.refresh_seconds)
        self.settings = {
            "TOOLBRIDGE_JWT_JWKS_URL": self.server.url,
            "TOOLBRIDGE_JWT_ISSUER": ISSUER,
            "TOOLBRIDGE_JWT_AUDIENCE": AUDIENCE,
            "TOOLBRIDGE_JWT_SECRET": None,
            "TOOLBRIDGE_JWT_ALLOW_BOTH": None,
            "TOOLBRIDGE_JWKS_REFRESH_SECONDS": refresh,
        }

    @contextlib.asynccontextmanager
    async def proxy(self, also: Settings | None = None) -> AsyncIterator[Target]:
        """Start a proxy that trusts this issuer, and yield it; its callers have RS256 tokens."""
        async with self.target.restarted({**self.settings, **(also or {})}) as started:
            yield self.seen(started)

    def seen(self, started: Target, key: SigningKey | None = None) -> Target:
        """Return the view of a started proxy in which one of the keys signs its callers' tokens."""
        deployment = started.deployment
        tokens = ByKey(key or self.key, deployment.tenant)
        return replace(started, deployment=replace(deployment, tokens=tokens))


@contextlib.asynccontextmanager
async def key_set(target: Target, refresh_seconds: int | None = None) -> AsyncIterator[Issuer]:
    """Serve a new issuer's key set where the mock is, which takes its tokens from now on."""
    made = await asyncio.to_thread(_rsa_keys)
    kids = [f"key-{target.random.getrandbits(64):016x}" for _ in made]
    first, second = map(SigningKey, kids, made)
    await target.mock.trust_keys({"keys": [first.jwk(), second.jwk()]})
    host = target.deployment.mock_address.rpartition(":")[0].strip("[]")
    async with serving(host) as server, serving(host) as elsewhere:
        yield Issuer(target, first, second, server, elsewhere, refresh_seconds)
