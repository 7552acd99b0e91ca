"""Before the test: does the target answer at all, and how long does the first answer take?

A machine that was stopped takes seconds to answer: at a constant rate that alone would be more
than 5 % slow requests, so it is waited for here and reported apart.
"""

import time
from dataclasses import dataclass

import gevent  # type: ignore[import-untyped]
from locust.contrib.fasthttp import FastHttpSession
from locust.event import EventHook

from toolbridge_contract.tools import NOTE
from toolbridge_loadtests.answers import AnswerError
from toolbridge_loadtests.callers import Caller
from toolbridge_loadtests.mcp_client import SESSION_OPTIONS, McpClient

# A stopped Fly machine needs seconds; whoever takes longer than this is not starting.
PATIENCE_SECONDS = 60.0
# Nothing listens, or no such host: three tries bridge a restart in progress, no more.
REFUSALS = 3
PAUSE_SECONDS = 0.5

# Kinds of failure that time alone may mend.
_STARTING = ("HTTP 5", "no answer within", "connection reset", "tool error upstream")


@dataclass(frozen=True)
class Preflight:
    """What the preflight found: a reason not to measure, or the time of the first answer."""

    unreachable: str = ""
    first_answer_ms: float | None = None


def run(url: str, caller: Caller, patience: float = PATIENCE_SECONDS) -> Preflight:
    """Try one whole tool call until it works; give up at once when waiting cannot help."""
    began = time.perf_counter()
    # A hook of its own: nothing of this appears in Locust's statistics.
    hook = EventHook()  # type: ignore[no-untyped-call]
    http = FastHttpSession(None, hook, None, **SESSION_OPTIONS)
    attempts = 0
    while True:
        attempts += 1
        client = McpClient(http, url, caller)
        sent = time.perf_counter()
        try:
            client.open("")
            client.call(NOTE.tool("list"), {"limit": 1}, lambda _: "")
        except AnswerError as refused:
            starting = refused.kind.startswith(_STARTING)
            waited = time.perf_counter() - began
            if waited > patience or (not starting and attempts >= _tries(refused)):
                return Preflight(unreachable=f"{url}: {refused}")
            gevent.sleep(PAUSE_SECONDS)
        else:
            # Counted from the beginning when the target had to start first.
            return Preflight(
                first_answer_ms=1000 * (time.perf_counter() - (sent, began)[attempts > 1])
            )


def _tries(refused: AnswerError) -> int:
    return REFUSALS if refused.kind in {"connection refused", "host name not found"} else 1
