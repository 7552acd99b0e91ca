"""Two tenants, each with a proxy of its own, before one Go API."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.refusals import nothing_reached_upstream, require_forbidden
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import require, require_equal

_SECOND = "verify-second-tenant"
# Three processes start, each with half a minute of patience.
_STARTS_SECONDS = 90.0


@contextlib.asynccontextmanager
async def _second(target: Target) -> AsyncIterator[Target]:
    async with target.restarted({"TOOLBRIDGE_TENANT_ID": _SECOND}) as other:
        yield other


@check(
    "tenant-replayed",
    "A token of one tenant works at that tenant's proxy, and at no other one's",
    severity=Severity.CRITICAL,
    catalogue="TEN-23",
    source="RFC 8725 §2.7; MCP security best practices (token passthrough)",
    remedy="Compare tenant_id with the TOOLBRIDGE_TENANT_ID that this proxy was started with.",
    why="All proxies share the signing key: the tenant alone says which of them a token is for.",
    needs={Vantage.MINT, Vantage.UPSTREAM, Vantage.RESTART},
    explained_by=("control-token", "tenant-wrong"),
    broken="a token is accepted at the proxy of another tenant, or refused at its own",
)
async def tokens_stay_with_their_tenant(target: Target, caller: Caller) -> None:
    """Starts a second tenant's proxy, and sends each tenant's token to both proxies."""
    async with _second(target) as other:
        theirs = other.caller()
        for owner, stranger in ((caller, other), (theirs, target)):
            await owner.ok("list_notes", {"limit": 1})
            seen = await owner.mark()
            reply = await stranger.send(owner.request("list_notes", {"limit": 1}))
            require_forbidden(reply, f"a token of {owner.tenant} at the other tenant's proxy")
            await nothing_reached_upstream(owner, seen)
            await owner.ok("list_notes", {"limit": 1})


@check(
    "tenant-same-user",
    "What a user writes in one tenant is not sent under the other",
    severity=Severity.HIGH,
    catalogue="TEN-20",
    source="OWASP API1:2023; check catalogue TEN-20",
    remedy="Sign with the TOOLBRIDGE_TENANT_ID that this proxy was started with.",
    why="A Go API that separates tenants can do so only by the header that the proxy signs.",
    needs={Vantage.MINT, Vantage.UPSTREAM, Vantage.RESTART},
    profile=Profile.FULL,
    seconds=_STARTS_SECONDS,
    explained_by=("control-token", "tenant-replayed", "signing-every-request"),
    broken="a user of two tenants finds the notes of one in the other",
)
async def tenants_of_one_user_stay_apart(target: Target, caller: Caller) -> None:
    """Writes as one user in two tenants before a Go API that separates them, and lists both."""
    async with contextlib.AsyncExitStack() as started:
        mock = await started.enter_async_context(target.another_mock(tenant_scoped=True))
        views = [
            await started.enter_async_context(target.restarted(settings, mock))
            for settings in ({}, {"TOOLBRIDGE_TENANT_ID": _SECOND})
        ]
        users = [_same(view, caller.sub) for view in views]
        made = [
            await user.ok("create_note", {"title": user.text(), "content": user.tenant})
            for user in users
        ]
        for user, note, foreign in zip(users, made, reversed(made), strict=True):
            page = await user.ok("list_notes", {"limit": 100})
            uids = [item["uid"] for item in page["items"]]
            require_equal([note["uid"]], uids, f"notes of the user in {user.tenant}:")
            reply = await user.call("get_note", {"uid": foreign["uid"]})
            require(reply.code == "not_found", "not_found for the other tenant's", reply.brief)


def _same(view: Target, sub: str) -> Caller:
    """Return a caller of this view's tenant who is the same user as elsewhere."""
    user = view.caller()
    identity = view.deployment.tokens.identity(sub)
    return replace(user, sub=sub, token=identity[1] if identity else None)
