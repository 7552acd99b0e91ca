"""What a break of the token rules is, and verifiers that let through what the reference would not.

A broken verifier is the reference behind a step of its own: it takes a token that the step finds
good, signs what the step makes of it with the right key, and has the reference judge that.
"""

import dataclasses
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt

from support.fake_jwks import rsa_key
from support.token_forging import b64, hmac_signature, packed, rs256, unb64
from support.token_subject import TokenSubject
from toolbridge_proxy.jwks import Jwks
from toolbridge_proxy.settings import Settings
from toolbridge_proxy.tokens import Caller, TokenVerifier

Claims = dict[str, Any]


@dataclass(frozen=True)
class Break:
    """One fault; `noticed_by` is the body of the property, or the machine, that must notice it.

    `raises` is what a crashing break raises instead of a verdict.
    """

    name: str
    noticed_by: Callable[..., Any]
    subject: TokenSubject
    raises: type[Exception] = AssertionError

    def __str__(self) -> str:
        return f"{self.noticed_by.__name__}-{self.name}".replace("_", "-")


class Step(TokenVerifier):
    """The reference, with a step before it; this one's does nothing."""

    def __init__(self, settings: Settings, jwks: Jwks | None) -> None:
        super().__init__(settings, jwks)
        self.settings, self.jwks = settings, jwks

    async def caller(self, authorization: str | None) -> Caller:
        token = (authorization or "").removeprefix("Bearer ")
        try:
            other = await self.step(token)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, jwt.PyJWTError):
            other = None  # not of the kind that the step is about
        if other is None:
            return await super().caller(authorization)
        return dataclasses.replace(await super().caller(f"Bearer {other}"), token=token)

    async def step(self, token: str) -> str | None:
        """Return the token to be judged instead."""
        return None

    @property
    def secret(self) -> bytes:
        configured = self.settings.jwt_secret
        assert configured is not None, "this break is about HS256"
        return configured.get_secret_value().encode()

    def is_signed(self, signing_input: str, signature: str) -> bool:
        """Say whether this is the shared secret's signature of exactly this text."""
        expected = hmac_signature(signing_input, self.secret)
        return hmac.compare_digest(b64(expected), signature)

    def signed(self, claims: bytes, header: bytes = b'{"alg":"HS256"}') -> str:
        signing_input = f"{b64(header)}.{b64(claims)}"
        return f"{signing_input}.{b64(hmac_signature(signing_input, self.secret))}"

    def signed_somehow(self, claims: bytes) -> str:
        """Sign with whichever key the settings allow."""
        if self.settings.jwt_jwks_url is None:
            return self.signed(claims)
        return rs256(claims, rsa_key(0), "k1")


def read(raw: bytes) -> Any:
    return json.loads(raw.decode())


def changing(
    change: Callable[[Claims, Settings], object],
    reader: Callable[[bytes], Any] = read,
    *,
    always: bool = False,
) -> type[Step]:
    """Return a verifier that reads well-signed claims by `reader`, and changes them.

    With `always` what was read is judged even if there was nothing to change.
    """

    class Changing(Step):
        async def step(self, token: str) -> str | None:
            header, body, signature = token.split(".")
            if not self.is_signed(f"{header}.{body}", signature):
                return None
            claims, before = reader(unb64(body)), reader(unb64(body))
            change(claims, self.settings)
            if repr(claims) == repr(before) and not always:
                return None
            return self.signed(packed(claims), unb64(header))

    return Changing


def verifiers(noticed_by: Callable[..., Any], broken: dict[str, type[Step]]) -> list[Break]:
    """Return the breaks of one property."""
    return [
        Break(name, noticed_by, TokenSubject(name, verifier=step)) for name, step in broken.items()
    ]
