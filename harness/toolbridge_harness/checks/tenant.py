"""Tenants: the proxy's check of the claim is the only barrier between them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from toolbridge_harness import forge
from toolbridge_harness.model import Severity, Vantage
from toolbridge_harness.refusals import nothing_reached_upstream, require_forbidden
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import NotApplicable, require

# What names no tenant; `...` leaves the claim out.
NO_TENANTS: tuple[object, ...] = (..., None, "", " ", 0, False)


def of_other_types(own: str) -> tuple[object, ...]:
    """Return claims that hold the tenant `own`, or are merely true, and are no text."""
    return [own], ["other", own], {"id": own}, {own: 1}, 5, True


async def _refused(caller: Caller, tenants: Sequence[object]) -> None:
    key = caller.target.deployment.tokens.secrets[0]
    await refused_tenants(caller, tenants, lambda payload: forge.signed(payload, key))


async def refused_tenants(
    caller: Caller, tenants: Sequence[object], sign: Callable[[Any], str]
) -> None:
    """Require that the caller is refused under each tenant claim, and served under the right one.

    Only the claim changes; `...` leaves it out.
    """
    await caller.control()
    seen = await caller.mark()
    for tenant in tenants:
        payload = forge.altered(caller.token, tenant_id=tenant)
        call = replace(caller.request("list_notes", {"limit": 1}), token=sign(payload))
        reply = await caller.target.send(call)
        what = "no tenant_id" if tenant is ... else f"tenant_id {tenant!r}"
        require_forbidden(reply, what)
    await nothing_reached_upstream(caller, seen)
    await caller.control()


@check(
    "tenant-wrong",
    "A valid token of another tenant is refused",
    severity=Severity.CRITICAL,
    catalogue=("TEN-03", "TEN-23"),
    source="OWASP API1:2023; RFC 8725 §2.7",
    remedy="Compare the tenant_id claim with TOOLBRIDGE_TENANT_ID, exactly, before anything else.",
    why="The Go API does not compare them: no one else stops a caller of another tenant.",
    needs=Vantage.TOKENS,
    explained_by=("auth-no-token",),
    broken="callers of another tenant are served",
)
async def other_tenant_is_refused(target: Target, caller: Caller) -> None:
    """Sends a token that is valid but for another tenant: 403 or 401, and nothing upstream."""
    await caller.control()
    seen = await caller.mark()
    token = target.deployment.tokens.foreign(caller.sub, f"other-{target.random.randrange(9999)}")
    if token is None:
        raise NotApplicable("no token of a foreign tenant was given")
    reply = await caller.call("list_notes", {"limit": 1}, token=token)
    require_forbidden(reply, "another tenant's token")
    await nothing_reached_upstream(caller, seen)


@check(
    "tenant-missing",
    "A token that names no tenant is refused",
    severity=Severity.CRITICAL,
    catalogue=("TEN-01", "TEN-02", "TEN-10"),
    source="OWASP API1:2023",
    remedy="Require the tenant_id claim; absence is not consent.",
    why="`if claim and claim != tenant` lets in everybody without the claim.",
    needs=Vantage.MINT,
    explained_by=("tenant-wrong",),
    broken="tokens that name no tenant are served",
)
async def missing_tenant_is_refused(target: Target, caller: Caller) -> None:
    """Leaves tenant_id out, sends it empty in five ways, and under other claims' names."""
    await _refused(caller, NO_TENANTS)
    key = target.deployment.tokens.secrets[0]
    for name in ("tenant", "tid", "org_id", "Tenant_Id", "tenant-id"):
        payload = forge.altered(caller.token, tenant_id=..., **{name: caller.tenant})
        reply = await caller.call("list_notes", token=forge.signed(payload, key))
        require_forbidden(reply, f"the tenant under the name {name}")


@check(
    "tenant-types",
    "A tenant claim that is not a string is refused",
    severity=Severity.CRITICAL,
    catalogue="TEN-04",
    source="RFC 8725 §3.10",
    remedy="Require the claim to be a string; convert nothing and search in nothing.",
    why="`tenant in claim` is true for a list of all tenants.",
    needs=Vantage.MINT,
    explained_by=("tenant-wrong",),
    broken="tenant claims that are no strings are accepted",
)
async def tenant_of_another_type_is_refused(target: Target, caller: Caller) -> None:
    """Wraps the right tenant in lists and objects, and sends a number and true."""
    await _refused(caller, of_other_types(caller.tenant))


