"""Signing under other settings: odd secrets, weak ones, other time zones, a clock that jumps."""

import asyncio
import time
from dataclasses import replace

from toolbridge_contract.signing import SIGNATURE_HEADER, TENANT_HEADER, TIMESTAMP_HEADER, signature
from toolbridge_harness import forge
from toolbridge_harness.faked_clock import FakedClock, shown_clock
from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.starts import (
    SECONDS,
    TENANT_SECRET,
    BadStart,
    comes_up,
    require_named,
    require_refused,
    two_at_a_time,
)
from toolbridge_harness.target import NOTHING_UPSTREAM, Caller, Target
from toolbridge_harness.verdicts import NotApplicable, Untestable, require
from toolbridge_harness.warned import warnings_of

_NEEDS = {Vantage.MINT, Vantage.UPSTREAM, Vantage.RESTART}
# No zone and no step is nearer to the right time, and no machine is busier.
_NEAR_MS = 60_000
_SIGNED = ("control-token", "signing-every-request", "signing-recomputed")


@check(
    "signing-secret-bytes",
    "The secret's own bytes are the key, whatever the secret looks like",
    severity=Severity.HIGH,
    catalogue="SIG-08",
    source="RFC 2104 §2; the Go API takes []byte(secret)",
    remedy="Use the UTF-8 bytes of TOOLBRIDGE_TENANT_HEADER_SECRET as they are: decode nothing.",
    why="Both sides hold the same secret, and yet every signature is wrong.",
    needs={*_NEEDS, Vantage.LOGS},
    profile=Profile.FULL,
    seconds=SECONDS,
    explained_by=_SIGNED,
    broken="the secret is decoded before it is used as the key",
)
async def secret_is_used_as_it_is(target: Target, caller: Caller) -> None:
    """Gives proxy and Go API the same odd secret, two kinds of it, and makes a call."""
    await caller.control()
    some = f"{target.random.getrandbits(160):040x}"
    secrets = {
        "of 200 bytes that looks like base64": f"+/{some:x<196}A=",
        "outside ASCII": f"\u00e9\u4e16\u754c{some}",
    }
    await two_at_a_time(_used_raw, [(target, k, v) for k, v in secrets.items()])


@check(
    "signing-secret-edges",
    "Quotation marks and blanks belong to the secret",
    severity=Severity.HIGH,
    catalogue="SIG-08",
    source="RFC 2104 §2; the Go API takes []byte(secret)",
    remedy="Trim and unquote nothing; refuse a secret with blanks at its edges, naming it.",
    why="A line break that comes along when a secret is copied makes every signature wrong.",
    needs={*_NEEDS, Vantage.LOGS},
    profile=Profile.FULL,
    seconds=SECONDS,
    explained_by=(*_SIGNED, "signing-secret-bytes", "startup-required"),
    broken="the secret is trimmed or unquoted before it is used as the key",
)
async def secret_keeps_its_edges(target: Target, caller: Caller) -> None:
    """Quotes a secret with blanks inside, and ends one with a line break."""
    await caller.control()
    some = f"{target.random.getrandbits(160):040x}"
    secrets = {"with blanks, in quotation marks": f'"a  b {some} c"'}
    if target.stack.starter.takes_any_text:
        secrets["with a line break at its end"] = f"{some}\n"
    await two_at_a_time(_used_raw, [(target, k, v) for k, v in secrets.items()])


async def _used_raw(target: Target, what: str, secret: str) -> None:
    async with (
        target.another_mock(tenant_secret=secret) as mock,
        target.attempted({}, mock) as attempt,
    ):
        if not await comes_up(attempt, f"a tenant secret {what}"):
            edges = secret != secret.strip()
            require(edges, f"a start with a tenant secret {what}", "it is refused")
            require_named(attempt, f"a tenant secret {what}", TENANT_SECRET)
            return
        user = replace(target, deployment=attempt.deployment).caller()
        reply = await user.call("list_notes", {"limit": 1})
        for request in await user.upstream():
            tenant, stamp = request.header(TENANT_HEADER), request.header(TIMESTAMP_HEADER)
            right = signature(tenant or "", stamp or "", secret)
            signed = request.header(SIGNATURE_HEADER) == right
            require(signed, f"the bytes of a secret {what} to be the key", "another key")
        require(reply.ok, f"a call with a tenant secret {what} to succeed", reply.brief)


# RFC 7518 §3.2: a key of HMAC-SHA256 is as long as its output.
_SHORT = 31
# How much longer than the start a line of the start may take, on a machine with other work.
_TIMES_A_START = 2


