"""When the issuer's key set is fetched, how often, and with what."""

import asyncio
import math
import time
from dataclasses import replace

from toolbridge_harness import forge, forge_keys
from toolbridge_harness.checks.auth_keys import KEY_SET, NO_KEY_SET
from toolbridge_harness.issuer import Issuer, SigningKey, key_set
from toolbridge_harness.model import Capability, Profile, Severity
from toolbridge_harness.refusals import nothing_reached_upstream, require_invalid_token
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import Untestable, Violation, require, require_equal
from toolbridge_harness.wire import Reply

# At most one refresh per 30 s for unknown key ids: what the settings promise.
FLOOR_SECONDS = 30.0
_FETCHES_PER_FLOOR = 2
# A machine with both cores busy: a start of the poll and one answer more.
_MARGIN_SECONDS = 5.0
_POLL_SECONDS = 0.25
_REFRESH_SECONDS = 1


@check(
    "auth-keys-flood",
    "Tokens with made-up key ids do not become a flood of fetches",
    severity=Severity.HIGH,
    catalogue="AUTH-20",
    source="OWASP API4:2023; RFC 8725 §2.9; check catalogue AUTH-20",
    remedy="Fetch the set at most once per 30 s for unknown key ids, and one fetch at a time.",
    why="Strangers could make the proxy call the issuer as often as they like, until it is barred.",
    needs=KEY_SET,
    capability=Capability.KEY_SETS,
    profile=Profile.FULL,
    explained_by=NO_KEY_SET,
    broken="every token with an unknown key id makes the proxy fetch the issuer's key set",
)
async def unknown_kids_cause_no_flood(target: Target, caller: Caller) -> None:
    """Sends 50 tokens with 50 random key ids, ten at a time, each ten beside a valid call."""
    async with key_set(target) as issuer, issuer.proxy() as proxy:
        signer, stranger = proxy.caller(), proxy.caller()
        await signer.control()
        await asyncio.to_thread(forge_keys.attacker_key)
        call = await stranger.prepared(stranger.request("list_notes", {"limit": 1}))
        payload = forge.altered(stranger.token)
        fetched, started = len(issuer.server.fetches), time.monotonic()

        def unknown() -> str:
            return forge_keys.rs256(payload, kid=f"{proxy.random.getrandbits(64):x}")

        for _ in range(5):
            bad = (proxy.send(replace(call, token=unknown())) for _ in range(10))
            good, *refused = await asyncio.gather(signer.call("list_notes", {"limit": 1}), *bad)
            require(good.ok, "valid calls to succeed beside unknown key ids", good.brief)
            for reply in refused:
                require_invalid_token(reply, "a token with an unknown kid")
        spans = math.ceil((time.monotonic() - started) / FLOOR_SECONDS)
        allowed, more = _FETCHES_PER_FLOOR * spans, len(issuer.server.fetches) - fetched
        require(more <= allowed, f"at most {allowed} fetches for 50 unknown key ids", more)
        await nothing_reached_upstream(stranger, 0)


async def _until(
    issuer: Issuer, proxy: Target, key: SigningKey, wanted: bool, seconds: float
) -> Reply:
    """Call with a new token by `key` until it works, or until it does not; return the last."""
    signer = issuer.seen(proxy, key).caller()
    ends = time.monotonic() + seconds
    while True:
        # A new one each time: what was verified may be remembered for as long as it is valid.
        token = key.token(forge.altered(signer.token))
        reply = await signer.call("list_notes", {"limit": 1}, token=token)
        if reply.ok is wanted or time.monotonic() > ends:
            return reply
        await asyncio.sleep(_POLL_SECONDS)


