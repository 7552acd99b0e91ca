"""The reference proxy with one bug in how it verifies tokens: `python broken_auth.py BUG`."""

import base64
import hmac
import json
import os
import sqlite3
import sys
import unicodedata
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.responses import JSONResponse

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.patching import patch
from toolbridge_proxy import __main__ as entry
from toolbridge_proxy import edge, gate, sessions, tokens

Accepts = Callable[[str], dict[str, Any] | None]


def _decode(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def _header(token: str) -> dict[str, Any]:
    header: dict[str, Any] = json.loads(_decode(token.split(".")[0]))
    return header


def _claims(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(_decode(token.split(".")[1]))
    return claims


def _mac_is(token: str, key: bytes, length: int = 32) -> bool:
    body, _, signature = token.rpartition(".")
    return hmac.digest(key, body.encode(), "sha256")[:length] == _decode(signature)[:length]


def _secret() -> bytes:
    return os.environ["TOOLBRIDGE_JWT_SECRET"].encode()


def _reissued(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, _secret(), "HS256")


def _also(accepts: Accepts, exchange: Callable[[dict[str, Any]], str] | None = None) -> None:
    """Let in whom `accepts` returns claims for, beside whom the real verifier lets in.

    `exchange` makes the token that goes upstream; without it, that is the one received.
    """

    def make(original: Any) -> Any:
        async def caller(self: Any, authorization: str | None) -> Any:
            token = (authorization or "").partition(" ")[2]
            try:
                claims = accepts(token)
            except (ValueError, KeyError, TypeError, AttributeError, OSError):
                claims = None
            except (jwt.PyJWTError, sqlite3.Error):
                claims = None
            if claims:
                sent = exchange(claims) if exchange else token
                return tokens.Caller(claims.get("iss"), claims["sub"], sent)
            return await original(self, authorization)

        return caller

    patch(tokens.TokenVerifier, "caller", make)


def _keyed(key: Callable[[dict[str, Any]], bytes]) -> None:
    """Accept an HMAC by the key that `key` returns for a header."""
    _also(lambda token: _claims(token) if _mac_is(token, key(_header(token))) else None)


def _publish(key: rsa.RSAPublicKey) -> None:
    jwk = jwt.algorithms.RSAAlgorithm.to_jwk(key, as_dict=True) | {"kid": "main"}

    def make(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            known = scope.get("path") == "/.well-known/jwks.json"
            app = JSONResponse({"keys": [jwk]}) if known else original.__get__(self)
            await app(scope, receive, send)

        return call

    patch(edge.Edge, "__call__", make)


def public_key_secret() -> None:
    """HS256 is verified with the published RSA key, in DER (M-A04)."""
    public = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    _publish(public)
    _keyed(lambda header: der)


def embedded_key() -> None:
    """The key is taken from the header."""

    def accepts(token: str) -> dict[str, Any]:
        key = jwt.PyJWK(_header(token)["jwk"])
        claims: dict[str, Any] = jwt.decode(token, key.key, ["RS256"])
        return claims

    _also(accepts)


def embedded_secret() -> None:
    """A symmetric key is taken from the header."""
    _keyed(lambda header: _decode(header["jwk"]["k"]))


def believed_key_id() -> None:
    """RS256 with a known key id is believed."""
    _also(lambda token: _claims(token) if _header(token).get("kid") == "default" else None)


def key_file() -> None:
    """The key id is a file name (M-A05)."""
    _keyed(lambda header: Path("keys", header["kid"]).read_bytes())


def key_query() -> None:
    """The key id stands in a query (M-A06)."""
    database = sqlite3.connect(":memory:", check_same_thread=False)
    database.execute("CREATE TABLE keys (id, key)")

    def key(header: dict[str, Any]) -> bytes:
        query = f"SELECT key FROM keys WHERE id = '{header['kid']}'"
        found: str = database.execute(query).fetchone()[0]
        return found.encode()

    _keyed(key)


def trusted_session() -> None:
    """An MCP session id stands for the token that it was last seen with (M-A24)."""
    known: dict[bytes, Any] = {}

    def make(original: Any) -> Any:
        async def admit(self: Any, scope: Any, body: bytes) -> Any:
            headers = dict(scope["headers"])
            session = headers.get(b"mcp-session-id", b"")
            if session in known:
                scope["toolbridge.caller"] = known[session]
                return gate._parsed({b"content-type": "application/json"}, body)[0]
            message = await original(self, scope, body)
            if session and "toolbridge.caller" in scope:
                known[session] = scope["toolbridge.caller"]
            return message

        return admit

    patch(gate.Gate, "_admit", make)


def half_signature() -> None:
    """Half of the signature is compared."""
    _also(lambda token: _claims(token) if _mac_is(token, _secret(), 16) else None)


def tenant_secret() -> None:
    """Tokens may be signed with the tenant-header secret (M-A27)."""
    secret = os.environ["TOOLBRIDGE_TENANT_HEADER_SECRET"].encode()
    _keyed(lambda header: secret)


def deep_header() -> None:
    """The header is parsed without a bound (M-A17)."""
    _also(lambda token: _header(token) and None)


def any_serialisation() -> None:
    """JWS JSON is a token too (M-A19)."""

    def accepts(token: str) -> dict[str, Any] | None:
        jws = json.loads(token)
        compact = ".".join(jws[part] for part in ("protected", "payload", "signature"))
        return _claims(compact) if _mac_is(compact, _secret()) else None

    _also(accepts, _reissued)


def decrypted() -> None:
    """What can be decrypted is believed (M-A20)."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    oaep = padding.OAEP(padding.MGF1(SHA1()), SHA1(), None)
    _publish(private.public_key())

    def accepts(token: str) -> dict[str, Any]:
        head, wrapped, nonce, sealed, tag = token.split(".")
        key = private.decrypt(_decode(wrapped), oaep)
        plain = AESGCM(key).decrypt(_decode(nonce), _decode(sealed) + _decode(tag), head.encode())
        claims: dict[str, Any] = json.loads(plain)
        return claims

    _also(accepts, _reissued)


def critical() -> None:
    """Critical extensions are ignored (M-A18)."""
    _also(lambda token: _claims(token) if "crit" in _header(token) else None)


def first_claim() -> None:
    """Of a repeated claim the first one counts."""

    def accepts(token: str) -> dict[str, Any] | None:
        pairs = json.loads(_decode(token.split(".")[1]), object_pairs_hook=list)
        first = dict(reversed(pairs))
        return first if len(first) < len(pairs) and _mac_is(token, _secret()) else None

    _also(accepts)


def normalised() -> None:
    """Sessions are kept by normalised subject."""

    def principal(call: Any) -> tuple[str | None, str]:
        return call.caller.issuer, unicodedata.normalize("NFC", call.caller.subject)

    patch(sessions, "_principal", lambda _: principal)


def fetched_key() -> None:
    """The key is fetched from where the token says."""

    def fetched(token: str) -> None:
        if "jku" in _header(token):
            urllib.request.urlopen(_header(token)["jku"], timeout=1).read()

    _also(fetched)


BUGS: dict[str, Callable[[], None]] = {
    "public-key-secret": public_key_secret,
    "embedded-key": embedded_key,
    "embedded-secret": embedded_secret,
    "believed-key-id": believed_key_id,
    "key-file": key_file,
    "key-query": key_query,
    "trusted-session": trusted_session,
    "half-signature": half_signature,
    "tenant-secret": tenant_secret,
    "deep-header": deep_header,
    "any-serialisation": any_serialisation,
    "decrypted": decrypted,
    "critical": critical,
    "first-claim": first_claim,
    "normalised": normalised,
    "fetched-key": fetched_key,
}

if __name__ == "__main__":
    BUGS[sys.argv.pop()]()
    sys.exit(entry.main())
