"""Proxies that trust callers for where they seem to come from, or a tenant for being the first."""

from contextvars import ContextVar
from typing import Any

import jwt

from mutants.table import mutant
from support.patching import patch
from toolbridge_harness.stack import TENANT
from toolbridge_proxy import gate, tokens, upstream
from toolbridge_proxy.settings import Settings

_headers: ContextVar[dict[bytes, bytes]] = ContextVar("_headers")
_behind_edge: ContextVar[bool] = ContextVar("_behind_edge")


def _note_headers() -> None:
    def make(original: Any) -> Any:
        async def admit(self: gate.Gate, scope: Any, body: bytes) -> Any:
            _headers.set(dict(scope["headers"]))
            _behind_edge.set(self._settings.public_url is not None)
            return await original(self, scope, body)

        return admit

    patch(gate.Gate, "_admit", make)


def _any_tenant_if(trusted: Any) -> None:
    _note_headers()

    def make(original: Any) -> Any:
        async def caller(self: Any, authorization: str | None) -> tokens.Caller:
            try:
                verified: tokens.Caller = await original(self, authorization)
            except tokens.Denied as denied:
                if denied.code != "forbidden_tenant" or not trusted():
                    raise
                token = (authorization or "").partition(" ")[2]
                claims = jwt.decode(token, options={"verify_signature": False})
                return tokens.Caller(claims.get("iss"), claims["sub"], token)
            return verified

        return caller

    patch(tokens.TokenVerifier, "caller", make)


@mutant(
    "M-Q15",
    "callers with an address of the private network may be of any tenant",
    rows="DEP-09",
    cause="auth-inside",
)
def trusts_private_addresses() -> None:
    """Fly-Client-IP is believed."""
    _any_tenant_if(lambda: _headers.get().get(b"fly-client-ip", b"").startswith(b"fdaa:"))


@mutant(
    "trusts-around-edge",
    "behind a public URL, who comes around the edge may be of any tenant",
    rows="DEP-09",
    cause="auth-around-edge",
)
def trusts_around_the_edge() -> None:
    """Whoever lacks the edge's headers must be one of ours."""
    _any_tenant_if(lambda: _behind_edge.get() and b"fly-client-ip" not in _headers.get())


@mutant(
    "address-upstream",
    "Fly-Client-IP is passed on as X-Forwarded-For",
    rows="DEP-10",
    cause="isolation-forwarding",
)
def address_upstream() -> None:
    """The Go API logs what the caller says."""
    _note_headers()

    def make(original: Any) -> Any:
        def headers(self: Any, request: Any, call: Any) -> list[tuple[str, str]]:
            address = _headers.get({}).get(b"fly-client-ip")
            more = [("X-Forwarded-For", address.decode("latin-1"))] if address else []
            return [*original(self, request, call), *more]

        return headers

    patch(upstream.Upstream, "_headers", make)


@mutant(
    "tenant-of-the-build",
    "tokens are compared with the tenant that the image was built for",
    rows="TEN-23",
    cause="tenant-replayed",
)
def tenant_of_the_build() -> None:
    """TOOLBRIDGE_TENANT_ID is not what counts."""

    def make(original: Any) -> Any:
        def init(self: Any, settings: Settings, jwks: Any) -> None:
            original(self, settings.model_copy(update={"tenant_id": TENANT}), jwks)

        return init

    patch(tokens.TokenVerifier, "__init__", make)


@mutant(
    "signs-the-build",
    "requests are signed for the tenant that the image was built for",
    rows="TEN-20",
    cause="tenant-same-user",
)
def signs_the_build() -> None:
    """The token is checked right, the header is always the same."""

    def make(original: Any) -> Any:
        def init(self: Any, settings: Settings, *given: Any) -> None:
            original(self, settings.model_copy(update={"tenant_id": TENANT}), *given)

        return init

    patch(upstream.Upstream, "__init__", make)