@check(
    "auth-keys-rotation",
    "A new key of the issuer works without a restart, and a withdrawn one stops working",
    severity=Severity.HIGH,
    catalogue="AUTH-21",
    source="RFC 7517 §5; RFC 8725 §3.8; check catalogue AUTH-21",
    remedy="Fetch the set again after TOOLBRIDGE_JWKS_REFRESH_SECONDS, and take it as it is now.",
    why="Issuers rotate without notice, and withdraw a key because somebody has stolen it.",
    needs=KEY_SET,
    capability=Capability.KEY_SETS,
    profile=Profile.FULL,
    explained_by=NO_KEY_SET,
    broken="changes of the issuer's key set are not followed: new keys fail, or old ones work on",
    seconds=120,  # the bound below, twice over, and a start
)
async def rotation_is_followed(target: Target, caller: Caller) -> None:
    """Replaces the first key by the second, and polls with new tokens by both."""
    bound = FLOOR_SECONDS + _REFRESH_SECONDS + _MARGIN_SECONDS
    async with key_set(target, _REFRESH_SECONDS) as issuer, issuer.proxy() as proxy:
        first, second = issuer.key, issuer.second
        signer = proxy.caller()
        await signer.control()
        early = second.token(forge.altered(signer.token))
        reply = await signer.call("list_notes", {"limit": 1}, token=early)
        require_invalid_token(reply, "a token by a key that is not published yet")
        issuer.server.published = [second.jwk()]
        new, old = await asyncio.gather(
            _until(issuer, proxy, second, True, bound),
            _until(issuer, proxy, first, False, bound),
        )
        require(new.ok, f"a token by the new key to work within {bound:.0f} s", new.brief)
        if old.ok:
            raise Violation(f"HTTP 401 for the withdrawn key within {bound:.0f} s", old.brief)
        require_invalid_token(old, "a token by the withdrawn key")


_PRIVATE = ("x-tb-", "x-sync-", "authorization", "proxy-authorization", "cookie")


@check(
    "signing-keys-fetch",
    "The issuer's host is sent no tenant headers, no token and no sync session",
    severity=Severity.CRITICAL,
    catalogue="SIG-07",
    source="OWASP API10:2023; CWE-200; check catalogue SIG-07",
    remedy="Fetch the key set with a client of its own, not with the one that signs requests.",
    why="A signature of the tenant is good for minutes at the Go API, whoever sends it.",
    needs=KEY_SET,
    capability=Capability.KEY_SETS,
    explained_by=NO_KEY_SET,
    broken="requests for the issuer's key set carry secrets that are meant for the Go API",
)
async def key_fetches_carry_nothing(target: Target, caller: Caller) -> None:
    """Reads the first request for the key set, and a second one if it comes within two seconds."""
    async with key_set(target, _REFRESH_SECONDS) as issuer, issuer.proxy() as proxy:
        signer = proxy.caller()
        await _fetched_again(issuer, signer, 2 * _REFRESH_SECONDS)
        _require_bare(issuer, signer)


@check(
    "signing-keys-refetch",
    "The issuer's host is sent nothing private either while sync sessions are under way",
    severity=Severity.CRITICAL,
    catalogue="SIG-07",
    source="OWASP API10:2023; CWE-200; check catalogue SIG-07",
    remedy="Fetch the key set with a client of its own, not with the one that signs requests.",
    why="The first request for the key set comes before there is a session that could be sent.",
    needs=KEY_SET,
    capability=Capability.KEY_SETS,
    profile=Profile.FULL,
    explained_by=(*NO_KEY_SET, "signing-keys-fetch"),
    broken="later requests for the issuer's key set carry secrets that are meant for the Go API",
    seconds=90,  # the floor, the refresh, and a start
)
async def later_fetches_carry_nothing(target: Target, caller: Caller) -> None:
    """Calls, and names unknown keys, until the set was fetched again with a session under way."""
    bound = FLOOR_SECONDS + _REFRESH_SECONDS + _MARGIN_SECONDS
    async with key_set(target, _REFRESH_SECONDS) as issuer, issuer.proxy() as proxy:
        signer = proxy.caller()
        if not await _fetched_again(issuer, signer, bound):
            raise Untestable(f"the key set was not fetched again within {bound:.0f} s")
        _require_bare(issuer, signer)


async def _fetched_again(issuer: Issuer, signer: Caller, seconds: float) -> bool:
    """Call until the set was fetched in a session; return whether it was within `seconds`."""
    await signer.control()
    first, ends = len(issuer.server.fetches), time.monotonic() + seconds
    if not first:
        raise Untestable("a token was accepted, but no request for the key set was seen")
    while len(issuer.server.fetches) == first and time.monotonic() < ends:
        await asyncio.sleep(_POLL_SECONDS)
        await signer.control()
        token = issuer.second.token(forge.altered(signer.token))
        await signer.call("list_notes", {"limit": 1}, token=token)
    return len(issuer.server.fetches) > first


def _require_bare(issuer: Issuer, signer: Caller) -> None:
    fetches = issuer.server.fetches
    named = {n for f in fetches for n, _ in f.headers if n.lower().startswith(_PRIVATE)}
    require_equal(set(), named, "private headers of requests for the key set:")
    sent = [text for f in fetches for text in (f.target, *dict(f.headers).values())]
    token = signer.token or ""
    require(not any(token in text for text in sent), "no token in the request", "the caller's")
