"""Proxies that fetch the issuer's key set too often, never again, from elsewhere, or too openly."""

import json
import os
from typing import Any

import httpx

from mutants.table import mutant
from support.patching import patch
from toolbridge_proxy import jwks, signing, tokens


def _with_client(change: Any) -> None:
    def make(original: Any) -> Any:
        def init(self: jwks.Jwks, *given: Any, **named: Any) -> None:
            original(self, *given, **named)
            change(self._client)

        return init

    patch(jwks.Jwks, "__init__", make)


@mutant(
    "M-A07",
    "the key set is fetched for every unknown kid",
    rows="AUTH-20",
    cause="auth-keys-flood",
)
def no_floor() -> None:
    """However short ago it was fetched."""

    def make(original: Any) -> Any:
        return lambda self, kid: self._find(kid) is None or original(self, kid)

    patch(jwks.Jwks, "_is_due", make)


@mutant(
    "M-A08",
    "the key set is fetched once and kept for ever",
    rows="AUTH-21",
    cause="auth-keys-rotation",
)
def fetched_once() -> None:
    """Until the next restart."""
    patch(jwks.Jwks, "_is_due", lambda _: lambda self, kid: self._attempted is None)


def _after_refresh(change: Any) -> None:
    def make(original: Any) -> Any:
        async def refresh(self: jwks.Jwks) -> None:
            before = self._keys
            await original(self)
            change(self, before)

        return refresh

    patch(jwks.Jwks, "_refresh", make)


@mutant(
    "jwks-old-keys-stay",
    "keys that the issuer has withdrawn go on working",
    rows="AUTH-21",
    cause="auth-keys-rotation",
)
def old_keys_stay() -> None:
    """What was fetched is added to what is there."""

    def merge(self: jwks.Jwks, before: Any) -> None:
        names = {name for name, _ in self._keys or []}
        self._keys = [*(self._keys or []), *(old for old in before or [] if old[0] not in names)]

    _after_refresh(merge)


@mutant(
    "jwks-outage-forgets",
    "a failed fetch of the key set drops the keys that are known",
    rows="AUTH-22",
    cause="auth-keys-outage-cached",
)
def outage_forgets() -> None:
    """The set is what came last, if anything came."""

    def forget(self: jwks.Jwks, before: Any) -> None:
        self._keys = [] if self._failed else self._keys

    _after_refresh(forget)


@mutant(
    "jwks-redirect-followed",
    "a redirect of the key set is followed to another host",
    rows="AUTH-22",
    cause="auth-keys-outage",
)
def redirect_followed() -> None:
    """As many HTTP clients do unasked."""

    def follow(client: httpx.AsyncClient) -> None:
        client.follow_redirects = True

    _with_client(follow)


_OPEN = object()


def _open_when(broken: Any) -> None:
    """Let a token through unverified when its key cannot be had and `broken` says so."""

    def make_key(original: Any) -> Any:
        async def key(self: Any, header: Any) -> Any:
            try:
                return await original(self, header)
            except tokens.Denied:
                if self._jwks is not None and broken(self._jwks):
                    return _OPEN
                raise

        return key

    def make_verify(original: Any) -> Any:
        def verify(self: Any, token: str, key: Any, algorithm: str) -> None:
            if key is not _OPEN:
                original(self, token, key, algorithm)

        return verify

    patch(tokens.TokenVerifier, "_key", make_key)
    patch(tokens.TokenVerifier, "_verify", make_verify)


@mutant(
    "jwks-fails-open",
    "tokens are not verified while the key set cannot be fetched again",
    rows="AUTH-22",
    cause="auth-keys-outage-cached",
)
def fails_open() -> None:
    """Better let somebody in than lock everybody out."""
    _open_when(lambda keys: keys._failed and keys._keys is not None)


@mutant(
    "jwks-starts-open",
    "tokens are not verified until the first key set was fetched",
    rows="AUTH-22",
    cause="auth-keys-outage",
)
def starts_open() -> None:
    """No keys, no check."""
    _open_when(lambda keys: keys._keys is None)


@mutant(
    "jwks-no-deadline",
    "a fetch of the key set may take for ever",
    rows="AUTH-22",
    cause="auth-keys-outage-slow",
)
def no_deadline() -> None:
    """And everybody waits for it."""
    patch(jwks, "FETCH_SECONDS", lambda _: 600)


@mutant(
    "jwks-deadline-per-read",
    "only each read of the key set is bounded, not the whole fetch",
    rows="AUTH-22",
    cause="auth-keys-outage-slow",
)
def deadline_per_read() -> None:
    """Which one byte now and then resets."""
    patch(jwks, "FETCH_SECONDS", lambda _: 600)

    def bound(client: httpx.AsyncClient) -> None:
        client.timeout = httpx.Timeout(5)

    _with_client(bound)


@mutant(
    "jwks-fetch-signed",
    "the request for the key set carries the tenant's signature",
    rows="SIG-07",
    cause="signing-keys-fetch",
)
def fetch_signed() -> None:
    """The client that signs is used for everything."""

    async def sign(request: httpx.Request) -> None:
        tenant = os.environ["TOOLBRIDGE_TENANT_ID"]
        secret = os.environ["TOOLBRIDGE_TENANT_HEADER_SECRET"]
        request.headers.update(signing.Signer(tenant, secret).headers())

    def hook(client: httpx.AsyncClient) -> None:
        client.event_hooks = {"request": [sign]}

    _with_client(hook)


def _before_verifying(act: Any) -> None:
    def make(original: Any) -> Any:
        async def caller(self: Any, authorization: str | None) -> Any:
            if self._jwks is not None and authorization:
                await act(self._jwks, authorization)
            return await original(self, authorization)

        return caller

    patch(tokens.TokenVerifier, "caller", make)


@mutant(
    "jwks-fetch-with-token",
    "the request for the key set carries the caller's token",
    rows="SIG-07",
    cause="signing-keys-fetch",
)
def fetch_with_token() -> None:
    """The client's headers are those of the last call."""

    async def remember(keys: jwks.Jwks, authorization: str) -> None:
        keys._client.headers["Authorization"] = authorization

    _before_verifying(remember)


@mutant(
    "jwks-jku-followed",
    "keys are fetched from the address in a token's jku",
    rows="AUTH-16",
    cause="auth-keys-hints",
)
def jku_followed() -> None:
    """Only to be ready for it; they verify nothing."""

    async def follow(keys: jwks.Jwks, authorization: str) -> None:
        header = json.loads(tokens._decode(authorization.split()[-1].split(".")[0]))
        if isinstance(header, dict) and isinstance(header.get("jku"), str):
            await keys._client.get(header["jku"])

    _before_verifying(follow)


@mutant(
    "jwks-kid-in-address",
    "an unknown kid is asked for in the query of the key set's address",
    rows="AUTH-18",
    cause="auth-keys-hints",
)
def kid_in_address() -> None:
    """One key at a time is less to read."""

    def make(original: Any) -> Any:
        async def key(self: jwks.Jwks, header: dict[str, Any]) -> Any:
            found = await original(self, header)
            if found is None:
                await self._client.get(self._url, params={"kid": header.get("kid", "")})
            return found

        return key

    patch(jwks.Jwks, "key", make)
