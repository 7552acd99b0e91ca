"""What the proxy's settings say about tokens: each row starts the proxy with its own."""

from dataclasses import replace

from toolbridge_harness.model import Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import require, require_equal


@check(
    "auth-shared-token",
    "A token in the proxy's own environment serves nobody who sends none",
    severity=Severity.CRITICAL,
    catalogue="AUTH-61",
    source="MCP security best practices (confused deputy); check catalogue AUTH-61",
    remedy="Take the token from the request alone; read no TOOLBRIDGE_JWT_TOKEN.",
    why="Whoever reaches the proxy would act as the owner of that token.",
    needs={Vantage.MINT, Vantage.RESTART},
    explained_by=("auth-no-token", "control-token"),
    broken="callers without a token act under a token from the proxy's environment",
)
async def shared_token_is_powerless(target: Target, caller: Caller) -> None:
    """Starts the proxy with TOOLBRIDGE_JWT_TOKEN, and calls with a token and without."""
    owner = target.caller(unlike=caller)
    async with target.attempted({"TOOLBRIDGE_JWT_TOKEN": owner.token}) as attempt:
        if not await attempt.comes_up():
            return
        restarted = replace(target, deployment=attempt.deployment)
        own = restarted.caller()
        await own.control()
        reply = await own.call("list_notes", {"limit": 1}, token=None)
        require(reply.status == 401, "HTTP 401 without a token of one's own", reply.brief)
        require_equal([], await owner.upstream(), "requests under the shared token:")
