"""Authentication: who gets in, and who does not."""

import base64
import os
import time
from dataclasses import replace

from toolbridge_contract.tools import ENTITIES, OPERATIONS
from toolbridge_harness import forge
from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.refusals import (
    challenge,
    nothing_reached_upstream,
    refused_tokens,
    require_invalid_token,
)
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import Untestable, Violation, require, require_equal
from toolbridge_harness.wire import Era

_UNVERIFIED = ("auth-wrong-secret",)


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
            require(reply.status == 401, f"HTTP 401 for {name} without a token", reply.brief)
            scheme, parameters = challenge(reply)
            require_equal("bearer", scheme, f"challenge for {name}:")
            require("error" not in parameters, "a challenge without error=", parameters)
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
    explained_by=("auth-garbage-token",),
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
    broken="the proxy does not verify the signature of tokens",
)
async def foreign_signature_is_refused(target: Target, caller: Caller) -> None:
    """Signs the caller's own claims with random and with well-known weak keys."""
    payload = forge.claims(caller.sub, caller.tenant)
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
    payload = forge.claims(caller.sub, caller.tenant)
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
    broken="tokens with an algorithm that was not configured are accepted",
)
async def other_algorithms_are_refused(target: Target, caller: Caller) -> None:
    """Signs with the right key under other algorithm names, and with HS384 and HS512."""
    payload = forge.claims(caller.sub, caller.tenant)
    key = _secret(target)
    tokens = [
        (f"alg {alg!r}", forge.signed(payload, key, {"alg": alg, "typ": "JWT"}))
        for alg in ("hs256", "HS256 ", "HS1", None, ["HS256"], {})
    ]
    for name, digest in (("HS384", "sha384"), ("HS512", "sha512")):
        tokens.append((name, forge.signed(payload, key, {"alg": name, "typ": "JWT"}, digest)))
    tokens.append(("no alg", forge.signed(payload, key, {"typ": "JWT"})))
    await refused_tokens(caller, tokens)


@check(
    "auth-tampered",
    "A token whose signature or claims were altered is refused",
    severity=Severity.CRITICAL,
    catalogue=("AUTH-06", "AUTH-63"),
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
    other = target.caller()
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
    broken="expired tokens are accepted",
)
async def expired_token_is_refused(target: Target, caller: Caller) -> None:
    """Sends tokens that expired an hour and 61 seconds ago, beside one with five seconds left."""
    now = int(time.time())
    key = _secret(target)
    late = forge.signed(forge.claims(caller.sub, caller.tenant, exp=now + 5), key)
    reply = await caller.call("list_notes", {"limit": 1}, token=late)
    require(reply.ok, "a token that is valid for five more seconds to work", reply.brief)
    ages = (3600, 61)
    tokens = [forge.claims(caller.sub, caller.tenant, exp=now - age) for age in ages]
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
    explained_by=("auth-expired",),
    broken="tokens that never expire are accepted",
)
async def token_without_expiry_is_refused(target: Target, caller: Caller) -> None:
    """Leaves exp out, and sends it as null, text, list, object, true, zero and minus one."""
    values: tuple[object, ...] = (..., None, "", "9999999999", [9999999999], {}, True, 0, -1)
    key = _secret(target)
    tokens = []
    for value in values:
        payload = forge.claims(caller.sub, caller.tenant, exp=value)
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
    broken="tokens that are not valid yet are accepted",
)
async def future_token_is_refused(target: Target, caller: Caller) -> None:
    """Sends nbf and iat an hour ahead and as text, beside a token whose nbf has passed."""
    now = int(time.time())
    key = _secret(target)
    past = forge.signed(forge.claims(caller.sub, caller.tenant, nbf=now - 5), key)
    reply = await caller.call("list_notes", {"limit": 1}, token=past)
    require(reply.ok, "a token whose nbf has passed to work", reply.brief)
    changes = ({"nbf": now + 3600}, {"nbf": "abc"}, {"iat": now + 3600}, {"iat": "abc"})
    tokens = [(str(c), forge.claims(caller.sub, caller.tenant, **c)) for c in changes]
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
    broken="tokens that name no user are accepted",
)
async def token_without_subject_is_refused(target: Target, caller: Caller) -> None:
    """Leaves sub out, and sends it as null, blank, number, boolean, list and object."""
    values: tuple[object, ...] = (..., None, "", "   ", 5, True, [caller.sub], {})
    key = _secret(target)
    tokens = []
    for value in values:
        payload = forge.claims(caller.sub, caller.tenant, sub=value)
        what = "no sub" if value is ... else f"sub {value!r}"
        tokens.append((what, forge.signed(payload, key)))
    await refused_tokens(caller, tokens)


@check(
    "auth-scheme-case",
    "The scheme is recognised in any case and forwarded as Bearer",
    severity=Severity.MEDIUM,
    catalogue="AUTH-50",
    source="RFC 9110 §11.1",
    remedy="Compare the scheme without case, and write `Bearer ` yourself on the way out.",
    why="The Go API compares seven bytes exactly: what is forwarded verbatim fails there.",
    needs=Vantage.TOKENS,
    explained_by=("control-token",),
    broken="`bearer` in another case is refused, or forwarded as it came",
)
async def scheme_is_case_insensitive(target: Target, caller: Caller) -> None:
    """Sends bearer, BEARER and bEaReR with a valid token."""
    await caller.control()
    for scheme in ("bearer", "BEARER", "bEaReR"):
        header = ("Authorization", f"{scheme} {caller.token}")
        reply = await caller.call("list_notes", {"limit": 1}, token=None, headers=(header,))
        require(reply.ok, f"{scheme} with a valid token to work", reply.brief)