@check(
    "tenant-look-alikes",
    "A tenant that only resembles the configured one is refused",
    severity=Severity.CRITICAL,
    catalogue=("TEN-05", "TEN-06", "TEN-07", "TEN-08", "TEN-09"),
    source="CWE-178, CWE-179, CWE-183, CWE-1007",
    remedy="Compare code point by code point: no case folding, trimming, prefixes or patterns.",
    why="Whoever can choose a tenant name that is folded into yours gets your data.",
    needs=Vantage.MINT,
    # Whoever searches for the tenant in the claim finds it in lists and in longer texts alike.
    explained_by=("tenant-wrong", "tenant-types"),
    broken="tenants that merely resemble the configured one are served",
)
async def look_alikes_are_refused(target: Target, caller: Caller) -> None:
    """Changes case, blanks, letters, length and pattern characters of the right tenant."""
    await _refused(caller, look_alikes(caller.tenant))


def look_alikes(own: str) -> list[str]:
    """Return texts that some comparison takes for the tenant `own`."""
    full_width = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in own)
    blanks = [f" {own}", f"{own} ", f"{own}\t", f"{own}\n", f"{own}\r", f"{own}\u00a0"]
    invisible = [
        f"{own}\u200b",
        f"\ufeff{own}",
        f"{own[:1]}\u00ad{own[1:]}",
        f"{own}\0",
        f"{own}\0x",
    ]
    affixes = [own[:-1], f"{own}-evil", f"evil-{own}", f"{own},other", f"{own} other", f"{own};"]
    patterns = ["*", f"{own[:1]}*", ".*", f"{own}|other", "%", "_"]
    confusable = [full_width, own.replace("e", "\u0435"), own.replace("a", "\u0430")]
    others = [own.upper(), own.title(), *blanks, *invisible, *affixes, *patterns, *confusable]
    return [tenant for tenant in others if tenant != own]


@check(
    "tenant-not-disclosed",
    "The refusal does not say which tenant was expected",
    severity=Severity.MEDIUM,
    catalogue="TEN-21",
    source="CWE-209",
    remedy="Say that the tenant does not match, and nothing else; the names belong in the log.",
    why="The name of a tenant is half of what an attacker needs to imitate one.",
    needs=Vantage.MINT,
    explained_by=("tenant-wrong",),
    broken="the refusal names the configured tenant",
)
async def refusal_names_no_tenant(target: Target, caller: Caller) -> None:
    """Reads body and headers of the refusal for the configured tenant."""
    await caller.control()
    token = target.deployment.tokens.foreign(caller.sub, "somebody-else")
    reply = await caller.call("list_notes", token=token)
    require_forbidden(reply, "another tenant's token")
    told = reply.text + str(list(reply.headers.values()))
    require(caller.tenant not in told, "a refusal without the configured tenant", reply.brief)


@check(
    "tenant-header-powerless",
    "X-TB-Tenant-ID of the caller does not get a foreign token in",
    severity=Severity.CRITICAL,
    catalogue="TEN-12",
    source="CWE-639",
    remedy="Take the tenant from the verified claim and the configuration alone.",
    why="A header is written by the caller.",
    needs=Vantage.TOKENS,
    explained_by=("tenant-wrong",),
    broken="the caller can choose the tenant by a header or the URL",
)
async def header_does_not_choose_the_tenant(target: Target, caller: Caller) -> None:
    """Sends a foreign tenant's token with headers and a query that name the right tenant."""
    await caller.control()
    token = target.deployment.tokens.foreign(caller.sub, "somebody-else")
    if token is None:
        raise NotApplicable("no token of a foreign tenant was given")
    for name in ("X-TB-Tenant-ID", "X-Tenant-ID", "X-Forwarded-Host"):
        reply = await caller.call("list_notes", token=token, headers=((name, caller.tenant),))
        require_forbidden(reply, f"a foreign token with {name}")
    call = replace(caller.request("list_notes"), token=token)
    url = f"{target.mcp_url}?tenant={caller.tenant}&tenant_id={caller.tenant}"
    reply = await target.http("POST", url, call.header_list(), call.body())
    require_forbidden(reply, "a foreign token with the tenant in the query")
