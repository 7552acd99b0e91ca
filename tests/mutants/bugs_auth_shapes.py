"""Proxies that read tokens in odd shapes, or break on them."""

import contextlib
import json
import unicodedata
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1

from mutants.table import mutant
from support.patching import patch
from support.token_doors import (
    Claims,
    also,
    claims,
    decode,
    header,
    mac_is,
    publish,
    read_first,
    secret,
)
from toolbridge_proxy import edge, sessions, tokens


@mutant(
    "M-A17",
    "the header is parsed without a bound, before anything is verified",
    rows="AUTH-40 LOG-08",
    cause="auth-deep-header",
)
def deep_header() -> None:
    """A RecursionError is nobody's exception."""

    def make(original: Any) -> Any:
        async def caller(self: Any, authorization: str | None) -> tokens.Caller:
            with contextlib.suppress(ValueError, IndexError):
                header((authorization or "").partition(" ")[2])
            verified: tokens.Caller = await original(self, authorization)
            return verified

        return caller

    patch(tokens.TokenVerifier, "caller", make)


@mutant(
    "M-A18",
    "critical extensions and unencoded payloads are ignored",
    rows="AUTH-42 AUTH-43",
    cause="auth-critical-header",
)
def critical() -> None:
    """What is not understood is passed over."""
    odd = {"crit", "b64"}

    def accepts(token: str) -> Claims | None:
        return claims(token) if odd & set(header(token)) and mac_is(token, secret()) else None

    also(accepts)


@mutant(
    "M-A19",
    "a token in JSON serialisation is a token too",
    rows="AUTH-44",
    cause="auth-serialisation",
)
def any_serialisation() -> None:
    """Flattened JWS, as some libraries guess it."""

    def accepts(token: str) -> Claims | None:
        jws = json.loads(token)
        compact = ".".join(jws[part] for part in ("protected", "payload", "signature"))
        return claims(compact) if mac_is(compact, secret()) else None

    also(accepts, exchanged=True)


@mutant(
    "M-A20",
    "what can be decrypted with the server's key is believed",
    rows="AUTH-45",
    cause="auth-encrypted",
)
def decrypted() -> None:
    """Though anybody can encrypt to a public key."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    oaep = padding.OAEP(padding.MGF1(SHA1()), SHA1(), None)
    publish(private.public_key())

    def accepts(token: str) -> Claims:
        head, wrapped, nonce, sealed, tag = token.split(".")
        key = private.decrypt(decode(wrapped), oaep)
        plain = AESGCM(key).decrypt(decode(nonce), decode(sealed) + decode(tag), head.encode())
        read: Claims = json.loads(plain)
        return read

    also(accepts, exchanged=True)


@mutant(
    "first-claim",
    "of a repeated claim the first one counts",
    rows="AUTH-37",
    cause="auth-duplicate-claims",
)
def first_claim() -> None:
    """While the Go API takes the last one."""

    def accepts(token: str) -> Claims | None:
        pairs = json.loads(decode(token.split(".")[1]), object_pairs_hook=list)
        first = dict(reversed(pairs))
        return first if len(first) < len(pairs) and mac_is(token, secret()) else None

    also(accepts)


@mutant(
    "normalised-subjects",
    "sessions are kept by normalised subject",
    rows="AUTH-32",
    cause="auth-odd-subjects",
)
def normalised() -> None:
    """Two spellings of é are one user."""

    def principal(call: Any) -> tuple[str | None, str]:
        return call.caller.issuer, unicodedata.normalize("NFC", call.caller.subject)

    patch(sessions, "_principal", lambda _: principal)


@mutant(
    "claims-no-object",
    "header and claims are taken for objects without a look",
    rows="AUTH-38",
    cause="auth-claims-shape",
)
def taken_for_objects() -> None:
    """A list has no `get`."""

    def read(token: str) -> None:
        with contextlib.suppress(ValueError):
            header(token).get("alg")
            claims(token).get("sub")

    read_first(read)


@mutant(
    "deep-claims",
    "claims are parsed to any depth",
    rows="AUTH-41",
    cause="auth-huge-claims",
)
def deep_claims() -> None:
    """The signature was right: what can go wrong?"""

    def read(token: str) -> None:
        with contextlib.suppress(ValueError):
            claims(token)

    read_first(read)


@mutant(
    "rather-deep-claims",
    "claims within the bound of a token are parsed to any depth",
    rows="AUTH-41",
    cause="auth-huge-claims",
)
def rather_deep_claims() -> None:
    """The length is bounded, and the depth is not."""

    def read(token: str) -> None:
        with contextlib.suppress(ValueError):
            if len(token) <= tokens.MAX_TOKEN_BYTES:
                claims(token)

    read_first(read)


@mutant(
    "huge-integers",
    "only bad JSON is expected of a parser that also refuses long integers",
    rows="AUTH-41",
    cause="auth-huge-claims",
)
def huge_integers() -> None:
    """Python stops at 4,300 digits, with another ValueError than the one for bad JSON."""

    def read(token: str) -> None:
        expected = (json.JSONDecodeError, UnicodeDecodeError, RecursionError)
        with contextlib.suppress(*expected):
            claims(token)

    read_first(read)


@mutant(
    "expiry-as-date",
    "exp is turned into a date, which the calendar bounds",
    rows="AUTH-28",
    cause="auth-far-expiry",
)
def expiry_as_date() -> None:
    """The year 58,000 is none."""

    def read(token: str) -> None:
        try:
            exp = claims(token)["exp"]
        except (ValueError, LookupError, TypeError, RecursionError):
            return
        if isinstance(exp, int | float):
            datetime.fromtimestamp(exp, UTC)

    read_first(read)


@mutant(
    "nested-token",
    "a token inside a signed token is believed, whoever signed it",
    rows="AUTH-46",
    cause="auth-nested",
)
def nested() -> None:
    """The outer signature is taken to cover the inner claims."""

    def accepts(token: str) -> Claims | None:
        inner = decode(token.split(".")[1]).decode().strip('"')
        return claims(inner) if mac_is(token, secret()) and inner.count(".") == 2 else None

    also(accepts, exchanged=True)


@mutant(
    "long-token-crashes",
    "a header that is too long is an internal error",
    rows="AUTH-48",
    cause="auth-long-token",
)
def long_token_crashes() -> None:
    """The limit is an exception that nobody catches."""

    def make(original: Any) -> Any:
        def refusal(self: edge.Edge, scope: Any, headers: list[tuple[str, str]]) -> Any:
            if sum(len(value) for _, value in headers) > edge.MAX_HEAD_BYTES // 2:
                raise MemoryError
            return original(self, scope, headers)

        return refusal

    patch(edge.Edge, "_refusal", make)
