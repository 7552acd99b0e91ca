"""Probes P5 and P6: is the application there, and does it speak MCP."""

from statistics import median

from toolbridge_harness.doctor.answers import Asker
from toolbridge_harness.doctor.model import Probe
from toolbridge_harness.wire import Call, initialize

# Enough to see one machine of two that is sick, with one chance in sixteen to miss it.
HEALTH_CALLS = 5
# A stopped machine takes seconds to wake; a machine that runs answers in milliseconds.
COLD_MS, COLD_FACTOR = 1000.0, 5.0


def health(asker: Asker) -> tuple[Probe, Probe]:
    """P5: health_check, five times, without a token; and whether the first was a cold start."""
    answers = [asker.tool("health_check") for _ in range(HEALTH_CALLS)]
    statuses = [answer.status for answer in answers]
    times = ", ".join(f"{answer.ms:.0f}" for answer in answers)
    # A 4xx comes from something that is there: the handshake tells what it minds.
    ok = all(status is not None and status < 500 for status in statuses)
    worst = next((a for a in answers if a.status is None or a.status >= 500), answers[0])
    seen = {"statuses": statuses}
    made = Probe(
        "health", "P5", f"health_check, {HEALTH_CALLS} times", worst.brief, "HTTP 200", ok, seen
    )
    rest = median(answer.ms for answer in answers[1:])
    quick = answers[0].ms < max(COLD_MS, COLD_FACTOR * rest)
    steady = Probe("steady", "P5", "the same, timed", f"{times} ms", "no slow first call", quick)
    return made, steady


def handshake(asker: Asker) -> Probe:
    """P6: initialize, with the headers that the specification asks for."""
    answer = asker.send(initialize())
    reply = answer.reply
    if reply is None:
        return Probe("initialize", "P6", "initialize", answer.brief, "a JSON-RPC result", False)
    asker.session = reply.headers.get("mcp-session-id")
    if asker.session is not None:
        asker.send(Call("notifications/initialized", session=asker.session))
    ok = reply.status == 200 and bool(reply.result)
    got = f"HTTP 200, {reply.result.get('serverInfo')}" if ok else answer.brief
    if reply.status == 404 and asker.old_transport():
        got += "; /sse answers: the old transport"
    seen = {
        "status": reply.status,
        "rpc": reply.rpc_error.get("code"),
        "challenge": reply.headers.get("www-authenticate"),
        "code": reply.code,
    }
    return Probe("initialize", "P6", "initialize", got, "a JSON-RPC result", ok, seen)
