"""The claims of tokens by the issuer's key: a signature vouches for them, and replaces none."""

import time

from toolbridge_harness import forge
from toolbridge_harness.checks.auth import NO_EXPIRIES, no_subjects, not_yet
from toolbridge_harness.checks.auth_keys import KEY_SET, NO_KEY_SET
from toolbridge_harness.checks.auth_shapes import read_once
from toolbridge_harness.checks.tenant import (
    NO_TENANTS,
    look_alikes,
    of_other_types,
    refused_tenants,
)
from toolbridge_harness.issuer import key_set
from toolbridge_harness.model import Capability, Severity
from toolbridge_harness.refusals import refused_tokens
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target

_FORGED = (*NO_KEY_SET, "auth-keys-forged")


@check(
    "auth-keys-tenant",
    "A token by the issuer's key is refused unless it is for the configured tenant",
    severity=Severity.CRITICAL,
    catalogue=("TEN-01", "TEN-02", "TEN-03", "TEN-04", "TEN-05"),
    source="OWASP API1:2023; RFC 8725 §2.7, §3.10; CWE-178",
    remedy="Compare tenant_id with TOOLBRIDGE_TENANT_ID after verifying, whoever signed the token.",
    why="One issuer signs for all tenants: its signature says nothing about which one this is.",
    needs=KEY_SET,
    capability=Capability.KEY_SETS,
    explained_by=(*_FORGED, "tenant-wrong", "tenant-missing", "tenant-types", "tenant-look-alikes"),
    broken="callers of another tenant are served if the issuer's key signed their token",
)
async def issuers_tokens_are_for_one_tenant(target: Target, caller: Caller) -> None:
    """Signs the caller's claims by the issuer's key with no, other and similar tenants."""
    async with key_set(target) as issuer, issuer.proxy() as proxy:
        signer = proxy.caller()
        own = signer.tenant
        other = f"other-{target.random.randrange(9999)}"
        wrong = (other, *NO_TENANTS, *of_other_types(own), *look_alikes(own))
        await refused_tenants(signer, wrong, issuer.key.token)


@check(
    "auth-keys-times",
    "A token by the issuer's key counts only for its subject, and in its time",
    severity=Severity.CRITICAL,
    catalogue=("AUTH-23", "AUTH-26", "AUTH-27", "AUTH-29", "AUTH-30", "AUTH-31", "AUTH-37"),
    source="RFC 7519 §4, §4.1.2, §4.1.4, §4.1.5; RFC 8725 §3.8",
    remedy="Check exp, nbf, iat and sub in one place, which every algorithm goes through.",
    why="Each algorithm may have its own way through the code, and each way its own gaps.",
    needs=KEY_SET,
    capability=Capability.KEY_SETS,
    explained_by=(
        *_FORGED,
        "auth-keys-tenant",
        "auth-expired",
        "auth-no-expiry",
        "auth-not-yet-valid",
        "auth-subject",
        "auth-duplicate-claims",
    ),
    broken="RS256 tokens are accepted that are over, not valid yet, or name no user",
)
async def issuers_tokens_end(target: Target, caller: Caller) -> None:
    """Signs expired, endless, future, nameless and ambiguous claims by the issuer's key."""
    async with key_set(target) as issuer, issuer.proxy() as proxy:
        signer, now = proxy.caller(), int(time.time())
        # Issued before it expired: the expiry is the only thing wrong with it.
        changes: list[dict[str, object]] = [
            {"iat": now - 7200, "exp": now - age} for age in (3600, 61)
        ]
        changes += [{"exp": value} for value in NO_EXPIRIES]
        changes += [*not_yet(now), *({"sub": value} for value in no_subjects(signer.sub))]
        tokens = [
            (_told(change), issuer.key.token(forge.altered(signer.token, **change)))
            for change in changes
        ]
        await refused_tokens(signer, tokens)
        await read_once(signer, issuer.key.token)


def _told(change: dict[str, object]) -> str:
    name, value = list(change.items())[-1]
    return f"RS256 without {name}" if value is ... else f"RS256 with {name} {value!r}"
