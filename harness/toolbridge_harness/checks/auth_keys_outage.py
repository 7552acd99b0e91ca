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
from toolbridge_harness.model import Profile, Severity
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import NotApplicable, Violation, require, require_equal

_REFRESH_SECONDS = 1
# A proxy that asks when a call comes after the refresh setting does so within this.
_SOON_SECONDS = 2.0
# With the floor for unknown key ids and a busy machine on top.
_LATE_SECONDS = FLOOR_SECONDS + _REFRESH_SECONDS + 5
_POLL_SECONDS = 0.1


@dataclass
class _Outage:
    """A proxy whose issuer fails in one way after the other."""

    issuer: Issuer
    known: Caller
    stranger: Caller
    unknown: str
    """A token by the key that another host publishes."""

    async def refuses(self, during: str) -> None:
        """Require 401 or 503 for the unknown key."""
        call = {"limit": 1}
        reply = await self.stranger.call("list_notes", call, token=self.unknown)
        require(
            reply.status in (401, 503), f"HTTP 401 or 503 for an unknown kid {during}", reply.brief
        )

    async def holds(self, mode: Mode, seconds: float) -> bool:
        """Require both until the endpoint was asked in this mode; return whether it was."""
        await self.issuer.server.behave(mode)
        asked, began = len(self.issuer.server.fetches), time.monotonic()
        during = f"while the key set endpoint gives {mode.value}"
        while True:
            reply = await self.known.call("list_notes", {"limit": 1})
            followed = len(self.issuer.elsewhere.fetches)
            require_equal(0, followed, "requests at the host that the redirect names:")
            require(reply.ok, f"a known kid to work {during}", reply.brief)
            await self.refuses(during)
            spent = time.monotonic() - began
            if len(self.issuer.server.fetches) > asked:
                return True
            # What is refused is not counted; after this long, it was tried.
            if spent > (2 * _REFRESH_SECONDS if mode is Mode.REFUSED else seconds):
                return False
            await asyncio.sleep(_POLL_SECONDS)


async def _outage(issuer: Issuer, proxy: Target) -> _Outage:
    public = (await asyncio.to_thread(forge_keys.attacker_key)).public_key()
    issuer.elsewhere.published = [forge_keys.jwk(public) | {"kid": "elsewhere"}]
    known, stranger = proxy.caller(), proxy.caller()
    unknown = forge_keys.rs256(forge.altered(stranger.token), kid="elsewhere")
    return _Outage(issuer, known, stranger, unknown)


async def _through(outage: _Outage, modes: Sequence[Mode], seconds: float) -> None:
    seen = [await outage.holds(mode, seconds) for mode in modes]
    await outage.issuer.server.behave(Mode.KEYS)
    await outage.known.control()
    require_equal([], await outage.stranger.upstream(), "upstream requests by the unknown key:")
    if not any(seen):
        raise NotApplicable(f"the proxy did not ask its key set endpoint within {seconds:.0f} s")


@check(
    "auth-keys-outage",
    "When the key set endpoint fails, known keys go on working and unknown ones are refused",
    severity=Severity.CRITICAL,
    catalogue="AUTH-22",
    source="OWASP API10:2023; CWE-636; check catalogue AUTH-22",
    remedy="Keep the last good set, refuse what it does not hold, and follow no redirect.",
    why="An outage of the issuer must lock nobody out, and must let nobody in.",
    needs=KEY_SET,
    explained_by=(*NO_KEY_SET, "auth-keys-forged"),
    broken="an outage of the issuer's key set endpoint locks users out, or lets strangers in",
    seconds=60,  # five modes of two seconds, and a start
)
async def outage_changes_nothing(target: Target, caller: Caller) -> None:
    """Lets the endpoint refuse, fail, answer HTML and {}, and redirect to the attacker's set."""
    async with key_set(target, _REFRESH_SECONDS) as issuer, issuer.proxy() as proxy:
        outage = await _outage(issuer, proxy)
        await outage.known.control()
        modes = (Mode.REFUSED, Mode.STATUS_500, Mode.HTML, Mode.EMPTY, Mode.REDIRECT)
        await _through(outage, modes, _SOON_SECONDS)


@check(
    "auth-keys-outage-slow",
    "A key set endpoint that is down at the start, hangs or never ends holds up nobody for long",
    severity=Severity.CRITICAL,
    catalogue="AUTH-22",
    source="OWASP API10:2023; CWE-636; CWE-400; check catalogue AUTH-22",
    remedy="Bound the fetch as a whole, in seconds and in bytes; without any set, refuse.",
    why="One slow issuer would hold every call, and a proxy that trusts nobody yet must say no.",
    needs=KEY_SET,
    profile=Profile.FULL,
    explained_by=(*NO_KEY_SET, "auth-keys-outage"),
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
            await outage.refuses("before any key set was had")
            reply = await outage.known.call("list_notes", {"limit": 1})
            require(reply.status in (401, 503), "HTTP 401 or 503 without a key set", reply.brief)
            await issuer.server.behave(Mode.KEYS)
            ends = time.monotonic() + _LATE_SECONDS
            while not reply.ok:
                if time.monotonic() > ends:
                    raise Violation("a good token to work once the endpoint is back", reply.brief)
                await asyncio.sleep(_POLL_SECONDS)
                reply = await outage.known.call("list_notes", {"limit": 1})
            modes = (Mode.HANGS, Mode.SLOW, Mode.ENDLESS)
            await _through(outage, modes, _LATE_SECONDS)
