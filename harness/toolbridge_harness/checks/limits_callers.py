"""Many calls one after another, whoever the client says it is, and from wherever it says."""

import asyncio
from dataclasses import replace

from toolbridge_harness.forge import altered, signed
from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.refusals import require_invalid_token
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import NotApplicable, require
from toolbridge_harness.wire import Call, Reply, tool_call

# Real clients, and what a health checker and a browser call themselves.
USER_AGENTS = (
    "claude-ai/0.1.0",
    "python-httpx/0.28.1",
    "node",
    "mcp-inspector/0.17.2",
    "curl/8.5.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36",
    "Consul Health Check",
    "",
)
_ROUNDS = 6


@check(
    "limits-many-calls",
    "The hundredth call is judged as the first was, whatever the client calls itself",
    severity=Severity.MEDIUM,
    catalogue=("LIM-08", "AUTH-63"),
    source="CWE-807; check catalogue LIM-08",
    remedy="Decide nothing by the User-Agent, and nothing by how many calls there were before.",
    why="A proxy that behaves for its first calls, or for its tests, behaves for nobody else.",
    needs=Vantage.TOKENS,
    profile=Profile.FULL,
    explained_by=("control-token", "auth-wrong-secret"),
    broken="the proxy treats calls differently by their number or their User-Agent",
    seconds=60,
)
async def later_calls_are_judged_alike(target: Target, caller: Caller) -> None:
    """Makes 48 good calls under eight User-Agents, each beside one with a forged token."""
    note = await caller.given("create_note", {"title": caller.text(), "content": caller.marker})
    forged = signed(altered(caller.token), f"{target.random.getrandbits(256):064x}")
    agents = [*USER_AGENTS] * _ROUNDS
    target.random.shuffle(agents)
    for number, agent in enumerate(agents):
        call = await caller.prepared(caller.request("get_note", {"uid": note["uid"]}))
        identity = f"{target.random.getrandbits(64):016x}"
        good, bad = await asyncio.gather(
            _send_as(target, agent, replace(call, id=identity)),
            _send_as(target, agent, replace(call, token=forged)),
        )
        where = f"call {number + 1} as {agent[:20]!r}"
        require(good.ok and good.data["uid"] == note["uid"], f"the note in {where}", good.brief)
        require_invalid_token(bad, f"a forged token in {where}")


async def _send_as(target: Target, agent: str, call: Call) -> Reply:
    headers = [pair for pair in call.header_list() if pair[0] != "User-Agent"]
    headers.append(("User-Agent", agent))
    return await target.http("POST", target.mcp_url, headers, call.body())


def _limited(reply: Reply) -> bool:
    return reply.status == 429 or reply.code == "rate_limited"


# Above any limit that one agent's bursts would not meet in daily work.
_FLOOD = 160


@check(
    "limits-address",
    "No address that a client claims to have decides who is limited",
    severity=Severity.MEDIUM,
    catalogue="LIM-11",
    source="OWASP API4:2023; CWE-348; Fly.io request headers",
    remedy="Limit by the verified subject; of forwarding headers trust only what the edge sets.",
    why="Whoever may choose the key of a limiter is never limited, and can block others.",
    needs=Vantage.TOKENS,
    profile=Profile.FULL,
    explained_by=("control-token",),
    broken="the rate limiter believes an address that the client sends",
    seconds=60,
)
async def claimed_addresses_do_not_count(target: Target, caller: Caller) -> None:
    """Floods health_check from one claimed address, then calls as its owner, and from another."""
    if target.deployment.pace is not None:
        raise NotApplicable("a flood is too much for a live deployment's pace")
    other = target.caller(unlike=caller)
    await other.control()
    numbers = [target.random.randrange(1, 255) for _ in range(3)]
    victim, elsewhere = (f"203.0.113.{numbers[0]}", f"198.51.100.{numbers[1]}")

    async def as_if(address: str, user: Caller) -> Reply:
        names = ("Fly-Client-IP", "X-Forwarded-For", "X-Real-IP", "True-Client-IP")
        headers = tuple((name, address) for name in names)
        return await user.send(tool_call("health_check", token=user.token, headers=headers))

    flood: list[Reply] = []
    while len(flood) < _FLOOD and not any(map(_limited, flood)):
        flood += await asyncio.gather(*(as_if(victim, caller) for _ in range(20)))
    beside = await as_if(victim, other)
    require(not _limited(beside), "another user from the same address to be served", beside.brief)
    if any(map(_limited, flood)):
        moved = await as_if(elsewhere, caller)
        require(_limited(moved), "the limit to stay, whatever address is claimed", moved.brief)
