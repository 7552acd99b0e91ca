"""Proxies that verify with the wrong key of the issuer's set, or in the wrong way."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mutants.table import mutant
from support.patching import patch
from toolbridge_proxy import jwks, tokens


class _Secret(bytes):
    """A key for HMACs, which PyJWT would not take."""


_BELIEVED = object()


def _verify_as_told() -> None:
    def make(original: Any) -> Any:
        def verify(self: tokens.TokenVerifier, token: str, key: Any, algorithm: str) -> None:
            if key is _BELIEVED:
                return
            if not isinstance(key, _Secret):
                original(self, token, key, algorithm)
                return
            signed, _, sent = token.rpartition(".")
            digest = hmac.digest(key, signed.encode(), hashlib.sha256)
            if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != sent:
                raise tokens.Denied("invalid_token", "signature")

        return verify

    patch(tokens.TokenVerifier, "_verify", make)


def keyed(choose: Callable[[Any, str], Any]) -> None:
    """Verify with what `choose` returns for the key of that kid and the alg; None: as before."""

    def make(original: Any) -> Any:
        async def key(self: Any, header: Any) -> Any:
            found = await self._jwks.key({"kid": header.kid}) if self._jwks else None
            chosen = choose(found, header.alg) if found is not None else None
            return await original(self, header) if chosen is None else chosen

        return key

    patch(tokens.TokenVerifier, "_key", make)
    _verify_as_told()


def _spelled(encoding: Encoding) -> None:
    def choose(found: RSAPublicKey, alg: str) -> Any:
        spelling = found.public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
        return _Secret(spelling) if alg == "HS256" else None

    keyed(choose)


@mutant(
    "M-A03",
    "HS256 is verified with the issuer's public key as PEM",
    rows="AUTH-11",
    cause="auth-keys-forged",
)
def public_key_as_pem() -> None:
    """The key is fetched first, and then used for whatever the header says."""
    _spelled(Encoding.PEM)


@mutant(
    "M-A04",
    "HS256 is verified with the issuer's public key in DER",
    rows="AUTH-11",
    cause="auth-keys-forged",
)
def public_key_as_der() -> None:
    """Which no guard against PEM notices."""
    _spelled(Encoding.DER)


@mutant(
    "jwks-kid-believed",
    "a token that names a published key is not verified",
    rows="AUTH-13",
    cause="auth-keys-forged",
)
def kid_believed() -> None:
    """The name stands for the key."""
    keyed(lambda found, alg: _BELIEVED if alg == "RS256" else None)


@mutant(
    "jwks-oct-key",
    "a symmetric key of the set verifies HS256",
    rows="AUTH-12",
    cause="auth-keys-purpose",
)
def symmetric_key() -> None:
    """Whatever the set holds is a key."""

    def make(original: Any) -> Any:
        def usable(body: bytes) -> list[tuple[str | None, Any]]:
            listed = json.loads(body)["keys"]
            shared = [entry for entry in listed if entry.get("kty") == "oct"]
            secrets = [(e["kid"], _Secret(tokens._decode(e["k"]))) for e in shared]
            return [*original(body), *secrets]

        return usable

    patch(jwks, "_usable_keys", make)
    keyed(lambda found, alg: found if isinstance(found, _Secret) and alg == "HS256" else None)


def _without(*members: str) -> None:
    def make(original: Any) -> Any:
        return lambda entry: original({k: v for k, v in entry.items() if k not in members})

    patch(jwks, "_rsa_key", make)


@mutant(
    "jwks-any-use",
    "an encryption key of the set verifies signatures",
    rows="AUTH-12",
    cause="auth-keys-purpose",
)
def any_use() -> None:
    """What a key says of its use is not read."""
    _without("use")


@mutant(
    "jwks-any-alg",
    "a key of the set for RS512 verifies RS256",
    rows="AUTH-12",
    cause="auth-keys-purpose",
)
def any_alg() -> None:
    """What a key says of its algorithm is not read."""
    _without("alg")


@mutant(
    "jwks-other-algorithms",
    "the issuer's key verifies RS384, RS512 and PS256 too",
    rows="AUTH-14",
    cause="auth-keys-purpose",
)
def other_algorithms() -> None:
    """The algorithm is the token's choice, among those of RSA."""
    keyed(lambda found, alg: found if alg in ("RS384", "RS512", "PS256") else None)


@mutant(
    "jwks-first-key",
    "the first key of the set verifies all tokens, whatever their kid",
    rows="AUTH-00",
    cause="auth-keys-accepted",
)
def first_key() -> None:
    """Which works until the issuer publishes a second key."""

    def find(self: jwks.Jwks, kid: str | None) -> RSAPublicKey | None:
        return self._keys[0][1] if self._keys else None

    patch(jwks.Jwks, "_find", lambda _: find)


@mutant(
    "jwks-first-without-kid",
    "a token without kid is verified with the first key of the set",
    rows="AUTH-19",
    cause="auth-keys-no-kid",
)
def first_without_kid() -> None:
    """Though there are two."""

    def make(original: Any) -> Any:
        def find(self: jwks.Jwks, kid: str | None) -> Any:
            return self._keys[0][1] if self._keys and kid is None else original(self, kid)

        return find

    patch(jwks.Jwks, "_find", make)


@mutant(
    "M-A28",
    "HS256 stays enabled beside the issuer's key set",
    rows="AUTH-62",
    cause="auth-keys-leftover-secret",
)
def leftover_secret() -> None:
    """The secret is used whenever there is one."""

    def make(original: Any) -> Any:
        def init(self: tokens.TokenVerifier, settings: Any, keys: Any) -> None:
            original(self, settings, keys)
            self._secret = settings.jwt_secret

        return init

    patch(tokens.TokenVerifier, "__init__", make)
