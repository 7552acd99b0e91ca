"""Verifiers that misread signature, algorithm or key: properties 30 and 31."""

import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm

from support import token_signature_properties as properties
from support.fake_jwks import rsa_key
from support.token_breaks_base import Break, Step, verifiers
from support.token_forging import ALPHABET, b64, hmac_signature, public_key_spellings, unb64


def canonical(fold: Callable[[str], str]) -> type[Step]:
    """Return a verifier that decodes other spellings, after `fold`, and discards the rest."""

    class Canonical(Step):
        async def step(self, token: str) -> str | None:
            segments = [fold(part) for part in token.split(".")]
            header, body, signature = (b64(unb64(part)) for part in segments)
            inputs = (token.rpartition(".")[0], f"{header}.{body}")
            if not any(self.is_signed(text, signature) for text in inputs):
                return None
            return self.signed(unb64(body), unb64(header))

    return Canonical


def _same(part: str) -> str:
    # Python's decoder discards what is not of the alphabet unless told otherwise.
    return part if set(part) <= set(ALPHABET) else "!"


_TO_URL = str.maketrans("+/", "-_")


def trusting(is_good: Callable[[Step, str, str], bool]) -> type[Step]:
    """Return a verifier for which `is_good(step, signing_input, signature)` proves a token."""

    class Trusting(Step):
        async def step(self, token: str) -> str | None:
            header, body, signature = token.split(".")[:3]
            if json.loads(unb64(header)).get("alg") != "HS256":
                return None
            if not is_good(self, f"{header}.{body}", signature):
                return None
            return self.signed(unb64(body), unb64(header))

    return Trusting


def _half(step: Step, signing_input: str, signature: str) -> bool:
    return hmac_signature(signing_input, step.secret)[:16] == unb64(signature)[:16]


def _payload_alone(step: Step, signing_input: str, signature: str) -> bool:
    """Accept the signature under any header, as if only the claims were signed."""
    body = signing_input.partition(".")[2]
    heads = (b'{"alg":"HS256","typ":"JWT"}', b'{"alg":"HS256"}')
    return any(step.is_signed(f"{b64(head)}.{body}", signature) for head in heads)


def _signed_in_front(step: Step, signing_input: str, signature: str) -> bool:
    return step.is_signed(signing_input, signature[:43])


def _first_32_bytes(step: Step, signing_input: str, signature: str) -> bool:
    return b64(hmac_signature(signing_input, step.secret[:32])) == signature


def _other_secrets(step: Step, signing_input: str, signature: str) -> bool:
    others = (step.secret + b"\n", b" " + step.secret, step.secret.lower())
    return any(b64(hmac_signature(signing_input, key)) == signature for key in others)


Proof = Callable[[Step, dict[str, Any], str, bytes], bool]


def proving(is_proof: Proof) -> type[Step]:
    """Return a verifier for which `is_proof(step, header, signing_input, signature)` is enough."""

    class Proving(Step):
        async def step(self, token: str) -> str | None:
            head, body, signature = token.split(".")
            header = json.loads(unb64(head))
            if not is_proof(self, header, f"{head}.{body}", unb64(signature)):
                return None
            return self.signed_somehow(unb64(body))

    return Proving


def _hmac_by(key: bytes, header: dict[str, Any], text: str, signature: bytes) -> bool:
    bits = str(header.get("alg"))[2:]
    if header.get("alg") not in ("HS256", "HS384", "HS512"):
        return False
    return hmac.compare_digest(hmac_signature(text, key, bits), signature)


def longer_digests(step: Step, header: dict[str, Any], text: str, signature: bytes) -> bool:
    return bool(step.settings.jwt_secret) and _hmac_by(step.secret, header, text, signature)


def any_digest(step: Step, header: dict[str, Any], text: str, signature: bytes) -> bool:
    return any(
        hmac.new(step.secret, text.encode(), getattr(hashlib, name)).digest() == signature
        for name in ("sha256", "sha384", "sha512")
    )


def unsigned(*spellings: str) -> Proof:
    return lambda step, header, text, signature: str(header.get("alg")) in spellings


def public_key_as_secret(*names: str) -> Proof:
    def is_proof(step: Step, header: dict[str, Any], text: str, signature: bytes) -> bool:
        keys = public_key_spellings(rsa_key(0))
        return any(_hmac_by(keys[name], header, text, signature) for name in names)

    return is_proof


