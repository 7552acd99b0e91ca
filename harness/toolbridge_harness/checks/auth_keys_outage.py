"""The issuer's key set endpoint fails: known keys go on, and nobody else gets in."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from toolbridge_harness import forge, forge_keys
from toolbridge_harness.checks.auth_keys import KEY_SET, NO_KEY_SET
from toolbridge_harness.checks.auth_keys_fetched import FLOOR_SECONDS
from toolbridge_harness.issuer import Issuer, key_set
from toolbridge_harness.jwks_server import Mode
from toolbridge_harness.model import Capability, Profile, Severity
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import Untestable, Violation, require, require_equal

_REFRESH_SECONDS = 1
# The refresh setting, the floor for unknown key ids, and a busy machine on top.
_LATE_SECONDS = FLOOR_SECONDS + _REFRESH_SECONDS + 5
_POLL_SECONDS = 0.1
# A start is a second of one core, and other checks start proxies at the same time.
_STARTS_AT_ONCE = 2
# What is refused is not counted, so it comes last: twice the longest time of the others is enough.
_FAILURES = (Mode.STATUS_500, Mode.HTML, Mode.EMPTY, Mode.REDIRECT, Mode.REFUSED)


@dataclass
class _Outage:
    """A proxy whose issuer fails in one way after the other."""

    issuer: Issuer
    known: Caller
    stranger: Caller
    unknown: str
    """A token by the key that another host publishes."""

    async def refuses(self, during: str) -> None:
        """Require 401 or 503 for the unknown key, and that no redirect was followed."""
        call = {"limit": 1}
        reply = await self.stranger.call("list_notes", call, token=self.unknown)
        self.stays()
        require(
            reply.status in (401, 503), f"HTTP 401 or 503 for an unknown kid {during}", reply.brief
        )

    def stays(self) -> None:
        """Require that nobody was asked but the configured host."""
        followed = len(self.issuer.elsewhere.fetches)
        require_equal(0, followed, "requests at the host that the redirect names:")

    async def denies(self, mode: Mode) -> None:
        """Require 401 or 503 for everybody while no key set could be had in `mode`."""
        during = f"before any key set was had, while its endpoint gives {mode.value}"
        await self.refuses(during)
        reply = await self.known.call("list_notes", {"limit": 1})
        self.stays()
        require(reply.status in (401, 503), f"HTTP 401 or 503 {during}", reply.brief)
        for user in (self.stranger, self.known):
            require_equal([], await user.upstream(), "upstream requests without a key set:")
        if mode is not Mode.REFUSED and not self.issuer.server.fetches:
            raise Untestable(
                f"the proxy did not ask its key set endpoint, which gives {mode.value}"
            )

    async def holds(self, mode: Mode, seconds: float) -> float:
        """Require that known keys work and others do not, until the endpoint was asked in `mode`.

        Returns after how many seconds it was; `seconds` bounds them, and is how long connections
        are refused.
        """
        await self.issuer.server.behave(mode)
        asked, began = len(self.issuer.server.fetches), time.monotonic()
        during = f"while the key set endpoint gives {mode.value}"
        while True:
            reply = await self.known.call("list_notes", {"limit": 1})
            self.stays()
            require(reply.ok, f"a known kid to work {during}", reply.brief)
            await self.refuses(during)
            spent = time.monotonic() - began
            if len(self.issuer.server.fetches) > asked or (
                mode is Mode.REFUSED and spent > seconds
            ):
                break
            if spent > seconds:
                raise Untestable(f"no request for the key set within {seconds:.0f} s {during}")
            await asyncio.sleep(_POLL_SECONDS)
        # The answer that was being waited for may have changed what is known.
        reply = await self.known.call("list_notes", {"limit": 1})
        require(reply.ok, f"a known kid to work {during}", reply.brief)
        return spent


async def _outage(issuer: Issuer, proxy: Target) -> _Outage:
    public = (await asyncio.to_thread(forge_keys.attacker_key)).public_key()
    issuer.elsewhere.published = [forge_keys.jwk(public) | {"kid": "elsewhere"}]
    known, stranger = proxy.caller(), proxy.caller()
    unknown = forge_keys.rs256(forge.altered(stranger.token), kid="elsewhere")
    return _Outage(issuer, known, stranger, unknown)


async def _through(outage: _Outage, modes: Sequence[Mode]) -> None:
    longest = 0.0
    for mode in modes:
        bound = 2 * (longest + _REFRESH_SECONDS) if mode is Mode.REFUSED else _LATE_SECONDS
        longest = max(longest, await outage.holds(mode, bound))
    await outage.issuer.server.behave(Mode.KEYS)
    await outage.known.control()
    require_equal([], await outage.stranger.upstream(), "upstream requests by the unknown key:")


async def _from_the_start(target: Target, mode: Mode, turn: asyncio.Semaphore) -> None:
    async with turn, key_set(target) as issuer:
        await issuer.server.behave(mode)
        async with issuer.proxy() as proxy:
            outage = await _outage(issuer, proxy)
            if mode is Mode.KEYS:
                await outage.known.control()
            else:
                await outage.denies(mode)


@check(
    "auth-keys-outage",
    "While no key set can be had, nobody gets in, and no redirect leads to another one",
    severity=Severity.CRITICAL,
    catalogue="AUTH-22",
    source="OWASP API10:2023; CWE-636; check catalogue AUTH-22",
    remedy="Without any set refuse everybody; follow no redirect of the key set's address.",
    why="A proxy that trusts nobody yet must say no, and take no keys from where it is sent.",
    needs=KEY_SET,
    capability=Capability.KEY_SETS,
    explained_by=(*NO_KEY_SET, "auth-keys-forged", "errors-redirect"),
    broken="while the issuer's key set endpoint fails, strangers get in",
    seconds=90,  # six starts, two at a time
)
async def outage_lets_nobody_in(target: Target, caller: Caller) -> None:
    """Starts with an endpoint that refuses, fails, gives HTML or {}, or redirects to bad keys."""
    await asyncio.to_thread(forge_keys.attacker_key)  # one for all, before they start at once
    turn = asyncio.Semaphore(_STARTS_AT_ONCE)
    modes = (Mode.KEYS, *_FAILURES)
    done = await asyncio.gather(
        *(_from_the_start(target, mode, turn) for mode in modes), return_exceptions=True
    )
    failed = [problem for problem in done if isinstance(problem, BaseException)]
    if failed:
        raise next((p for p in failed if isinstance(p, Violation)), failed[0])


@check(
    "auth-keys-outage-cached",
    "When the key set endpoint fails, known keys go on working and unknown ones are refused",
    severity=Severity.CRITICAL,
    catalogue="AUTH-22",
    source="OWASP API10:2023; CWE-636; check catalogue AUTH-22",
    remedy="Keep the last good set, refuse what it does not hold, and follow no redirect.",
    why="An outage of the issuer must lock nobody out, and must let nobody in.",
    needs=KEY_SET,
    capability=Capability.KEY_SETS,
    profile=Profile.FULL,
    explained_by=(*NO_KEY_SET, "auth-keys-forged", "auth-keys-outage"),
    broken="an outage of the issuer's key set endpoint locks users out, or lets strangers in",
    seconds=300,  # four waits of the floor and one twice as long, and a start
)
async def outage_changes_nothing(target: Target, caller: Caller) -> None:
    """Lets the endpoint fail, answer HTML and {}, redirect to the attacker's set, and refuse."""
    async with key_set(target, _REFRESH_SECONDS) as issuer, issuer.proxy() as proxy:
        outage = await _outage(issuer, proxy)
        await outage.known.control()
        await _through(outage, _FAILURES)


