"""Signatures do not age while a request waits for its turn."""

import asyncio
import time
from dataclasses import replace

import httpx

from toolbridge_contract.signing import TIMESTAMP_HEADER
from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import NotApplicable, Untestable, require
from toolbridge_harness.wire import Call, Reply

# More than any pool should have: a small machine cannot work on so many requests at once.
CALLS = 260
# How long those in front are held; a signature made in the queue is as old when it is sent.
HELD_SECONDS = 6.0
# Between the 2 s of the catalogue's row and the age of a signature that waited.
FRESH_SECONDS = 3.0
# What the proxy and the harness give each call: the wait, and time for a busy machine.
DEADLINE_SECONDS = 30.0


@check(
    "signing-queue",
    "A request that waited for its turn is signed when it is sent",
    severity=Severity.MEDIUM,
    catalogue="SIG-05",
    source="ToolBridge Go API: 300 s window; check catalogue SIG-05",
    remedy="Make the tenant headers after the request has its place in the pool.",
    why="When the Go API is slow, requests queue, and old signatures then fail at random.",
    needs={Vantage.TOKENS, Vantage.MINT, Vantage.UPSTREAM, Vantage.RESTART},
    profile=Profile.FULL,
    alone=True,
    explained_by=("signing-when-sent", "signing-fresh", "signing-every-request", "control-token"),
    broken="signatures are made before a request waits for its turn, and age meanwhile",
    seconds=90,
)
async def queued_requests_are_fresh(target: Target, caller: Caller) -> None:
    """Holds as many requests as the proxy sends at once, and reads those that come after."""
    settings = {"TOOLBRIDGE_UPSTREAM_TIMEOUT_SECONDS": f"{DEADLINE_SECONDS:g}"}
    limits = httpx.Limits(max_connections=CALLS + 10)
    async with httpx.AsyncClient(trust_env=False, limits=limits) as http:
        wide = replace(target, deployment=replace(target.deployment, http=http))
        async with wide.restarted(settings) as other:
            waiting = other.caller()
            await waiting.control()
            await waiting.inject(kind="hang", path="/v1/notes.*", times=None)
            call = await waiting.prepared(waiting.request("list_notes", {"limit": 1}))
            calls = [asyncio.create_task(_patient(other, call)) for _ in range(CALLS)]
            await asyncio.sleep(HELD_SECONDS)
            released = time.time() * 1000
            await other.mock.clear_faults(waiting.sub)
            answers = await asyncio.gather(*calls)
            arrived = [r for r in await waiting.entity_requests() if r.received_ms > released]
    if not any(reply.ok for reply in answers):
        raise Untestable(f"no call succeeded after the wait: {answers[0].brief}")
    if not arrived:
        raise NotApplicable(f"the proxy sends {CALLS} requests at once: none had to wait")
    ages = [(r.received_ms - int(r.header(TIMESTAMP_HEADER) or 0)) / 1000 for r in arrived]
    require(max(ages) <= FRESH_SECONDS, "signatures of the moment", f"{max(ages):.1f} s old")


async def _patient(other: Target, call: Call) -> Reply:
    return await other.http(
        "POST", other.mcp_url, call.header_list(), call.body(), seconds=DEADLINE_SECONDS
    )
