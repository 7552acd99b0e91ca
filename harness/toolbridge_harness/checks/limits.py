"""How much one caller can ask for: big bodies, expensive bodies, too many calls."""

import asyncio
import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import replace

from toolbridge_harness.model import Ask, Profile, Severity, Vantage
from toolbridge_harness.raw import exchange, request
from toolbridge_harness.registry import check
from toolbridge_harness.target import REQUEST_SECONDS, Caller, Target
from toolbridge_harness.verdicts import NoAnswer, Untestable, Violation, require
from toolbridge_harness.wire import Call, Reply, tool_call

MIB = 2**20
DECLARED_BYTES = 50 * MIB
# Above the usual limits (2 to 4 MiB), and a tenth of what was declared.
SENT_BYTES = 5 * MIB
_PART = b"a" * (64 * 1024)
# Under the limit of the strictest usual servers (2 MiB), so that the body is parsed, not refused.
BOMB_BYTES = MIB
BOMB_SECONDS = 1.0


@check(
    "limits-body-size",
    "A body that is too big is refused before all of it has arrived",
    severity=Severity.HIGH,
    catalogue="LIM-01",
    source="OWASP API4:2023; RFC 9110 §15.5.14",
    remedy="Count while you read; answer 413 at the limit, whatever the headers declare.",
    why="Whoever may fill the memory can stop the server, without a token too.",
    needs=Vantage.TOKENS,
    asks=Ask.HEAVY,
    explained_by=("control-token",),
    broken="bodies of any size are read",
)
async def big_bodies_are_refused(target: Target, caller: Caller) -> None:
    """Sends 5 MiB of a body declared as 50 MiB and of an endless one, with and without a token."""
    await caller.control()
    good = await caller.prepared(caller.request("list_notes", {"limit": 1}))
    declared = f"Content-Length: {DECLARED_BYTES}\r\n".encode()
    chunked = b"Transfer-Encoding: chunked\r\n"
    chunk = b"%x\r\n%b\r\n" % (len(_PART), _PART)
    kinds = {"50 MiB declared": (declared, _PART), "an endless body": (chunked, chunk)}
    cases = list(itertools.product(kinds.items(), (good.token, None)))
    sent = [(request(target, replace(good, token=t), f), part) for (_, (f, part)), t in cases]
    # Time for 20 MiB over a slow line; where the limit holds, a fraction of it is used.
    answers = await asyncio.gather(
        *(exchange(target, _body(*parts), seconds=REQUEST_SECONDS) for parts in sent)
    )
    for ((what, _), token), answer in zip(cases, answers, strict=True):
        allowed = {413} if token else {401, 413}
        # A connection that ends while more is on its way says the same, less politely.
        cut = not answer.data and answer.closed and answer.unsent
        refused = cut or (answer.statuses[:1] and answer.statuses[0] in allowed)
        whose = "with" if token else "without"
        require(refused, f"HTTP 413 for {what} {whose} a token", answer.brief)
    await caller.control()


