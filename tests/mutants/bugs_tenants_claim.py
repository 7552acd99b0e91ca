"""Proxies that take another tenant for their own."""

import copy
import unicodedata
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from mutants.table import mutant
from support.patching import patch
from support.token_doors import Claims, mended, tenant
from toolbridge_proxy import gate, signing
from toolbridge_proxy.edge import rpc_error


def _compared(same: Callable[[Any, str], bool]) -> None:
    """Compare the claim with the own tenant as `same` does; what it raises means no."""

    def mend(claims: Claims) -> Claims:
        own = tenant()
        return claims | {"tenant_id": own} if same(claims.get("tenant_id"), own) else claims

    mended(mend)


@mutant(
    "any-tenant",
    "the tenant claim is not compared",
    rows="TEN-01 TEN-02 TEN-03 TEN-23",
    cause="tenant-wrong",
)
def any_tenant() -> None:
    """The Go API does not compare it either."""
    _compared(lambda claim, own: True)


@mutant(
    "optional-tenant",
    "a token that names no tenant is taken for one of this tenant",
    rows="TEN-01 TEN-02",
    cause="tenant-missing",
)
def optional_tenant() -> None:
    """As `if claim and claim != tenant`."""
    _compared(lambda claim, own: not claim)


@mutant(
    "M-T01",
    "tenants are compared without case",
    rows="TEN-05",
    cause="tenant-look-alikes",
)
def without_case() -> None:
    """As host names are."""
    _compared(lambda claim, own: claim.lower() == own.lower())


@mutant(
    "M-T02",
    "blanks around the claim are removed",
    rows="TEN-06",
    cause="tenant-look-alikes",
)
def stripped() -> None:
    """As settings are."""
    _compared(lambda claim, own: claim.strip() == own)


@mutant(
    "M-T03",
    "tenants are compared after normalisation to NFKC",
    rows="TEN-05 TEN-07",
    cause="tenant-look-alikes",
)
def normalised() -> None:
    """Full-width letters become plain ones."""

    def folded(text: str) -> str:
        return unicodedata.normalize("NFKC", text).casefold()

    _compared(lambda claim, own: folded(claim) == folded(own))


@mutant(
    "M-T04",
    "a tenant that begins like the own one is the own one",
    rows="TEN-09",
    cause="tenant-look-alikes",
)
def prefix() -> None:
    """As `startswith`."""
    _compared(lambda claim, own: claim.startswith(own))


@mutant(
    "M-T05",
    "the own tenant is looked for in the claim, be it a text or a list",
    rows="TEN-04 TEN-09",
    cause="tenant-types",
)
def contained() -> None:
    """As `tenant in claim`."""
    _compared(lambda claim, own: own in claim)


@mutant(
    "M-T06",
    "the first of a list of tenants counts",
    rows="TEN-04",
    cause="tenant-types",
)
def first_of_list() -> None:
    """And whatever else it is, as text."""

    def same(claim: Any, own: str) -> bool:
        return bool((claim[0] if isinstance(claim, list) else str(claim)) == own)

    _compared(same)


@mutant(
    "M-T09",
    "whatever tenant the token names is signed for",
    rows="TEN-03 TEN-23 SIG-02",
    cause="tenant-wrong",
)
def claimed_tenant() -> None:
    """One deployment, by accident, for all tenants."""
    claimed: ContextVar[str] = ContextVar("claimed")

    def same(claim: Any, own: str) -> bool:
        claimed.set(claim if isinstance(claim, str) and claim.isascii() else own)
        return isinstance(claim, str) and claimed.get() == claim

    def make(original: Any) -> Any:
        def headers(self: signing.Signer) -> Any:
            other = copy.copy(self)
            other._tenant_id = claimed.get(self._tenant_id)
            return original(other)

        return headers

    _compared(same)
    patch(signing.Signer, "headers", make)


@mutant(
    "M-T11",
    "the refusal says which tenant was expected, and which came",
    rows="TEN-21",
    cause="tenant-not-disclosed",
)
def telling_refusal() -> None:
    """Written for whoever reads the log, and sent to whoever calls."""

    def make(original: Any) -> Any:
        def denial(self: gate.Gate, denied: Any, message: Any, scope: Any) -> Any:
            if denied.code != "forbidden_tenant":
                return original(self, denied, message, scope)
            original(self, denied, message, scope)  # logged and counted as ever
            text = f"This token is not for tenant {tenant()}"
            return rpc_error(403, gate.FORBIDDEN, text, gate._request_id(message), denied.code)

        return denial

    patch(gate.Gate, "_denial", make)
