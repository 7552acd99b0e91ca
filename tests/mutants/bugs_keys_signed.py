"""Proxies to which the issuer's signature is enough, or which fetch its keys from anybody."""

import time
from collections.abc import Callable
from typing import Any

import httpx

from mutants.bugs_keys_fetched import _with_client
from mutants.table import mutant
from support.patching import patch
from toolbridge_proxy import jwks, signing, strict_json, tokens

TENANT = "auth-keys-tenant"
TIMES = "auth-keys-times"


def _let_in(by_key: Callable[[tokens.Denied], bool]) -> None:
    """Let a verified RS256 token in whose denial is one that `by_key` does not mind."""

    def make(original: Any) -> Any:
        async def caller(self: Any, authorization: str | None) -> Any:
            try:
                return await original(self, authorization)
            except tokens.Denied as denied:
                if not by_key(denied):
                    raise
                token = (authorization or "").split()[-1]
                header, claims = tokens._parse(token)
                if header.alg != "RS256":
                    raise
                return tokens.Caller(claims.iss, claims.sub, token)

        return caller

    patch(tokens.TokenVerifier, "caller", make)


@mutant(
    "rs256-any-tenant",
    "the tenant of a token by the issuer's key is not compared",
    rows="TEN-01 TEN-02 TEN-03 TEN-04 TEN-05",
    cause=TENANT,
)
def any_tenant() -> None:
    """The issuer is ours, so its callers are."""
    _let_in(lambda denied: denied.code == "forbidden_tenant")


@mutant(
    "rs256-no-times",
    "a token by the issuer's key counts before and after its time",
    rows="AUTH-23 AUTH-29",
    cause=TIMES,
)
def no_times() -> None:
    """exp and nbf are looked at for HS256 alone."""
    _let_in(lambda denied: denied.reason == "expired_or_not_yet_valid")


def _repaired(claim: str, value: Callable[[], Any]) -> None:
    """Read `value()` for a claim of RS256 tokens that is not usable."""

    def make(original: Any) -> Any:
        def parse(token: str) -> Any:
            try:
                return original(token)
            except tokens.Denied as denied:
                head, body, _ = token.split(".")
                good = strict_json.loads(tokens._decode(head), max_depth=8)
                if denied.reason != f"malformed_{claim}" or good.get("alg") != "RS256":
                    raise
                claims = strict_json.loads(tokens._decode(body), max_depth=8)
                read = tokens._Claims.model_validate(claims | {claim: value()})
                return tokens._Header.model_validate(good), read

        return parse

    patch(tokens, "_parse", make)


@mutant(
    "rs256-no-expiry",
    "a token by the issuer's key may do without a usable exp",
    rows="AUTH-26 AUTH-27",
    cause=TIMES,
)
def no_expiry() -> None:
    """It then counts for now."""
    _repaired("exp", lambda: time.time() + 60)


@mutant(
    "rs256-no-subject",
    "a token by the issuer's key may do without a usable sub",
    rows="AUTH-31",
    cause=TIMES,
)
def no_subject() -> None:
    """All such callers are one."""
    _repaired("sub", lambda: "service")


@mutant(
    "jwks-no-verify",
    "the key set is fetched without verifying the issuer's certificate",
    rows="AUTH-22",
    cause="auth-keys-certificate",
)
def no_verify() -> None:
    """As it was left after a test with a self-signed certificate."""

    def make(original: Any) -> Any:
        def init(self: jwks.Jwks, *given: Any, **named: Any) -> None:
            original(self, *given, **named)
            self._client = httpx.AsyncClient(verify=False, timeout=5)

        return init

    patch(jwks.Jwks, "__init__", make)


@mutant(
    "jwks-any-host",
    "a certificate for another host is believed when the key set is fetched",
    rows="AUTH-22",
    cause="auth-keys-certificate-kinds",
)
def any_host() -> None:
    """The chain alone, from the authorities that the environment names."""

    def make(original: Any) -> Any:
        def init(self: jwks.Jwks, *given: Any, **named: Any) -> None:
            original(self, *given, **named)
            context = httpx.create_ssl_context()
            context.check_hostname = False
            self._client = httpx.AsyncClient(verify=context, trust_env=False, timeout=5)

        return init

    patch(jwks.Jwks, "__init__", make)


@mutant(
    "jwks-redirect-at-leisure",
    "a redirect is followed by a proxy that fetches the key set every 30 s at most",
    rows="AUTH-22",
    cause="auth-keys-outage",
)
def redirect_at_leisure() -> None:
    """Nobody sees it who waits for a second fetch, and not for long."""
    _slowly()
    _with_client(lambda client: setattr(client, "follow_redirects", True))


def _slowly() -> None:
    def make(original: Any) -> Any:
        def init(self: jwks.Jwks, *given: Any, **named: Any) -> None:
            original(self, *given, **named)
            self._refresh_seconds = max(self._refresh_seconds, jwks.REFRESH_FLOOR_SECONDS)

        return init

    patch(jwks.Jwks, "__init__", make)


@mutant(
    "jwks-refetch-signed",
    "requests for the key set carry the last tenant signature, from the second one on",
    rows="SIG-07",
    cause="signing-keys-refetch",
)
def refetch_signed() -> None:
    """One place keeps the headers of all outgoing requests; here with a fetch every 30 s."""
    _slowly()
    last: dict[str, str] = {}

    def make(original: Any) -> Any:
        def headers(self: Any) -> Any:
            made = original(self)
            last.update(made)
            return made

        return headers

    async def add(request: httpx.Request) -> None:
        request.headers.update(last)

    patch(signing.Signer, "headers", make)
    _with_client(lambda client: setattr(client, "event_hooks", {"request": [add]}))