def _body(head: bytes, part: bytes) -> Iterator[bytes]:
    yield head
    yield from itertools.repeat(part, SENT_BYTES // len(_PART))


def _bombs() -> dict[str, tuple[bytes, bool]]:
    """Return JSON values that cost time to read, and whether each is good JSON."""
    keys = b",".join(b'"%x":0' % n for n in range(BOMB_BYTES // 9))
    return {
        "open brackets": (b"[" * BOMB_BYTES, False),
        "open objects": (b'{"a":' * (BOMB_BYTES // 5), False),
        "nested arrays": (b"[" * (BOMB_BYTES // 2) + b"]" * (BOMB_BYTES // 2), True),
        "keys": (b"{" + keys + b"}", True),
        "digits": (b"9" * BOMB_BYTES, True),
        "escaped characters": (b'"' + rb"\u0000" * (BOMB_BYTES // 6) + b'"', True),
        "4 MiB of open brackets": (b"[" * (4 * MIB), False),
    }


@check(
    "limits-json-bombs",
    "No body of a megabyte keeps the server busy for a second",
    severity=Severity.HIGH,
    catalogue="LIM-02",
    source="OWASP API4:2023; CWE-407",
    remedy="Limit depth and size before parsing; avoid work that grows with the square.",
    why="While one body is parsed nobody else is served, and this needs no token.",
    asks=Ask.HEAVY,
    broken="one expensive body keeps everybody waiting",
)
async def bombs_are_cheap(target: Target, caller: Caller) -> None:
    """Times health_check with each bomb as its argument, beside as much plain text."""
    good = await caller.prepared(tool_call("health_check"))
    plain = await _with_argument(target, good, b'"%b"' % (b"a" * BOMB_BYTES))
    if plain.status >= 500:
        raise Untestable(f"the control, a megabyte of plain text, failed: {plain.brief}")
    # Four times as much at most, on a machine that is as busy as it was for the control.
    allowed = max(BOMB_SECONDS, 8 * plain.seconds)
    for what, (bomb, valid) in _bombs().items():
        started = time.monotonic()
        try:
            reply = await _with_argument(target, good, bomb)
        except NoAnswer:
            # Beyond a limit, a connection that ends at once says 413 less politely.
            if len(bomb) <= BOMB_BYTES or time.monotonic() - started > allowed:
                raise
            continue
        require(reply.status < 500, f"HTTP 4xx for {what}", reply.brief)
        require(valid or reply.status >= 400, f"HTTP 4xx for {what}", reply.brief)
        if reply.seconds > allowed:
            plain = await _with_argument(target, good, b'"%b"' % (b"a" * BOMB_BYTES))
            again = await _with_argument(target, good, bomb)
            took = min(reply.seconds, again.seconds)
            allowed = max(allowed, 8 * plain.seconds)
            require(took <= allowed, f"{what} within {allowed:.1f} s", f"{took:.1f} s")
    after = await target.send(good)
    require(after.ok, "a good call afterwards to succeed", after.brief)


async def _with_argument(target: Target, good: Call, value: bytes) -> Reply:
    mark = json.dumps(target.check)
    call = replace(good, params=good.params | {"arguments": {"x": target.check}})
    body = call.body().replace(mark.encode(), value)
    return await target.http("POST", target.mcp_url, call.header_list(), body)


# What the Go API lets one user do at once, and then each second.
BURST, PER_SECOND = 120, 10
# Twice the burst, so that there is something to refuse even where a call takes its time.
CALLS = 2 * BURST


@check(
    "limits-rate-passed-on",
    "The Go API's rate limit reaches the user who exceeds it, and nobody else",
    severity=Severity.HIGH,
    catalogue="LIM-03",
    source="ToolBridge Go API, ratelimit.go; OWASP API4:2023",
    remedy="Map 429 to rate_limited with retry_after; never wait, and never share a user.",
    why="An agent that is told can slow down; hidden waiting makes it time out.",
    needs=(Vantage.MINT, Vantage.UPSTREAM),
    profile=Profile.FULL,
    alone=True,
    explained_by=("control-token",),
    broken="the rate limit is hidden, or hits the wrong user",
)
async def rate_limit_is_passed_on(target: Target, caller: Caller) -> None:
    """Makes 240 calls at once as one user, and one as another meanwhile."""
    other = target.caller(unlike=caller)
    await asyncio.gather(caller.control(), other.control())
    started = time.monotonic()
    calls = (caller.call("list_notes", {"limit": 1}) for _ in range(CALLS))
    *replies, beside = await asyncio.gather(*calls, other.call("list_notes", {"limit": 1}))
    refilled = PER_SECOND * (time.monotonic() - started + 1)
    refused = [reply for reply in replies if not reply.ok]
    codes = {reply.code for reply in refused}
    require(codes <= {"rate_limited"}, "refusals by the code rate_limited alone", codes)
    most = CALLS - BURST + 1  # one for the control
    least = most - 1 - refilled
    require(least <= len(refused) <= most, f"{least:.0f} to {most} refusals", len(refused))
    told = [reply.tool_error.get("retry_after") for reply in refused]
    if not all(isinstance(seconds, int | float) and seconds > 0 for seconds in told):
        raise Violation("retry_after in every refusal", str(told[:3]))
    require(beside.ok, "another user not to be limited", beside.brief)
