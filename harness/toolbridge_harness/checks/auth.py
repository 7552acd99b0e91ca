"""Authentication: which tokens get in, and which do not."""

import asyncio
import base64
import time

from toolbridge_contract.tools import ENTITIES, OPERATIONS
from toolbridge_harness import forge
from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.refusals import (
    nothing_reached_upstream,
    refused_tokens,
    require_invalid_token,
    require_unauthenticated,
)
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import ControlFailed, Untestable, require, require_equal

_UNVERIFIED = ("auth-wrong-secret",)
# No expiry at all, or one that is not a time; `...` leaves the claim out.
NO_EXPIRIES: tuple[object, ...] = (..., None, "", "9999999999", [9999999999], {}, True, 0, -1)


def not_yet(now: int) -> tuple[dict[str, object], ...]:
    """Return changes of claims after which a token is not valid at `now`, Unix seconds."""
    return {"nbf": now + 3600}, {"nbf": "abc"}, {"iat": now + 3600}, {"iat": "abc"}


def no_subjects(sub: str) -> tuple[object, ...]:
    """Return what names no user in place of `sub`; `...` leaves the claim out."""
    return ..., None, "", "   ", 5, True, [sub], {}


def _secret(target: Target) -> str:
    """Return the signing key; only for checks that need Vantage.MINT."""
    return target.deployment.tokens.secrets[0]


@check(
    "auth-no-token",
    "Without a token, each of the 40 tools is refused",
    severity=Severity.CRITICAL,
    catalogue=("AUTH-01", "AUTH-56"),
    source="RFC 6750 §3; MCP 2025-11-25 authorization, token handling",
    remedy="Answer 401 with `WWW-Authenticate: Bearer` before anything is read or sent.",
    why="One forgotten tool opens everybody's data to the internet.",
    profile=Profile.SMOKE,
    broken="a tool can be called without a token",
)
async def no_token_is_refused(target: Target, caller: Caller) -> None:
    """Calls every tool without a token: 401, a Bearer challenge without error, nothing upstream."""
    control = await caller.call("health_check", token=None)
    if not control.ok:
        raise Untestable(f"health_check without a token did not succeed: {control.brief}")
    for entity in ENTITIES:
        for operation in OPERATIONS:
            name = entity.tool(operation)
            reply = await caller.call(name, token=None)
            require_unauthenticated(reply, f"{name} without a token")
    await nothing_reached_upstream(caller, 0)


@check(
    "auth-garbage-token",
    "What is not a token is refused as an invalid one",
    severity=Severity.HIGH,
    catalogue=("AUTH-02", "AUTH-47", "AUTH-51"),
    source="RFC 6750 §2.1, §3.1",
    remedy='Answer 401 with error="invalid_token" whatever stands after Bearer.',
    why="A parser that breaks on rubbish answers 500 and can be made to do worse.",
    profile=Profile.SMOKE,
    explained_by=("auth-no-token",),
    broken="rubbish in place of a token is not refused as an invalid token",
)
async def garbage_is_refused(target: Target, caller: Caller) -> None:
    """Sends words, one to six segments and odd base64 in place of a token."""
    noise = base64.urlsafe_b64encode(target.random.randbytes(24)).decode().rstrip("=")
    rubbish = ["null", "undefined", noise, f"{noise}.{noise}", f"{noise}.{noise}.{noise}"]
    rubbish += [".".join([noise] * 6), "..", "eyJ.eyJ.", "a.b.c!"]
    for text in rubbish:
        reply = await caller.call("list_notes", {"limit": 1}, token=text)
        require_invalid_token(reply, f"the token {text[:24]!r}")
    await nothing_reached_upstream(caller, 0)


