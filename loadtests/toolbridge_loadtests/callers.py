"""Who the simulated users are: distinct callers, each with a token of its own.

Tokens are minted from TOOLBRIDGE_JWT_SECRET and TOOLBRIDGE_TENANT_ID, or read from
TOOLBRIDGE_TOKENS_FILE where tokens cannot be minted.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from toolbridge_contract.tokens import mint


class ConfigurationError(Exception):
    """Something the engineer has to set or correct; the message is one line without secrets."""


@dataclass
class Caller:
    """One simulated person: a name for reports and a token that is always valid."""

    name: str

    def token(self) -> str:
        """Return the token to present now."""
        raise NotImplementedError


@dataclass
class MintedCaller(Caller):
    """A caller whose token is minted, and minted again before it expires."""

    tenant_id: str
    secret: str = field(repr=False)
    claims: Mapping[str, Any] = field(default_factory=dict)
    lifetime: float = 3600.0
    # Renewed while still valid for longer than any request takes.
    margin: float = 300.0
    _token: str = field(default="", repr=False)
    _expires: float = 0.0

    def token(self) -> str:
        """Return a token for this caller that stays valid for `margin` seconds at least."""
        now = time.time()
        if now > self._expires - self.margin:
            self._token = mint(
                self.name, self.tenant_id, self.secret, lifetime=self.lifetime, **self.claims
            )
            self._expires = now + self.lifetime
        return self._token


@dataclass
class GivenCaller(Caller):
    """A caller whose token was given ready-made."""

    ready: str = field(repr=False)

    def token(self) -> str:
        """Return the given token."""
        return self.ready


class Callers(Protocol):
    """Where users get their identities from."""

    @property
    def limit(self) -> int | None:
        """How many distinct callers there are; None when there is no limit."""

    def caller(self, index: int) -> Caller:
        """Return the caller of the `index`-th user of this process."""


@dataclass(frozen=True)
class MintedCallers:
    """Any number of callers, the same ones in every run, so that runs do not fill a database."""

    tenant_id: str
    secret: str = field(repr=False)
    claims: Mapping[str, Any] = field(default_factory=dict)
    worker: int = 0
    limit: int | None = None

    def caller(self, index: int) -> MintedCaller:
        """Return the caller of this worker's `index`-th user."""
        name = f"toolbridge-load-{self.worker}-{index}"
        return MintedCaller(name, self.tenant_id, self.secret, self.claims)


@dataclass(frozen=True)
class GivenCallers:
    """As many callers as tokens; several users share one when there are more users."""

    tokens: tuple[str, ...] = field(repr=False)

    @property
    def limit(self) -> int | None:
        """How many tokens there are."""
        return len(self.tokens)

    def caller(self, index: int) -> GivenCaller:
        """Return the caller of the `index`-th user, starting over after the last token."""
        place = index % len(self.tokens)
        return GivenCaller(f"token {place + 1}", self.tokens[place])


def from_environment(environment: Mapping[str, str], worker: int = 0) -> Callers:
    """Return the callers that the environment describes, or say which variable is missing."""
    path = environment.get("TOOLBRIDGE_TOKENS_FILE", "")
    if path:
        return GivenCallers(_read_tokens(Path(path)))
    names = ("TOOLBRIDGE_JWT_SECRET", "TOOLBRIDGE_TENANT_ID")
    missing = [name for name in names if not environment.get(name)]
    if missing:
        raise ConfigurationError(
            f"{' and '.join(missing)} not set: set TOOLBRIDGE_JWT_SECRET and "
            "TOOLBRIDGE_TENANT_ID, or TOOLBRIDGE_TOKENS_FILE to a JSON file of ready tokens"
        )
    wanted = {"iss": "TOOLBRIDGE_JWT_ISSUER", "aud": "TOOLBRIDGE_JWT_AUDIENCE"}
    claims = {claim: environment[name] for claim, name in wanted.items() if environment.get(name)}
    secret, tenant = (environment[name] for name in names)
    return MintedCallers(tenant, secret, claims, worker)


def _read_tokens(path: Path) -> tuple[str, ...]:
    """Read `{"users": [token, …]}`: the file that `toolbridge verify` takes as well."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise ConfigurationError(f"{path}: cannot be read: {problem.strerror}") from None
    except ValueError:
        raise ConfigurationError(f"{path}: not JSON") from None
    users = content.get("users") if isinstance(content, dict) else None
    if not isinstance(users, list) or not users or not all(map(_is_token, users)):
        raise ConfigurationError(f'{path}: "users" must be a list of tokens, one per caller')
    # One user's token twice would be one caller with twice the rate.
    return tuple(dict.fromkeys(token.strip() for token in users))


def _is_token(value: object) -> bool:
    return isinstance(value, str) and value.strip().count(".") == 2
