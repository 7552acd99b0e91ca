"""The issuer's public keys, fetched rarely and kept through an outage."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Literal

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from pydantic import BaseModel, ConfigDict

from toolbridge_proxy import strict_json
from toolbridge_proxy.logs import log

FETCH_SECONDS = 5  # the caller waits for it
MAX_BYTES = 256 * 1024  # a set of a hundred RSA keys has 60 KiB
# A flood of tokens with made-up key ids must not become a flood of fetches.
REFRESH_FLOOR_SECONDS = 30
MIN_RSA_BITS = 2048  # RFC 7518 section 3.3


class JwksUnavailableError(Exception):
    """No key set was ever fetched."""


class Jwks:
    """RS256 keys by key id from one URL; never follows redirects or a token's own hints."""

    def __init__(
        self, url: str, refresh_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._url, self._refresh_seconds, self._clock = url, refresh_seconds, clock
        self._client = httpx.AsyncClient(trust_env=False, timeout=FETCH_SECONDS)
        self._lock = asyncio.Lock()
        self._keys: list[tuple[str | None, RSAPublicKey]] | None = None
        self._attempted: float | None = None
        self._failed = False

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def key(self, header: dict[str, Any]) -> RSAPublicKey | None:
        """Return the key that a token's header names, None if unknown.

        Raises JwksUnavailableError when no set was ever had.
        """
        kid = header.get("kid")
        # Who knows no key waits for the fetch under way, which may bring it.
        if self._is_due(kid) or self._find(kid) is None:
            async with self._lock:
                if self._is_due(kid):
                    await self._refresh()
        if self._keys is None:
            raise JwksUnavailableError
        return self._find(kid)

    def _find(self, kid: str | None) -> RSAPublicKey | None:
        """Return the one key that fits; where there is a choice, none does."""
        fitting = [key for name, key in self._keys or [] if kid in (None, name)]
        return fitting[0] if len(fitting) == 1 else None

    def _is_due(self, kid: str | None) -> bool:
        if self._attempted is None:
            return True
        settled = self._find(kid) is not None and not self._failed
        floor = min(REFRESH_FLOOR_SECONDS, self._refresh_seconds)
        return self._clock() - self._attempted >= (self._refresh_seconds if settled else floor)

    async def _refresh(self) -> None:
        self._attempted = self._clock()
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                self._keys = _usable_keys(await self._fetch())
            self._failed = False
            log.info("jwks_refreshed", keys=len(self._keys))
        except (httpx.HTTPError, ValueError, TimeoutError) as failure:
            self._failed = True
            log.warning("jwks_refresh_failed", failure=type(failure).__name__)

    async def _fetch(self) -> bytes:
        headers = {"Accept-Encoding": "identity"}
        async with self._client.stream("GET", self._url, headers=headers) as response:
            if response.status_code != httpx.codes.OK:
                raise ValueError("unexpected status")
            body = b""
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise ValueError("too large")
        return body


class _Entry(BaseModel):
    """A key that may verify RS256 signatures (RFC 7517 sections 4.1 to 4.4)."""

    model_config = ConfigDict(strict=True, extra="allow")
    kty: Literal["RSA"]
    use: Literal["sig"] = "sig"
    alg: Literal["RS256"] = "RS256"
    kid: str | None = None
    key_ops: list[str] = ["verify"]


class _KeySet(BaseModel):
    keys: list[Any]


def _usable_keys(body: bytes) -> list[tuple[str | None, RSAPublicKey]]:
    listed = _KeySet.model_validate(strict_json.loads(body, max_depth=8)).keys
    return [(entry.get("kid"), key) for entry in listed if (key := _rsa_key(entry)) is not None]


def _rsa_key(entry: Any) -> RSAPublicKey | None:
    try:
        usable = "verify" in _Entry.model_validate(entry).key_ops
        key = jwt.PyJWK(entry, algorithm="RS256").key if usable else None
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    return key if isinstance(key, RSAPublicKey) and key.key_size >= MIN_RSA_BITS else None