@check(
    "auth-challenge",
    "The 401 says how to authenticate and repeats nothing of the token",
    severity=Severity.MEDIUM,
    catalogue="AUTH-54",
    source="RFC 6750 §3; RFC 9110 §11.6.1",
    remedy="Send one line: Bearer, and error only when a token was sent. Echo nothing.",
    why="Clients decide by the challenge whether to log in again; logs keep what it echoes.",
    profile=Profile.SMOKE,
    explained_by=("auth-garbage-token", "auth-wrong-secret"),
    broken="the 401 challenge is missing, malformed, or echoes the token",
)
async def challenge_is_well_formed(target: Target, caller: Caller) -> None:
    """Sends an unknown token with a recognisable payload and reads the 401."""
    canary = f"canary{target.random.getrandbits(48):012x}"
    payload = forge.claims(canary, "some-tenant")
    token = forge.signed(payload, "not-the-key-of-this-target-at-all!")
    reply = await caller.call("list_notes", {"limit": 1}, token=token)
    require_invalid_token(reply, "a token signed by nobody")
    values = reply.headers.get_list("www-authenticate")
    require_equal(1, len(values), "WWW-Authenticate headers:")
    for secret in (canary, token, token.split(".")[1]):
        require(secret not in reply.text + str(values), "an answer without the token", reply.brief)


@check(
    "auth-wrong-secret",
    "A token signed with another key is refused by the proxy itself",
    severity=Severity.CRITICAL,
    catalogue=("AUTH-07", "AUTH-08"),
    source="RFC 8725 §3.1; MCP 2025-11-25 authorization, token handling",
    remedy="Verify the signature with the configured key and an explicit list of algorithms.",
    why="A proxy that forwards unverified tokens acts for whoever the token claims to be.",
    needs={Vantage.TOKENS},
    explained_by=("auth-no-token",),
    broken="the proxy does not verify the signature of tokens",
)
async def foreign_signature_is_refused(target: Target, caller: Caller) -> None:
    """Signs the caller's own claims with random and with well-known weak keys."""
    payload = forge.altered(caller.token)
    keys = [target.random.randbytes(32).hex(), "secret", "changeme", "dev-secret", caller.tenant]
    await refused_tokens(
        caller, [(f"a token keyed {key[:12]!r}…", forge.signed(payload, key)) for key in keys]
    )


@check(
    "auth-alg-none",
    "An unsigned token is refused",
    severity=Severity.CRITICAL,
    catalogue=("AUTH-03", "AUTH-04"),
    source="RFC 8725 §3.1, §3.2",
    remedy="Verify with an explicit list of algorithms; compare `alg` exactly.",
    why="Anybody can write a token that says alg none.",
    needs=Vantage.TOKENS,
    explained_by=_UNVERIFIED,
    broken="unsigned tokens are accepted",
)
async def unsigned_token_is_refused(target: Target, caller: Caller) -> None:
    """Sends alg none in six spellings, without a signature."""
    payload = forge.altered(caller.token)
    spellings = ("none", "None", "NONE", "nOnE", "none ", "none\x00")
    await refused_tokens(caller, [(f"alg {s!r}", forge.unsigned(payload, s)) for s in spellings])


@check(
    "auth-alg-other",
    "Only HS256 is accepted, spelled exactly",
    severity=Severity.MEDIUM,
    catalogue=("AUTH-05", "AUTH-10"),
    source="RFC 8725 §3.1; RFC 7515 §4.1.1",
    remedy='Give the verifier algorithms=["HS256"] and nothing else.',
    why="The Go API accepts HS384 and HS512: the proxy is the only gate that can be strict.",
    needs=Vantage.MINT,
    explained_by=_UNVERIFIED,
    broken="tokens with an algorithm that was not configured are accepted",
)
async def other_algorithms_are_refused(target: Target, caller: Caller) -> None:
    """Signs with the right key under other algorithm names, and with HS384 and HS512."""
    payload = forge.altered(caller.token)
    key = _secret(target)
    spellings: tuple[object, ...] = ("hs256", "HS256 ", "HS1", None, ["HS256"], {})
    tokens = [
        (f"alg {alg!r}", forge.signed(payload, key, {"alg": alg, "typ": "JWT"}))
        for alg in spellings
    ]
    for name, digest in (("HS384", "sha384"), ("HS512", "sha512")):
        tokens.append((name, forge.signed(payload, key, {"alg": name, "typ": "JWT"}, digest)))
    tokens.append(("no alg", forge.signed(payload, key, {"typ": "JWT"})))
    await refused_tokens(caller, tokens)