@check(
    "auth-token-elsewhere",
    "A token counts only in the Authorization header",
    severity=Severity.HIGH,
    catalogue="AUTH-52",
    source="MCP 2025-11-25 authorization (no tokens in the query); RFC 6750 §5.3",
    remedy="Read the Authorization header and nothing else.",
    why="Queries and cookies end up in logs, and cookies are sent by other people's pages.",
    needs=Vantage.TOKENS,
    explained_by=("auth-no-token",),
    broken="tokens outside the Authorization header are accepted",
)
async def token_elsewhere_is_ignored(target: Target, caller: Caller) -> None:
    """Puts a valid token into the query, a cookie and five look-alike headers."""
    await caller.control()
    token = caller.token or ""
    bare = caller.request("list_notes", {"limit": 1})
    bare = replace(bare, token=None)
    headers = (
        ("Cookie", f"access_token={token}"),
        ("X-Access-Token", token),
        ("X-Forwarded-Authorization", f"Bearer {token}"),
        ("Proxy-Authorization", f"Bearer {token}"),
        ("X-Authorization", f"Bearer {token}"),
    )
    for header in headers:
        reply = await target.send(replace(bare, headers=(header,)))
        require(reply.status == 401, f"HTTP 401 for a token in {header[0]}", reply.brief)
    for name in ("access_token", "token"):
        url = f"{target.mcp_url}?{name}={token}"
        reply = await target.http("POST", url, bare.header_list(), bare.body())
        require(reply.status == 401, f"HTTP 401 for a token in ?{name}=", reply.brief)


@check(
    "auth-identity-headers",
    "Headers that name a user are ignored and never forwarded",
    severity=Severity.CRITICAL,
    catalogue="AUTH-60",
    source="OWASP API2:2023; check catalogue AUTH-60",
    remedy="Build upstream headers from nothing; copy none of the caller's.",
    why="The Go API trusts X-Debug-Sub in its development mode.",
    needs=Vantage.TOKENS,
    broken="a header in which the caller names a user is believed or forwarded",
)
async def identity_headers_are_ignored(target: Target, caller: Caller) -> None:
    """Names another user in six headers, with and without a token."""
    victim = target.caller()
    names = ("X-Debug-Sub", "X-User", "X-Sub", "X-Auth-Request-User", "X-Forwarded-User")
    headers = tuple((name, victim.sub) for name in (*names, "X-Remote-User"))
    reply = await caller.call("list_notes", {"limit": 1}, token=None, headers=headers)
    require(reply.status == 401, "HTTP 401 without a token", reply.brief)
    await caller.control()
    reply = await caller.call("list_notes", {"limit": 1}, headers=headers)
    require(reply.ok, "the caller's own call to work", reply.brief)
    if target.has_upstream:
        for request in await caller.upstream():
            sent = {name.lower() for name, _ in request.headers}
            leaked = sorted(sent & {name.lower() for name, _ in headers})
            require_equal([], leaked, "identity headers upstream:")


@check(
    "auth-two-tokens",
    "Two Authorization headers are never resolved two ways",
    severity=Severity.CRITICAL,
    catalogue="AUTH-49",
    source="RFC 9110 §5.3, §11.6.2",
    remedy="Refuse a request with more than one Authorization header.",
    why="Verifying one token and forwarding the other lets anybody act as anybody.",
    needs=Vantage.TOKENS,
    explained_by=("control-token",),
    broken="with two Authorization headers, one is verified and another may be forwarded",
)
async def two_tokens_are_refused(target: Target, caller: Caller) -> None:
    """Sends a good and a bad token, in both orders, and two good ones of two users."""
    await caller.control()
    other = target.caller()
    bad = forge.signed(forge.claims(caller.sub, caller.tenant), "x" * 40)
    pairs = ((caller.token, bad), (bad, caller.token), (caller.token, other.token))
    for pair in pairs:
        headers = tuple(("Authorization", f"Bearer {token}") for token in pair)
        reply = await caller.call("list_notes", {"limit": 1}, token=None, headers=headers)
        require(reply.status in (400, 401), "HTTP 400 or 401 for two tokens", reply.brief)


@check(
    "auth-both-eras",
    "Both protocol eras refuse the same tokens",
    severity=Severity.CRITICAL,
    catalogue="AUTH-57",
    source="MCP 2026-07-28 versioning; OWASP API5:2023",
    remedy="Authenticate in front of the protocol code, not inside one of its paths.",
    why="A gate on one code path is open on the other.",
    needs=Vantage.TOKENS,
    explained_by=("auth-no-token", "auth-wrong-secret", "control-token"),
    broken="one of the two protocol eras is not guarded like the other",
)
async def both_eras_are_guarded(target: Target, caller: Caller) -> None:
    """Sends no token, a wrongly signed one and a good one in the 2026-07-28 era."""
    await caller.control()
    bad = forge.signed(forge.claims(caller.sub, caller.tenant), os.urandom(32).hex())
    call = replace(caller.request("list_notes", {"limit": 1}), era=Era.MODERN, session=None)
    good = await target.send(call)
    if good.rpc_error.get("code") in (-32022, -32020, -32602) or good.status == 404:
        raise Untestable(f"the target does not speak {Era.MODERN.value}: {good.brief}")
    require(good.ok, "a valid call in the 2026-07-28 era to work", good.brief)
    for what, token in (("no token", None), ("a wrongly signed token", bad)):
        reply = await target.send(replace(call, token=token))
        if reply.status != 401:
            raise Violation(f"HTTP 401 for {what} in the 2026-07-28 era", reply.brief)
