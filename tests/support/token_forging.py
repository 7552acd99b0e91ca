"""Tokens made by hand: any bytes, any algorithm, any key, with nothing of the proxy's."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from jwt.algorithms import RSAAlgorithm

from support.proxy_app import JWT_SECRET, TENANT

DAY = 86_400  # longer than any run of the tests
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
HEADER = b'{"alg":"HS256","typ":"JWT"}'

_HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "256": hashes.SHA256,
    "384": hashes.SHA384,
    "512": hashes.SHA512,
}


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def packed(value: Any) -> bytes:
    """Return a JSON text in UTF-8."""
    return json.dumps(value, separators=(",", ":")).encode()


def good_claims(**changes: Any) -> dict[str, Any]:
    """Return claims that are accepted, changed; a change to `...` removes the claim."""
    now = int(time.time())
    base = {"sub": "alice", "tenant_id": TENANT, "iat": now - 5, "exp": now + DAY} | changes
    return {name: value for name, value in base.items() if value is not ...}


def hmac_signature(signing_input: str, key: bytes, bits: str = "256") -> bytes:
    return hmac.new(key, signing_input.encode(), getattr(hashlib, f"sha{bits}")).digest()


def rsa_signature(
    signing_input: str, key: RSAPrivateKey, bits: str = "256", *, pss: bool = False
) -> bytes:
    """Sign as RSnnn does, or as PSnnn (RFC 7518 sections 3.3 and 3.5)."""
    chosen = _HASHES[bits]()
    scheme: padding.AsymmetricPadding = padding.PKCS1v15()
    if pss:
        scheme = padding.PSS(padding.MGF1(chosen), chosen.digest_size)
    return key.sign(signing_input.encode(), scheme, chosen)


def hs256(
    claims: bytes | dict[str, Any], header: bytes = HEADER, secret: bytes = JWT_SECRET.encode()
) -> str:
    """Return a token of exactly these bytes."""
    body = claims if isinstance(claims, bytes) else packed(claims)
    signing_input = f"{b64(header)}.{b64(body)}"
    return f"{signing_input}.{b64(hmac_signature(signing_input, secret))}"


def rs256(
    claims: bytes | dict[str, Any], key: RSAPrivateKey, kid: str | None = None, **header: Any
) -> str:
    """Return an RS256 token; without `kid` it names no key."""
    named = {} if kid is None else {"kid": kid}
    body = claims if isinstance(claims, bytes) else packed(claims)
    head = packed({"alg": "RS256", "typ": "JWT"} | named | header)
    signing_input = f"{b64(head)}.{b64(body)}"
    return f"{signing_input}.{b64(rsa_signature(signing_input, key))}"


def certificate(key: RSAPrivateKey) -> bytes:
    """Return a self-signed certificate in DER, as an x5c header has it."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer.example")])
    start = datetime(2025, 1, 1, tzinfo=UTC)  # fixed, so that it is the same bytes each time
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1)
    dated = builder.not_valid_before(start).not_valid_after(start + timedelta(days=3650))
    made = dated.sign(key, hashes.SHA256())
    return made.public_bytes(Encoding.DER)


def public_key_spellings(key: RSAPrivateKey) -> dict[str, bytes]:
    """Return the public key in each form that a program may mistake for a shared secret."""
    public = key.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    jwk: dict[str, Any] = json.loads(RSAAlgorithm.to_jwk(public))
    return {
        "PEM": pem,
        "PEM without newline": pem.rstrip(b"\n"),
        "PEM with CRLF": pem.replace(b"\n", b"\r\n"),
        "PEM after a blank": b" " + pem,
        "PEM after a BOM": b"\xef\xbb\xbf" + pem,
        "PKCS#1 PEM": public.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
        "DER": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "PKCS#1 DER": public.public_bytes(Encoding.DER, PublicFormat.PKCS1),
        "JWK text": json.dumps(jwk).encode(),
        "compact JWK text": packed(jwk),
        "modulus": unb64(jwk["n"]),
        "modulus in base64url": jwk["n"].encode(),
        "certificate": certificate(key),
        "certificate in base64": base64.b64encode(certificate(key)),
    }