@check(
    "auth-tampered",
    "A token whose signature or claims were altered is refused",
    severity=Severity.CRITICAL,
    catalogue="AUTH-06",
    source="RFC 7515 §5.2",
    remedy="Compare the whole signature, over exactly the bytes that were received.",
    why="Half a comparison is no comparison.",
    needs=Vantage.TOKENS,
    explained_by=_UNVERIFIED,
    broken="tokens that were altered after signing are accepted",
)
async def altered_token_is_refused(target: Target, caller: Caller) -> None:
    """Shortens, extends, zeroes and swaps the signature, and alters the claims under it."""
    token = caller.token or ""
    header, payload, _ = token.split(".")
    mac = forge.signature_of(token)
    other = target.caller(unlike=caller)
    tokens = [
        ("an empty signature", forge.with_signature(token, b"")),
        ("a signature cut by a byte", forge.with_signature(token, mac[:-1])),
        ("a signature with a byte more", forge.with_signature(token, mac + b"\0")),
        ("a signature of zeros", forge.with_signature(token, bytes(len(mac)))),
        ("one bit flipped", forge.with_signature(token, bytes([mac[0] ^ 1]) + mac[1:])),
        ("another token's signature", f"{header}.{payload}.{(other.token or '').split('.')[2]}"),
        ("altered claims", token.replace(payload, forge.segment(forge.claims("x", "y")))),
    ]
    await refused_tokens(caller, [(what, t) for what, t in tokens if t != token])


@check(
    "auth-expired",
    "An expired token is refused",
    severity=Severity.CRITICAL,
    catalogue=("AUTH-23", "AUTH-24"),
    source="RFC 7519 §4.1.4",
    remedy="Verify exp, with a leeway of at most a minute.",
    why="A token that leaked once would work for ever.",
    needs=Vantage.MINT,
    explained_by=_UNVERIFIED,
    broken="expired tokens are accepted",
)
async def expired_token_is_refused(target: Target, caller: Caller) -> None:
    """Sends tokens that expired an hour and 61 seconds ago, beside one with five seconds left."""
    now = int(time.time())
    key = _secret(target)
    late = forge.signed(forge.altered(caller.token, exp=now + 5), key)
    reply = await caller.call("list_notes", {"limit": 1}, token=late)
    if not reply.ok:
        raise ControlFailed(f"a token with five seconds left did not work: {reply.brief}")
    ages = (3600, 61)
    tokens = [
        # Issued before it expired: the expiry is the only thing wrong with it.
        forge.altered(caller.token, iat=now - 7200, exp=now - age)
        for age in ages
    ]
    await refused_tokens(
        caller,
        [(f"exp {age} s ago", forge.signed(t, key)) for age, t in zip(ages, tokens, strict=True)],
    )


@check(
    "auth-no-expiry",
    "A token without a usable expiry is refused",
    severity=Severity.HIGH,
    catalogue=("AUTH-26", "AUTH-27"),
    source="RFC 9068 §2.2; RFC 7519 §2",
    remedy="Require exp, and require it to be a number.",
    why="The Go API accepts such tokens for ever: the proxy is the only gate.",
    needs=Vantage.MINT,
    explained_by=("auth-wrong-secret", "auth-expired"),
    broken="tokens that never expire are accepted",
)
async def token_without_expiry_is_refused(target: Target, caller: Caller) -> None:
    """Leaves exp out, and sends it as null, text, list, object, true, zero and minus one."""
    key = _secret(target)
    tokens = []
    for value in NO_EXPIRIES:
        payload = forge.altered(caller.token, exp=value)
        what = "no exp" if value is ... else f"exp {value!r}"
        tokens.append((what, forge.signed(payload, key)))
    await refused_tokens(caller, tokens)


