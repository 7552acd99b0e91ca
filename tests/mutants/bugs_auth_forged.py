"""Proxies that take a forged signature for a good one."""

import os
import sqlite3
import urllib.request
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mutants.table import mutant
from support.patching import patch
from support.token_doors import (
    Claims,
    also,
    claims,
    decode,
    header,
    keyed,
    mac_is,
    publish,
    secret,
)


@mutant(
    "any-token",
    "tokens are decoded, not verified",
    rows="AUTH-07 AUTH-08",
    cause="auth-wrong-secret",
)
def any_token() -> None:
    """The algorithm is still looked at."""
    also(lambda token: claims(token) if header(token)["alg"] == "HS256" else None)


@mutant(
    "M-A01",
    "the token's own header says which algorithm verifies it, none included",
    rows="AUTH-03 AUTH-04",
    cause="auth-alg-none",
)
def told_algorithm() -> None:
    """As `algorithms=[unverified_header["alg"]]`, with a handler for none."""

    def accepts(token: str) -> Claims:
        algorithm = header(token)["alg"]
        if algorithm == "none" and token.endswith("."):
            return claims(token)
        read: Claims = jwt.decode(token, secret(), [algorithm], {"verify_aud": False})
        return read

    also(accepts)


@mutant(
    "M-A02",
    'alg "none" is refused by name, and other spellings of it are not',
    rows="AUTH-04",
    cause="auth-alg-none",
)
def blocklist() -> None:
    """The block list compares as it stands, the library without case."""

    def accepts(token: str) -> Claims | None:
        algorithm = header(token)["alg"]
        return claims(token) if algorithm != "none" and algorithm.lower() == "none" else None

    also(accepts)


@mutant(
    "published-key-secret",
    "HS256 is verified with the key that the proxy publishes, in DER",
    rows="AUTH-11",
    cause="auth-public-key-as-secret",
)
def published_key() -> None:
    """Which a guard against PEM does not notice."""
    public = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    publish(public)
    keyed(lambda head: der)


@mutant(
    "embedded-key",
    "RS256 is verified with the key in the token's header",
    rows="AUTH-15",
    cause="auth-embedded-key",
)
def embedded_key() -> None:
    """Everybody signs for themselves."""

    def accepts(token: str) -> Claims:
        key = jwt.PyJWK(header(token)["jwk"])
        read: Claims = jwt.decode(token, key.key, ["RS256"])
        return read

    also(accepts)


@mutant(
    "embedded-secret",
    "HS256 is verified with the symmetric key in the token's header",
    rows="AUTH-15",
    cause="auth-embedded-key",
)
def embedded_secret() -> None:
    """The same for HMACs."""
    keyed(lambda head: decode(head["jwk"]["k"]))


@mutant(
    "believed-key-id",
    "RS256 with a known key id is believed",
    rows="AUTH-13",
    cause="auth-foreign-rsa-key",
)
def believed_key_id() -> None:
    """The name stands for the key."""
    also(lambda token: claims(token) if header(token).get("kid") == "default" else None)


@mutant(
    "M-A05",
    "the key id is opened as a file, and what it holds is the key",
    rows="AUTH-17",
    cause="auth-key-id-file",
)
def key_file() -> None:
    """The folder is no fence: an absolute path leaves it."""
    keyed(lambda head: Path("keys", head["kid"]).read_bytes())


@mutant(
    "M-A06",
    "the key id is put into the text of an SQL query",
    rows="AUTH-18",
    cause="auth-key-id-injection",
)
def key_query() -> None:
    """So that a UNION brings the attacker's own key."""
    database = sqlite3.connect(":memory:", check_same_thread=False)
    database.execute("CREATE TABLE keys (id, key)")

    def key(head: Claims) -> bytes:
        query = f"SELECT key FROM keys WHERE id = '{head['kid']}'"
        found: str = database.execute(query).fetchone()[0]
        return found.encode()

    keyed(key)


@mutant(
    "fetched-key",
    "the address in a token's header is asked for keys",
    rows="AUTH-16",
    cause="auth-key-address",
)
def fetched_key() -> None:
    """What comes is not even used: asking is enough to reach inside hosts."""

    def fetched(token: str) -> None:
        if "jku" in header(token):
            urllib.request.urlopen(header(token)["jku"], timeout=1).read()

    also(fetched)


@mutant(
    "half-signature",
    "half of the signature is compared",
    rows="AUTH-06 AUTH-63",
    cause="auth-tampered",
)
def half_signature() -> None:
    """A whole one that is right is verified as ever."""

    def accepts(token: str) -> Claims | None:
        half = mac_is(token, secret(), 16) and not mac_is(token, secret())
        return claims(token) if half else None

    also(accepts)


@mutant(
    "M-A27",
    "the secret of the tenant headers signs tokens too",
    rows="AUTH-09",
    cause="auth-tenant-secret",
)
def tenant_secret() -> None:
    """One secret for two purposes."""
    keyed(lambda head: os.environ["TOOLBRIDGE_TENANT_HEADER_SECRET"].encode())


@mutant(
    "M-A30",
    "signatures are compared with ==",
    rows="AUTH-65",
    spared="the difference is nanoseconds: no client can time it through a network",
)
def plain_comparison() -> None:
    """Which ends at the first byte that differs."""

    def verify(self: jwt.algorithms.HMACAlgorithm, msg: bytes, key: bytes, sig: bytes) -> bool:
        return sig == self.sign(msg, key)

    patch(jwt.algorithms.HMACAlgorithm, "verify", lambda _: verify)
