"""MCP session ids that a stateful server mints."""

import math
from dataclasses import replace

from toolbridge_harness.model import Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import NotApplicable, Untestable, require, require_equal
from toolbridge_harness.wire import initialize

# A hundred show all 16 hex digits in all but one place of forty.
_SAMPLES = 100
# A random UUID (version 4) has 122 random bits: what libraries mint, and out of reach to guess.
_BITS = 122
# Digits that the samples happened not to show: 5 % of a bit in each place of a UUID.
_MEASURED_BITS = _BITS * 0.95


@check(
    "sessions-id-entropy",
    "MCP session ids are unique, random, and made of visible characters",
    severity=Severity.HIGH,
    catalogue="SES-25",
    source="MCP 2025-11-25 transports, session management; security best practices",
    remedy="Mint ids with a cryptographic generator: secrets.token_urlsafe(32), or a UUIDv4.",
    why="Whoever can guess the next id can end or read another user's session.",
    needs=Vantage.TOKENS,
    explained_by=("control-token",),
    broken="MCP session ids can be guessed",
    seconds=60,
)
async def session_ids_are_random(target: Target, caller: Caller) -> None:
    """Opens a hundred sessions, and counts how many characters each place takes."""
    if not target.deployment.stateful:
        raise NotApplicable("the target mints no MCP session ids")
    ids = []
    for _ in range(_SAMPLES):
        reply = await target.send(replace(initialize(), token=caller.token))
        minted = reply.headers.get("mcp-session-id")
        if minted is None:
            raise Untestable(f"an initialize without a session id: {reply.brief}")
        ids.append(minted)
        ended = [("Mcp-Session-Id", minted), ("Authorization", f"Bearer {caller.token}")]
        await target.http("DELETE", target.mcp_url, ended)
    odd = [i for i in ids if not all(0x21 <= ord(character) <= 0x7E for character in i)]
    require_equal([], odd[:1], "ids with other characters than 0x21 to 0x7E:")
    require_equal(len(ids), len(set(ids)), "different ids:")
    require(ids != sorted(ids), "ids in no order", "each is larger than the one before")
    places = zip(*(i.ljust(max(map(len, ids))) for i in ids), strict=True)
    bits = sum(math.log2(len(set(characters))) for characters in places)
    require(bits >= _MEASURED_BITS, f"{_BITS} bits that vary", f"{bits:.0f} at most")
