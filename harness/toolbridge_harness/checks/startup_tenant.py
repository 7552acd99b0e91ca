"""The configured tenant: values that must stop the start, and unusual ones that must work."""

from collections.abc import Mapping
from dataclasses import replace

from toolbridge_contract.signing import (
    SIGNATURE_HEADER,
    TENANT_HEADER,
    TIMESTAMP_HEADER,
    signature,
)
from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.restarts import Attempt
from toolbridge_harness.starts import (
    SECONDS,
    TENANT_ID,
    BadStart,
    comes_up,
    require_named,
    require_refused,
    two_at_a_time,
)
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import require, require_equal

_NEEDS = {Vantage.MINT, Vantage.UPSTREAM, Vantage.RESTART}
# A header value and a claim both hold that much; names of tenants are a tenth of it (TEN-16).
_LONGEST = 128


@check(
    "tenant-setting",
    "A tenant id that is missing, empty or cannot go into a header stops the start",
    severity=Severity.CRITICAL,
    catalogue="TEN-16",
    source="OWASP API8:2023; CWE-1188; RFC 9110 §5.5",
    remedy="Require TOOLBRIDGE_TENANT_ID: 1 to 128 printable ASCII characters without blanks.",
    why="Without a tenant to compare with, callers of every tenant are served, or none at all.",
    needs={*_NEEDS, Vantage.LOGS},
    seconds=SECONDS,
    explained_by=("control-token", "hygiene-start-log"),
    broken="the proxy starts without a tenant id that it can compare and sign",
)
async def bad_tenants_stop_the_start(target: Target, caller: Caller) -> None:
    """Starts without a tenant, with an empty one, a blank one, and one of two lines."""
    await caller.control()
    bad: dict[str, str | None] = {"unset": None, "empty": "", "a blank": " "}
    if target.stack.starter.takes_any_text:
        bad["of two lines"] = "t1\r\nX-Evil: 1"
    await _refused(target, bad)


async def _refused(target: Target, bad: Mapping[str, str | None]) -> None:
    starts = [BadStart(f"{TENANT_ID} {w}", {TENANT_ID: v}, TENANT_ID) for w, v in bad.items()]
    await require_refused(target, starts)


@check(
    "tenant-setting-text",
    "A tenant id outside ASCII, or longer than any name of a tenant, stops the start",
    severity=Severity.HIGH,
    catalogue="TEN-16",
    source="RFC 9110 §5.5; check catalogue TEN-16",
    remedy="Require TOOLBRIDGE_TENANT_ID: 1 to 128 printable ASCII characters without blanks.",
    why="The header is refused or read in another encoding, and every call is an error.",
    needs={*_NEEDS, Vantage.LOGS},
    profile=Profile.FULL,
    seconds=SECONDS,
    explained_by=("tenant-setting", "control-token"),
    broken="the proxy starts with a tenant id that does not survive the way in a header",
)
async def unfit_tenants_stop_the_start(target: Target, caller: Caller) -> None:
    """Starts with a tenant that has an umlaut, and with one of 129 characters."""
    await caller.control()
    long = {f"{_LONGEST + 1} characters long": "t" * (_LONGEST + 1)}
    await _refused(target, {"not ASCII": "ten\u00e4nt", **long})


@check(
    "tenant-setting-blanks",
    "Blanks around the tenant id stop the start, or are dropped everywhere",
    severity=Severity.CRITICAL,
    catalogue="TEN-16",
    source="RFC 9110 §5.5; check catalogue TEN-16",
    remedy="Refuse the value, or trim it once, where it is read.",
    why="HTTP trims header values: a signature over the blank fails, and every call is a 401.",
    needs={*_NEEDS, Vantage.LOGS},
    seconds=SECONDS,
    explained_by=("tenant-setting", "control-token"),
    broken="blanks around TOOLBRIDGE_TENANT_ID are kept in one place and dropped in another",
)
async def blanks_around_the_tenant_are_consistent(target: Target, caller: Caller) -> None:
    """Starts with blanks and a line break around the tenant; a start that succeeds must serve."""
    await caller.control()
    values = {"blanks around it": " t1 "}
    if target.stack.starter.takes_any_text:
        values["a line break at its end"] = "t1\n"

    async def one(what: str, value: str) -> None:
        async with target.attempted({TENANT_ID: value}) as attempt:
            if await comes_up(attempt, what):
                await _trimmed_everywhere(target, attempt, what)
            else:
                require_named(attempt, f"a tenant with {what}", TENANT_ID)

    await two_at_a_time(one, values.items())


async def _trimmed_everywhere(target: Target, attempt: Attempt, what: str) -> None:
    trimmed = attempt.deployment.tenant.strip()
    other = replace(target, deployment=attempt.deployment).caller()
    token = other.target.deployment.tokens.foreign(other.sub, trimmed)
    reply = await other.call("list_notes", {"limit": 1}, token=token)
    require(reply.ok, f"a start with {what} to be refused, or to serve the tenant", reply.brief)
    sent = {request.header(TENANT_HEADER) for request in await other.upstream()}
    require_equal({trimmed}, sent, f"{TENANT_HEADER} with {what}:")


@check(
    "tenant-unusual",
    "A tenant id with colons, percent signs, quotes or capitals is sent and signed as it is",
    severity=Severity.MEDIUM,
    catalogue="TEN-17",
    source="CWE-345; check catalogue TEN-17",
    remedy="Put the configured text into header and MAC as it is; encode, split and fold nothing.",
    why="It works for every tenant but one, and that one gets 401 for every call.",
    needs=_NEEDS,
    profile=Profile.FULL,
    seconds=SECONDS,
    explained_by=("control-token", "signing-recomputed"),
    broken="tenant ids with unusual characters are changed before they are sent or signed",
)
async def unusual_tenants_are_sent_as_they_are(target: Target, caller: Caller) -> None:
    """Starts with each kind of tenant and recomputes what arrives for a caller of it."""
    await caller.control()
    tenants = ("a:1732000000123", "50%25/off", 'a,"b"', "Mixed-CASE.Tenant")
    await two_at_a_time(_sent_as_it_is, [(target, tenant) for tenant in tenants])


async def _sent_as_it_is(target: Target, tenant: str) -> None:
    async with target.restarted({TENANT_ID: tenant}) as other:
        user = other.caller()
        reply = await user.call("list_notes", {"limit": 1})
        for request in await user.upstream():
            require_equal(tenant, request.header(TENANT_HEADER), f"{TENANT_HEADER}:")
            stamp = request.header(TIMESTAMP_HEADER) or ""
            expected = signature(tenant, stamp, other.deployment.tenant_secret)
            signed = request.header(SIGNATURE_HEADER) == expected
            require(signed, f"the HMAC of {tenant}:{stamp}", "another value")
        require(reply.ok, f"a call of tenant {tenant} to succeed", reply.brief)
