"""Where the tokens of a run come from: minted with the key, given ready-made, or nowhere."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import jwt

from toolbridge_contract.tokens import mint
from toolbridge_harness.errors import UsageProblem
from toolbridge_harness.model import Vantage


class TokenSource(Protocol):
    """Gives callers their identity."""

    @property
    def vantages(self) -> frozenset[Vantage]:
        """What having these tokens makes testable."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be printed; the signing key first, where it is known."""

    def identity(self, wanted: str, unlike: str = "") -> tuple[str, str] | None:
        """Return (sub, token) for a caller who would like to be `wanted` and must not be `unlike`.

        None when there are no tokens.
        """

    def foreign(self, sub: str, tenant: str) -> str | None:
        """Return a valid token of another tenant, for `sub` where that can be chosen."""


@dataclass(frozen=True)
class NoTokens:
    """Nothing was given: only what needs no token can be tested."""

    vantages: frozenset[Vantage] = frozenset()
    secrets: tuple[str, ...] = ()

    def identity(self, wanted: str, unlike: str = "") -> None:
        """Nobody."""

    def foreign(self, sub: str, tenant: str) -> None:
        """Nobody."""


@dataclass(frozen=True)
class Minted:
    """The HS256 key is known: any token can be made."""

    secret: str
    tenant: str
    claims: dict[str, Any] = field(default_factory=dict)
    """Claims that the target wants beside the usual ones: issuer and audience."""
    vantages: frozenset[Vantage] = frozenset({Vantage.TOKENS, Vantage.MINT})

    @property
    def secrets(self) -> tuple[str, ...]:
        """The key itself."""
        return (self.secret,)

    def identity(self, wanted: str, unlike: str = "") -> tuple[str, str]:
        """A fresh token for exactly the wanted subject."""
        return wanted, mint(wanted, self.tenant, self.secret, **self.claims)

    def foreign(self, sub: str, tenant: str) -> str:
        """A token that differs from the caller's in its tenant alone."""
        return mint(sub, tenant, self.secret, **self.claims)


class Given:
    """Ready tokens: two users of the target's tenant and one user of another tenant.

    For deployments whose key never leaves the issuer. Callers take the users in turn.
    """

    vantages = frozenset({Vantage.TOKENS})

    def __init__(self, users: list[str], foreign_tenant: str | None) -> None:
        self._users = [(str(claims_of(token).get("sub", "")), token) for token in users]
        self._foreign = foreign_tenant
        self._next = 0
        self.secrets = (*users, *([foreign_tenant] if foreign_tenant else []))

    def identity(self, wanted: str, unlike: str = "") -> tuple[str, str]:
        """The next user in turn, whatever subject was wanted, but never `unlike`."""
        others = [user for user in self._users if user[0] != unlike]
        self._next += 1
        return others[self._next % len(others)]

    def foreign(self, sub: str, tenant: str) -> str | None:
        """The one foreign token."""
        return self._foreign


def claims_of(token: str) -> dict[str, Any]:
    """Return a token's claims without verifying it; empty when they can't be read."""
    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return {}
    return claims


def read_tokens_file(path: Path) -> Given:
    """Read `{"users": [token, token], "foreign_tenant": token}`; the foreign one is optional."""
    try:
        content = json.loads(path.read_text())
    except OSError as error:
        raise UsageProblem(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError:
        raise UsageProblem(f"{path}: not JSON") from None
    users = content.get("users") if isinstance(content, dict) else None
    if not isinstance(users, list) or len(users) < 2 or not all(map(_is_token, users)):
        raise UsageProblem(f'{path}: "users" must list the tokens of at least two users')
    subjects = {claims_of(token).get("sub") for token in users}
    if len(subjects) < 2:
        raise UsageProblem(f'{path}: the tokens in "users" must belong to two different users')
    late = min(float(claims_of(token).get("exp", "inf")) for token in users)
    if late < time.time() + 60:
        raise UsageProblem(f'{path}: a token in "users" expires within a minute: make new ones')
    foreign = content.get("foreign_tenant")
    if foreign is not None and not _is_token(foreign):
        raise UsageProblem(f'{path}: "foreign_tenant" is not a token')
    return Given([token.strip() for token in users], foreign.strip() if foreign else None)


def _is_token(value: object) -> bool:
    return isinstance(value, str) and value.strip().count(".") == 2
