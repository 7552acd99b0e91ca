"""Metrics count: they hold nothing of what was said, by whom, about what."""

from toolbridge_harness import forge
from toolbridge_harness.model import Capability, Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import Unreachable, Untestable, require


@check(
    "hygiene-metrics",
    "Metrics hold no secret, no user, no object and no name that a caller made up",
    severity=Severity.MEDIUM,
    catalogue=("LOG-09", "DEP-06"),
    source="OWASP MCP08; Prometheus: label values are bounded; check catalogue LOG-09",
    remedy="Label by tool, route template, status and error code alone: values of your own tables.",
    why="Metrics are open to whoever operates, and a label that callers choose fills the memory.",
    needs={Vantage.TOKENS, Vantage.UPSTREAM},
    capability=Capability.METRICS,
    explained_by=("control-token", "hygiene-no-secret-in-logs"),
    broken="metrics say who did what, or grow with every name that a caller makes up",
)
async def metrics_hold_numbers(target: Target, caller: Caller) -> None:
    """Reads and writes, uses names that do not exist, is refused, and reads the metrics."""
    note = await caller.control_write()
    await caller.given("get_note", {"uid": note["uid"]})
    bad = forge.signed(forge.altered(caller.token), "k" * 40)
    await caller.call("list_notes", token=bad)
    await caller.call(f"tool-{caller.marker}")
    await target.http("GET", f"{target.origin}/path-{caller.marker}")
    url = f"http://127.0.0.1:{target.stack.metrics_port}/metrics"
    try:
        reply = await target.http("GET", url)
    except Unreachable:
        lacking = "if the proxy has no metrics, declare it with --lacks metrics"
        raise Untestable(f"nothing answers at TOOLBRIDGE_METRICS_PORT: {lacking}") from None
    require(reply.status == 200, f"HTTP 200 from {url}", reply.brief)
    samples = [line for line in reply.text.splitlines() if line and not line.startswith("#")]
    require(samples, f"at least one sample at {url}", reply.brief)
    found = target.deployment.redactor.finds(reply.text)
    require(not found, "no secret in the metrics", f"{', '.join(found)} in them")
    told = {"the user": caller.sub, "a name of the caller's": caller.marker, "a uid": note["uid"]}
    shown = [what for what, value in told.items() if value in reply.text]
    require(not shown, "numbers by tool, route and code in the metrics", f"{', '.join(shown)}")
