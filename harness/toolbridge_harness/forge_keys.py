"""An attacker's keys, and the spellings in which a public key has been taken for a secret."""

import base64
import hashlib
import hmac
import os
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from toolbridge_harness.forge import segment


@cache
def attacker_key() -> RSAPrivateKey:
    """Return an RSA key that no target knows: the same one for a whole run, as it takes 0.1 s."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def jwk(key: RSAPublicKey) -> dict[str, Any]:
    """Return the key as a JSON Web Key (RFC 7517 §4)."""
    found: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(key, as_dict=True)
    return found


def encodings(key: RSAPublicKey, published: str) -> list[tuple[str, bytes]]:
    """Return (name, bytes) of every spelling of a public key; `published` is its JWK's text."""
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    pkcs1 = key.public_bytes(Encoding.PEM, PublicFormat.PKCS1)
    modulus = key.public_numbers().n
    return [
        ("PEM", pem),
        ("PEM without its last line break", pem.strip()),
        ("PEM with CRLF", pem.replace(b"\n", b"\r\n")),
        ("PEM after a space", b" " + pem),
        ("PEM after a byte-order mark", b"\xef\xbb\xbf" + pem),
        ("PKCS#1 PEM", pkcs1),
        ("PKCS#1 PEM without its last line break", pkcs1.strip()),
        ("SPKI DER", key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)),
        ("PKCS#1 DER", key.public_bytes(Encoding.DER, PublicFormat.PKCS1)),
        ("JWK text", published.encode()),
        ("modulus", modulus.to_bytes((modulus.bit_length() + 7) // 8, "big")),
    ]


def hs256(payload: Any, key: bytes, **header: Any) -> str:
    """Return a token with an HMAC by `key`; `header` adds parameters."""
    body = f"{segment({'alg': 'HS256', 'typ': 'JWT'} | header)}.{segment(payload)}"
    return f"{body}.{mac(key, body)}"


def mac(key: bytes, signed: str) -> str:
    """Return base64url of the HMAC-SHA-256 over `signed`."""
    return segment(hmac.digest(key, signed.encode(), hashlib.sha256))


def rs256(payload: Any, **header: Any) -> str:
    """Return a token signed by the attacker's key; `header` adds parameters."""
    body = f"{segment({'alg': 'RS256', 'typ': 'JWT'} | header)}.{segment(payload)}"
    signature = attacker_key().sign(body.encode(), padding.PKCS1v15(), SHA256())
    return f"{body}.{segment(signature)}"


def encrypted(plaintext: bytes, key: bytes, wrapped: bytes, **header: Any) -> str:
    """Return a compact JWE (RFC 7516 §3.1), A256GCM by `key`; `wrapped` is its encrypted key."""
    head, nonce = segment({"enc": "A256GCM"} | header), os.urandom(12)
    sealed = AESGCM(key).encrypt(nonce, plaintext, head.encode())
    parts = (head, *map(segment, (wrapped, nonce, sealed[:-16], sealed[-16:])))
    return ".".join(parts)


def wrapped_for(public: RSAPublicKey, key: bytes) -> bytes:
    """Return `key` encrypted with RSA-OAEP (RFC 7518 §4.3), which takes SHA-1."""
    oaep = padding.OAEP(padding.MGF1(SHA1()), SHA1(), None)  # noqa: S303 - as the RFC has it
    return public.encrypt(key, oaep)


def certificate() -> str:
    """Return a certificate of the attacker's key as x5c holds it: base64 of DER, self-signed."""
    key, now = attacker_key(), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "attacker")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1))
    made = builder.not_valid_after(now + timedelta(days=1)).sign(key, SHA256())
    return base64.b64encode(made.public_bytes(Encoding.DER)).decode()