@check(
    "auth-not-yet-valid",
    "A token from the future is refused",
    severity=Severity.MEDIUM,
    catalogue=("AUTH-29", "AUTH-30"),
    source="RFC 7519 §4.1.5, §4.1.6",
    remedy="Verify nbf and iat where they are present.",
    why="A token issued for later, or by a clock that is wrong, is not valid now.",
    needs=Vantage.MINT,
    explained_by=_UNVERIFIED,
    broken="tokens that are not valid yet are accepted",
)
async def future_token_is_refused(target: Target, caller: Caller) -> None:
    """Sends nbf and iat an hour ahead and as text, beside a token whose nbf has passed."""
    now = int(time.time())
    key = _secret(target)
    past = forge.signed(forge.altered(caller.token, nbf=now - 5), key)
    reply = await caller.call("list_notes", {"limit": 1}, token=past)
    if not reply.ok:
        raise ControlFailed(f"a token whose nbf has passed did not work: {reply.brief}")
    tokens = [(str(c), forge.altered(caller.token, **c)) for c in not_yet(now)]
    await refused_tokens(caller, [(what, forge.signed(t, key)) for what, t in tokens])


@check(
    "auth-subject",
    "A token without a usable subject is refused",
    severity=Severity.CRITICAL,
    catalogue="AUTH-31",
    source="RFC 7519 §4.1.2; RFC 8725 §3.8",
    remedy="Require sub to be a string that is not blank; convert nothing.",
    why="Callers without a name would share one identity, and each other's data.",
    needs=Vantage.MINT,
    explained_by=_UNVERIFIED,
    broken="tokens that name no user are accepted",
)
async def token_without_subject_is_refused(target: Target, caller: Caller) -> None:
    """Leaves sub out, and sends it as null, blank, number, boolean, list and object."""
    key = _secret(target)
    tokens = []
    for value in no_subjects(caller.sub):
        payload = forge.altered(caller.token, sub=value)
        what = "no sub" if value is ... else f"sub {value!r}"
        tokens.append((what, forge.signed(payload, key)))
    await refused_tokens(caller, tokens)


@check(
    "auth-expires-in-use",
    "A token that expires while it is in use is refused from then on",
    severity=Severity.CRITICAL,
    catalogue="AUTH-58",
    source="MCP 2025-11-25 authorization (on every request); RFC 7519 §4.1.4",
    remedy="Verify the token on every request; bound any cache of verdicts by its exp.",
    why="A verdict that is kept by token or session outlives the token itself.",
    needs=Vantage.MINT,
    explained_by=("control-token", "auth-expired"),
    broken="a token keeps working after it expired, once it has been accepted",
)
async def token_expires_in_use(target: Target, caller: Caller) -> None:
    """Uses a token that has two seconds left, waits them out, and uses it again."""
    least, most = await _leeway(target, caller)
    exp = int(time.time()) + 2 - int(least)
    token = _expiring(target, caller, exp)
    reply = await caller.call("list_notes", {"limit": 1}, token=token)
    # Beyond its end the proxy may take a token that the Go API refuses.
    if not (reply.ok or (least and reply.status == 200)):
        raise Untestable(f"a token with two seconds left did not work: {reply.brief}")
    # A tenth of a second covers the clocks' grain.
    await asyncio.sleep(max(0.0, exp + most + 0.1 - time.time()))
    again = await caller.call("list_notes", {"limit": 1}, token=token)
    require_invalid_token(again, "the same token after its expiry")
    await caller.control()


def _expiring(target: Target, caller: Caller, exp: int) -> str:
    return forge.signed(forge.altered(caller.token, iat=exp - 600, exp=exp), _secret(target))


async def _leeway(target: Target, caller: Caller) -> tuple[float, float]:
    """Return between how many seconds after its end a token ceases to be taken; 0, 0: at it."""
    taken, refused = 0.0, 61.0  # AUTH-24: 60 s at most, which auth-expired holds
    after = 1.0
    for _ in range(7):  # halves what is left until it is as small as the clock's grain
        sent = time.time()
        exp = int(sent - after)
        token = _expiring(target, caller, exp)
        reply = await caller.call("list_notes", {"limit": 1}, token=token)
        if reply.status == 401:
            refused = min(refused, time.time() - exp)
        else:
            taken = max(taken, sent - exp)
        if not taken:
            return 0.0, 0.0
        after = (taken + refused) / 2
    return taken, refused