@check(
    "auth-keys-outage-slow",
    "A key set endpoint that is down at the start, hangs or never ends holds up nobody for long",
    severity=Severity.CRITICAL,
    catalogue="AUTH-22",
    source="OWASP API10:2023; CWE-636; CWE-400; check catalogue AUTH-22",
    remedy="Bound the fetch as a whole, in seconds and in bytes; without any set, refuse.",
    why="One slow issuer would hold every call, and a proxy that trusts nobody yet must say no.",
    needs=KEY_SET,
    capability=Capability.KEY_SETS,
    profile=Profile.FULL,
    explained_by=(*NO_KEY_SET, "auth-keys-outage", "auth-keys-outage-cached"),
    broken="a slow or absent key set endpoint holds up calls, or lets strangers in",
    # Four waits of the floor, each with a fetch that may take 10 s for either token, and a start.
    seconds=240,
)
async def slow_endpoint_holds_up_nobody(target: Target, caller: Caller) -> None:
    """Starts without any set, waits until it recovers, then hangs, drips and never ends."""
    async with key_set(target, _REFRESH_SECONDS) as issuer:
        await issuer.server.behave(Mode.STATUS_500)
        async with issuer.proxy() as proxy:
            outage = await _outage(issuer, proxy)
            await outage.denies(Mode.STATUS_500)
            await issuer.server.behave(Mode.KEYS)
            ends = time.monotonic() + _LATE_SECONDS
            while not (reply := await outage.known.call("list_notes", {"limit": 1})).ok:
                if time.monotonic() > ends:
                    raise Violation("a good token to work once the endpoint is back", reply.brief)
                await asyncio.sleep(_POLL_SECONDS)
            await _through(outage, (Mode.HANGS, Mode.SLOW, Mode.ENDLESS))
