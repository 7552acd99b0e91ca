"""A declaration is checked too: what is said to be missing must not be there untested."""

from dataclasses import replace

from toolbridge_harness.issuer import key_set
from toolbridge_harness.model import Capability, Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import NotApplicable, Unreachable, Violation, require


@check(
    "control-lacks",
    "What the target is declared to lack is not there",
    severity=Severity.CRITICAL,
    catalogue="AUTH-00",
    source="check catalogue AUTH-00: what was not tested must not look tested",
    remedy="Take it out of --lacks (or `lacks` of the environment), so that it is tested.",
    why="Whoever declares too much switches off the checks of what is in use.",
    needs={Vantage.TOKENS, Vantage.UPSTREAM, Vantage.RESTART},
    explained_by=("control-token",),
    broken="the target has what it is declared to lack, and nothing tested it",
)
async def declared_lacks_are_true(target: Target, caller: Caller) -> None:
    """Looks for a cached session, for metrics, and for a key set that is fetched or trusted."""
    lacks = target.deployment.lacks
    if not lacks:
        raise NotApplicable("nothing is declared to be lacking")
    await caller.control()
    if Capability.SESSION_CACHE in lacks:
        seen = await caller.mark()
        await caller.control()
        made = [r for r in await caller.upstream(seen) if r.target == "/v1/sync/sessions"]
        require(made, "a sync session for each call", "the second call made none")
    if Capability.METRICS in lacks:
        await _no_metrics(target)
    if Capability.KEY_SETS in lacks:
        await _no_key_set(target)


async def _no_metrics(target: Target) -> None:
    url = f"http://127.0.0.1:{target.stack.metrics_port}/metrics"
    try:
        reply = await target.http("GET", url)
    except Unreachable:
        return
    raise Violation("nothing at TOOLBRIDGE_METRICS_PORT", reply.brief)


async def _no_key_set(target: Target) -> None:
    """Start with a key set's address: no start is right, and so is one that leaves it alone."""
    async with key_set(target) as issuer:
        async with target.attempted(issuer.settings) as attempt:
            if await attempt.comes_up():
                started = replace(target, deployment=attempt.deployment)
                reply = await issuer.seen(started).caller().call("list_notes", {"limit": 1})
                require(not reply.ok, "a token by the issuer's key to be refused", reply.brief)
        fetched = len(issuer.server.fetches)
        require(not fetched, "no fetch of TOOLBRIDGE_JWT_JWKS_URL", fetched)
