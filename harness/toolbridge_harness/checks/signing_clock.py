"""Signatures and time: a Go API whose clock is off, and requests that are sent again."""

import itertools

from toolbridge_contract import signing
from toolbridge_contract.control import RecordedRequest
from toolbridge_contract.tokens import mint
from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import NotApplicable, Untestable, require, require_equal

NEEDS = {Vantage.TOKENS, Vantage.UPSTREAM}
_CONTROL = ("control-token", "signing-every-request", "signing-recomputed", "signing-unit")
_NOTES = "/v1/notes.*"
# Seconds that the Go API's clock is ahead; it tolerates 300 either way.
OFFSETS = (0, 250, -250, 299, -299, 301, -301, 3600, -3600)
# So long that the token is still good for a Go API whose clock is an hour ahead.
_TOKEN_SECONDS = 3 * 3600
# Longer than a request takes on a busy machine, and below any deadline.
_SESSION_SECONDS = 0.6


def _long_lived(target: Target) -> Caller:
    """Return a caller whose token is good for longer than any clock here is ahead."""
    user, key = target.caller(), target.deployment.tokens.secrets[0]
    user.token = mint(user.sub, user.tenant, key, lifetime=_TOKEN_SECONDS)
    return user


@check(
    "signing-clock",
    "A clock that is off by less than 300 s does no harm; beyond, the error says what is wrong",
    severity=Severity.HIGH,
    catalogue="SIG-10",
    source="ToolBridge Go API: 300 s window; check catalogue SIG-10",
    remedy="Sign with the time of now; answer tenant_headers_rejected, name the clocks, and stop.",
    why="Clocks drift, most of all after a machine was suspended, and then nothing works at all.",
    needs={*NEEDS, Vantage.MINT},
    alone=True,
    explained_by=(*_CONTROL, "signing-fresh", "errors-tenant-rejection"),
    broken="a clock that is off is not tolerated as the Go API does, or not reported as such",
)
async def skew_is_tolerated_or_told(target: Target, caller: Caller) -> None:
    """Shifts the Go API's clock nine times, and calls with and without a session from before."""
    try:
        for offset in OFFSETS:
            new, known = _long_lived(target), _long_lived(target)
            await known.control()
            seen = await known.mark()
            await target.mock.set_clock_offset(offset)
            replies = [await user.call("list_notes", {"limit": 1}) for user in (new, known)]
            await target.mock.set_clock_offset(0)
            sent = [len(await new.upstream()), len(await known.upstream(seen))]
            where = f"with the Go API's clock {offset:+d} s off"
            for reply, count in zip(replies, sent, strict=True):
                # Within the window, 2 requests are a session's and the call's own.
                require(count <= 2 or abs(offset) < 300, f"at most 2 requests {where}", count)
                if abs(offset) < 300:
                    require(reply.ok, f"the call to succeed {where}", reply.brief)
                    continue
                require_equal(200, reply.status, f"HTTP status {where}:")
                require_equal("tenant_headers_rejected", reply.code, f"code {where}:")
                require("clock" in reply.tool_text.lower(), "a text that names clocks", reply.brief)
            after = await new.call("list_notes", {"limit": 1})
            require(after.ok, f"a call to succeed after one {where}", after.brief)
    finally:
        await target.mock.set_clock_offset(0)


def _stamp(recorded: RecordedRequest) -> int:
    text = recorded.header(signing.TIMESTAMP_HEADER) or ""
    require(text.isascii() and text.isdigit(), "a timestamp in digits", repr(text))
    return int(text)


@check(
    "signing-when-sent",
    "A request is signed when it is sent, not when its call came in",
    severity=Severity.MEDIUM,
    catalogue="SIG-05",
    source="RFC 9421 §7.2.2; check catalogue SIG-05",
    remedy="Make the tenant headers last of all, after every wait for a session or a connection.",
    why="What waits before it is sent grows old, and fails when everything is slow anyway.",
    needs=NEEDS,
    explained_by=(*_CONTROL, "signing-fresh", "sessions-own"),
    broken="requests wait between being signed and being sent",
)
async def waiting_does_not_age_signatures(target: Target, caller: Caller) -> None:
    """Delays a new caller's session by 0.6 s and compares its timestamp with the next one's."""
    await target.caller().control()
    await caller.inject(kind="delay", path="/v1/sync/sessions", seconds=_SESSION_SECONDS)
    await caller.call("list_notes", {"limit": 1})
    sent = await caller.upstream()
    if len(sent) < 2 or "/v1/sync/" not in sent[0].target:
        raise Untestable("no session was made before the request")
    # Both by the proxy's own clock. Half of the delay is far from 0 and from the whole.
    later = _stamp(sent[1]) - _stamp(sent[0])
    enough = later > _SESSION_SECONDS * 500
    require(enough, "a timestamp from after the session was made", f"{later} ms after its request")


@check(
    "signing-retry",
    "A request that is sent again is signed again",
    severity=Severity.MEDIUM,
    catalogue="SIG-06",
    source="RFC 9421 §7.2.2; check catalogue SIG-06",
    remedy="Make the tenant headers anew for every attempt.",
    why="A replayed signature is one that an attacker could have kept, and it ages.",
    needs=NEEDS,
    profile=Profile.FULL,
    explained_by=(*_CONTROL, "signing-fresh", "sessions-own"),
    broken="retries are sent with the signature of the first attempt",
)
async def retries_are_signed_anew(target: Target, caller: Caller) -> None:
    """Lets reads meet a lost session, a 503 and a reset, and compares the two attempts."""
    await caller.control()
    pairs = 0
    for fault in ({"status": 428}, {"status": 503}, {"kind": "reset"}):
        seen = await caller.mark()
        await caller.inject(path=_NOTES, **fault)
        await caller.call("list_notes", {"limit": 1})
        await target.mock.clear_faults(caller.sub)
        attempts = await caller.entity_requests(seen)
        for one, two in itertools.pairwise(attempts):
            bad = [text for text in two.violations if "tenant headers" in text]
            require_equal([], bad, f"violations of the attempt after {fault}:")
            # Attempts in the same moment may bear the same time.
            if two.received_ms - one.received_ms < 20:
                continue
            pairs += 1
            later = f"a later timestamp on the attempt after {fault}"
            require(_stamp(two) > _stamp(one), later, f"{_stamp(one)}, then {_stamp(two)}")
    if not pairs:
        raise NotApplicable("the proxy sent nothing again")