@check(
    "signing-weak-secret",
    "An empty tenant secret stops the start, and a short one does not pass in silence",
    severity=Severity.HIGH,
    catalogue="SIG-09",
    source="RFC 7518 §3.2; RFC 8725 §3.5",
    remedy="Refuse an empty secret; below 32 bytes refuse, or warn at the start.",
    why="Whoever guesses the secret signs as the proxy; an empty one needs no guess.",
    needs={Vantage.TOKENS, Vantage.RESTART, Vantage.LOGS},
    profile=Profile.FULL,
    seconds=SECONDS,
    explained_by=("startup-required",),
    broken="the proxy signs with an empty or guessable secret, and says nothing",
)
async def weak_secrets_are_not_silent(target: Target, caller: Caller) -> None:
    """Starts with a blank secret, and with one of 31 bytes; reads what is new in the log."""
    await caller.control()
    blank = BadStart(f"{TENANT_SECRET} a blank", {TENANT_SECRET: " "}, TENANT_SECRET)
    await require_refused(target, [blank])
    short = f"{target.random.getrandbits(124):031x}"[:_SHORT]
    target.deployment.redactor.add(short)
    began = time.monotonic()
    async with target.attempted({TENANT_SECRET: short}) as attempt:
        if not await attempt.comes_up():
            require_named(attempt, "a short tenant secret", TENANT_SECRET)
            return
        # The port may be open before the line is written.
        until = time.monotonic() + max(1.0, _TIMES_A_START * (time.monotonic() - began))
        while not warnings_of(attempt.log, target.stack.proxy.log, TENANT_SECRET):
            seen = time.monotonic() < until
            require(seen, f"a warning about a tenant secret of {_SHORT} bytes", "none")
            await asyncio.sleep(0.05)


@check(
    "signing-time-zone",
    "The time zone and language of the machine do not change the timestamps",
    severity=Severity.MEDIUM,
    catalogue="SIG-13",
    source="POSIX.1-2017 §4.16 (seconds since the Epoch)",
    remedy="Take time.time_ns(); never naive datetimes.",
    why="Signatures that are hours off are refused, on machines whose zone is not UTC alone.",
    needs=_NEEDS,
    profile=Profile.FULL,
    seconds=SECONDS,
    explained_by=(*_SIGNED, "signing-fresh", "signing-unit"),
    broken="timestamps depend on the time zone of the machine",
)
async def zones_change_nothing(target: Target, caller: Caller) -> None:
    """Starts in zones with odd offsets east and west of UTC, and in Turkish."""
    await caller.control()
    turkish = {"LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8"}
    zones = ({"TZ": "Asia/Kathmandu"}, {"TZ": "America/St_Johns", **turkish})
    await two_at_a_time(_fresh_in, [(target, settings) for settings in zones])


async def _fresh_in(target: Target, settings: dict[str, str]) -> None:
    async with target.restarted(settings) as other:
        user = other.caller()
        reply = await user.call("list_notes", {"limit": 1})
        where = f"with TZ={settings['TZ']}"
        for age in await _ages(user):
            fresh = abs(age) < _NEAR_MS
            require(fresh, f"timestamps of now {where}", f"{age / 1000:.0f} s before arrival")
        require(reply.ok, f"a call to succeed {where}", reply.brief)


async def _ages(caller: Caller, after: int = 0) -> list[float]:
    """Return how many milliseconds before its arrival each request says it was signed."""
    requests = await caller.upstream(after)
    if not requests:
        raise Untestable(NOTHING_UPSTREAM)
    stamps = [request.header(TIMESTAMP_HEADER) or "" for request in requests]
    for stamp in stamps:
        require(stamp.isascii() and stamp.isdigit(), "a timestamp in digits", repr(stamp))
    return [r.received_ms - int(stamp) for r, stamp in zip(requests, stamps, strict=True)]


# The row's figure: more than the 300 s that the Go API tolerates.
_STEP = -400


@check(
    "signing-clock-step",
    "When the machine's clock is set, the next request is signed with the new time",
    severity=Severity.HIGH,
    catalogue="SIG-12",
    source="Fly.io: suspended machines resume with an old clock; check catalogue SIG-12",
    remedy="Read the wall clock for every signature; no time of the start plus a monotonic delta.",
    why="After a suspension the clock is corrected, and a proxy that keeps its own stays wrong.",
    needs=_NEEDS,
    profile=Profile.FULL,
    seconds=SECONDS,
    explained_by=(*_SIGNED, "signing-fresh", "signing-unit"),
    broken="signatures do not follow the machine's clock after it was set",
)
async def clock_steps_are_followed(target: Target, caller: Caller) -> None:
    """Sets the proxy's clock 400 s back and right again while it runs (with libfaketime)."""
    await caller.control()
    with FakedClock() as clock:
        async with target.attempted(clock.environment) as attempt:
            if not await attempt.comes_up():  # libfaketime breaks some ways to wait
                raise NotApplicable("the launched process does not start with a faked clock")
            other = replace(target, deployment=attempt.deployment)
            user = other.caller()
            await user.control()
            claims = forge.altered(user.token, iat=int(time.time()) - 2 * abs(_STEP))
            token = forge.signed(claims, other.deployment.tokens.secrets[0])
            for step in (_STEP, 0):
                seen = await user.mark()
                clock.set(step)
                if not await shown_clock(other, step):
                    raise NotApplicable("the launched process does not take a faked clock")
                reply = await user.call("list_notes", {"limit": 1}, token=token)
                for age in await _ages(user, seen):
                    off = f"{-age / 1000:+.0f} s"
                    expected = f"timestamps at {step:+d} s after the clock was set there"
                    require(abs(age + 1000 * step) < _NEAR_MS, expected, off)
            require(reply.ok, "a call to succeed once the clock is right again", reply.brief)
