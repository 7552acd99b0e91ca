"""Proxies through which the caller's tenant headers reach the Go API."""

from contextvars import ContextVar
from typing import Any

from mutants.table import mutant
from support.patching import patch
from toolbridge_proxy import edge, signing

Pairs = list[tuple[str, str]]


def _from_the_caller() -> ContextVar[Pairs]:
    """Return the X-TB-Tenant-ID headers of the request at hand, as they came."""
    came: ContextVar[Pairs] = ContextVar("came")

    def make(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            named = [v for n, v in scope.get("headers", ()) if n == b"x-tb-tenant-id"]
            came.set([("x-tb-tenant-id", value.decode("latin-1")) for value in named])
            await original(self, scope, receive, send)

        return call

    patch(edge.Edge, "__call__", make)
    return came


@mutant(
    "M-T07",
    "the caller's X-TB-Tenant-ID goes upstream in place of the own one",
    rows="TEN-11 TEN-13",
    cause="isolation-client-headers",
)
def forwarded_tenant() -> None:
    """The signature is still over the own tenant."""
    came = _from_the_caller()

    def make(original: Any) -> Any:
        def sign(self: signing.Signer, headers: Any) -> Pairs:
            signed: Pairs = original(self, headers)
            theirs = came.get([])
            if not theirs:
                return signed
            kept = [pair for pair in signed if pair[0] != signing.TENANT]
            return [*kept, (signing.TENANT, theirs[0][1])]

        return sign

    patch(signing.Signer, "sign", make)


@mutant(
    "M-T08",
    "the caller's headers are merged with the own ones by a name that case tells apart",
    rows="TEN-13 SIG-01",
    cause="isolation-client-headers",
)
def merged_headers() -> None:
    """x-tb-tenant-id and X-TB-Tenant-ID both go upstream, and the Go API takes the first."""
    came = _from_the_caller()

    def make(original: Any) -> Any:
        def sign(self: signing.Signer, headers: Any) -> Pairs:
            merged = dict(came.get([])) | dict(original(self, headers))
            return list(merged.items())

        return sign

    patch(signing.Signer, "sign", make)