def rsa_by(algorithm: str, *numbers: int) -> Proof:
    """Accept another RSA algorithm, or any key of the set whatever the key id."""

    def is_proof(step: Step, header: dict[str, Any], text: str, signature: bytes) -> bool:
        if step.jwks is None or header.get("alg") != algorithm:
            return False
        verifies = jwt.get_algorithm_by_name(algorithm).verify
        keys: list[RSAPublicKey] = [rsa_key(number).public_key() for number in numbers]
        return any(verifies(text.encode(), key, signature) for key in keys)

    return is_proof


def embedded_key(step: Step, header: dict[str, Any], text: str, signature: bytes) -> bool:
    key = RSAAlgorithm.from_jwk(header["jwk"])
    assert isinstance(key, RSAPublicKey)
    return RSAAlgorithm(RSAAlgorithm.SHA256).verify(text.encode(), key, signature)


def left_over_secret(step: Step, header: dict[str, Any], text: str, signature: bytes) -> bool:
    if not step.settings.jwt_secret or header["alg"] != "HS256":
        return False
    return _hmac_by(step.secret, header, text, signature)


def empty_secret(step: Step, header: dict[str, Any], text: str, signature: bytes) -> bool:
    return _hmac_by(b"", header, text, signature)


def opened_key_file(step: Step, header: dict[str, Any], text: str, signature: bytes) -> bool:
    """Open the file of that name, and make nothing of it."""
    return key_file(step, header, text, signature) and False


def key_file(step: Step, header: dict[str, Any], text: str, signature: bytes) -> bool:
    try:
        key = Path(header["kid"]).read_bytes()
    except OSError:
        return False
    return _hmac_by(key, header, text, signature)


_NOT_PEM = ("DER", "JWK text", "PKCS#1 DER", "modulus")


class FollowsHints(Step):
    """Asks the URL in the token's header for the key set."""

    async def step(self, token: str) -> str | None:
        header = json.loads(unb64(token.split(".")[0]))
        async with httpx.AsyncClient(trust_env=False) as client:
            await client.get(header["jku"])
        return None


BREAKS: tuple[Break, ...] = (
    *verifiers(
        properties.no_changed_token_is_accepted,
        {
            "signature not verified": trusting(lambda step, text, signature: True),
            "half of the signature": trusting(_half),
            "header not signed": trusting(_payload_alone),
            "anything after the signature ignored": trusting(_signed_in_front),
        },
    ),
    *verifiers(
        properties.a_token_has_one_spelling,
        {
            "padding allowed": canonical(lambda part: _same(part.rstrip("="))),
            "base64 of either alphabet": canonical(lambda part: _same(part.translate(_TO_URL))),
            "spare bits ignored": canonical(_same),
            "white space ignored": canonical(lambda part: _same("".join(part.split()))),
            "other characters ignored": canonical(lambda part: part),
        },
    ),
    *verifiers(
        properties.no_other_secret_signs,
        {
            "secret cut to 32 bytes": trusting(_first_32_bytes),
            "secret stripped or folded": trusting(_other_secrets),
            "signature not verified": trusting(lambda step, text, signature: True),
        },
    ),
    *verifiers(
        properties.algorithm_and_key_must_fit,
        {
            "HS384 and HS512 allowed": proving(longer_digests),
            "any HMAC whatever alg says": proving(any_digest),
            "alg none": proving(unsigned("none")),
            "alg None": proving(unsigned("None", "NONE", "nOnE")),
            "public key as secret": proving(public_key_as_secret("PEM")),
            "public key but not PEM as secret": proving(public_key_as_secret(*_NOT_PEM)),
            "certificate as secret": proving(public_key_as_secret("certificate")),
            "RS512 allowed": proving(rsa_by("RS512", 0)),
            "PS256 allowed": proving(rsa_by("PS256", 0)),
            "any key of the set": proving(rsa_by("RS256", 0, 1)),
            "key in the header": proving(embedded_key),
            "left-over secret": proving(left_over_secret),
            "empty secret": proving(empty_secret),
            "key id is a file": proving(key_file),
            "key id is a file that does not count": proving(opened_key_file),
            "hints followed": FollowsHints,
        },
    ),
)
