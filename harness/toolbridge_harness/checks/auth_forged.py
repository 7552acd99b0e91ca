"""Authentication: forged tokens that bring, name or confuse the key they are verified with."""

import asyncio
import base64
import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from toolbridge_harness import forge, forge_keys
from toolbridge_harness.model import Ask, Profile, Severity, Vantage
from toolbridge_harness.refusals import (
    nothing_reached_upstream,
    refused_tokens,
    require_invalid_token,
)
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import ControlFailed, NotApplicable, require
from toolbridge_harness.wire import initialize

_UNVERIFIED = ("auth-wrong-secret",)
_BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# What the row allows for an answer; `sleep 5` and a lookup in the wrong place take longer.
_SOON = 1.0
# A slow machine tries fewer mutations: a check has 30 s, and its control comes last.
_FUZZ_SECONDS = 15.0


async def published_keys(target: Target) -> list[tuple[RSAPublicKey, str]]:
    """Return the RSA keys that the target publishes, with their JWK text; else a random one.

    A target that holds no public key may still build one from what a token says.
    """
    reply = await target.http("GET", f"{target.origin}/.well-known/jwks.json")
    try:
        found = jwt.PyJWKSet.from_json(reply.text).keys if reply.status == 200 else []
    except (jwt.PyJWTError, ValueError, AttributeError, TypeError):
        found = []
    own = [(k.key, json.dumps(k._jwk_data)) for k in found if isinstance(k.key, RSAPublicKey)]
    if own:
        return own
    random = (await asyncio.to_thread(forge_keys.attacker_key)).public_key()
    return [(random, json.dumps(forge_keys.jwk(random)))]


async def refused_soon(caller: Caller, tokens: list[tuple[str, str]]) -> None:
    """Require that each (what it is, token) is refused, and in less than a second."""
    control = await caller.control()
    limit = max(_SOON, 20 * control.seconds)
    before = await caller.mark()
    call = caller.request("list_notes", {"limit": 1})
    for what, token in tokens:
        reply = await caller.target.send(replace(call, token=token))
        require_invalid_token(reply, what)
        if reply.seconds > limit:  # once may be the machine, twice is the token
            reply = await caller.target.send(replace(call, token=token))
        require(
            reply.seconds <= limit,
            f"an answer within {limit:.1f} s to {what}",
            f"{reply.seconds} s",
        )
    await nothing_reached_upstream(caller, before)
    await caller.control()


@check(
    "auth-public-key-as-secret",
    "A public key is never used as an HMAC secret",
    severity=Severity.CRITICAL,
    catalogue="AUTH-11",
    source="RFC 8725 §2.1, §3.1; CVE-2015-9235",
    remedy="Tie each key to one algorithm; never take the algorithm from the token.",
    why="Everybody has the public key: whoever verifies HMACs with it lets everybody in.",
    needs=Vantage.TOKENS,
    explained_by=_UNVERIFIED,
    broken="tokens signed with a public key as the HMAC secret are accepted",
)
async def public_key_is_no_secret(target: Target, caller: Caller) -> None:
    """Keys HS256 with eleven encodings of the published key or, without one, of a random one."""
    payload = forge.altered(caller.token)
    tokens = []
    for key, text in await published_keys(target):
        more = {"kid": kid} if (kid := json.loads(text).get("kid")) else {}
        for name, secret in forge_keys.encodings(key, text):
            token = forge_keys.hs256(payload, secret, **more)
            tokens.append((f"HS256 keyed with a public key as {name}", token))
    await refused_tokens(caller, tokens)


@check(
    "auth-embedded-key",
    "A key that the token itself brings is not used",
    severity=Severity.CRITICAL,
    catalogue="AUTH-15",
    source="RFC 7515 §4.1.3; RFC 8725 §3.1; CVE-2018-0114",
    remedy="Ignore jwk and x5c in token headers; verify with configured keys alone.",
    why="Anybody can sign with a key of their own and put that key beside the signature.",
    needs=Vantage.TOKENS,
    explained_by=_UNVERIFIED,
    broken="tokens are verified with the key that they bring along",
)
async def embedded_key_is_ignored(target: Target, caller: Caller) -> None:
    """Embeds the attacker's RSA key, a symmetric key, and the RSA key used as a secret."""
    payload = forge.altered(caller.token)
    public = (await asyncio.to_thread(forge_keys.attacker_key)).public_key()
    own, secret = forge_keys.jwk(public), target.random.randbytes(32)
    shared = {"kty": "oct", "k": forge.segment(secret), "alg": "HS256"}
    text = json.dumps(own)
    tokens = [
        ("RS256 with its own RSA key in jwk", forge_keys.rs256(payload, jwk=own)),
        ("RS256 with its own key in jwk and kid", forge_keys.rs256(payload, jwk=own, kid="a")),
        ("HS256 with its own secret in jwk", forge_keys.hs256(payload, secret, jwk=shared)),
    ]
    for name, key in forge_keys.encodings(public, text):
        token = forge_keys.hs256(payload, key, jwk=own)
        tokens.append((f"HS256 keyed with its own jwk as {name}", token))
    await refused_tokens(caller, tokens)


@check(
    "auth-foreign-rsa-key",
    "A token that names the right key but was signed by another is refused",
    severity=Severity.CRITICAL,
    catalogue="AUTH-13",
    source="RFC 7515 §5.2",
    remedy="Verify the signature with the key that kid names; a matching name proves nothing.",
    why="Key ids are public: whoever believes them believes everybody.",
    needs=Vantage.TOKENS,
    explained_by=_UNVERIFIED,
    broken="RS256 tokens are accepted whoever signed them",
)
async def foreign_rsa_key_is_refused(target: Target, caller: Caller) -> None:
    """Signs with the attacker's RSA key under the key ids in use, and under none."""
    payload = forge.altered(caller.token)
    kids = {json.loads(text).get("kid") for _, text in await published_keys(target)}
    kids |= {jwt.get_unverified_header(caller.token or "").get("kid"), "default", "1"}
    await asyncio.to_thread(forge_keys.attacker_key)
    tokens = [("RS256 by another key, without kid", forge_keys.rs256(payload))]
    tokens += [
        (f"RS256 by another key, kid {kid[:24]!r}", forge_keys.rs256(payload, kid=kid))
        for kid in sorted(kid for kid in kids if isinstance(kid, str))
    ]
    await refused_tokens(caller, tokens)


@check(
    "auth-key-id-file",
    "A key id never names a file",
    severity=Severity.CRITICAL,
    catalogue="AUTH-17",
    source="RFC 8725 §3.10; CWE-22",
    remedy="Look kid up in the set of configured keys; never open or fetch what it names.",
    why="There are files whose content everybody knows, and an empty one is a key too.",
    needs=Vantage.TOKENS,
    explained_by=_UNVERIFIED,
    broken="the key id of a token is used as a file name",
)
async def key_id_is_no_file(target: Target, caller: Caller) -> None:
    """Names files with known content in kid, and signs with that content."""
    payload = forge.altered(caller.token)
    up = "../" * 8
    files = [
        (f"{prefix}{path}", content)
        for path, content in (("/dev/null", b""), ("/proc/sys/kernel/ostype", b"Linux\n"))
        for prefix in ("", up, "file://")
    ]
    files.append(("/proc/sys/kernel/ostype", b"Linux"))
    tokens = [
        (f"kid {kid!r} keyed {key!r}", forge_keys.hs256(payload, key, kid=kid))
        for kid, key in files
    ]
    await refused_tokens(caller, tokens)


@check(
    "auth-key-id-injection",
    "A key id never becomes part of a query or a command",
    severity=Severity.HIGH,
    catalogue="AUTH-18",
    source="RFC 8725 §3.10; CWE-89; CWE-78",
    remedy="Compare kid with the configured ids; put it into no query, command or path.",
    why="The header is read before anything is verified: it is the attacker's own text.",
    needs=Vantage.TOKENS,
    explained_by=_UNVERIFIED,
    broken="the key id of a token is executed or interpolated, or breaks the proxy",
)
async def key_id_is_no_query(target: Target, caller: Caller) -> None:
    """Sends SQL, LDAP, shell, control characters and other JSON types as kid, keyed `k`."""
    payload = forge.altered(caller.token)
    kids: tuple[object, ...] = (
        "x' UNION SELECT 'k'-- -",
        'x" UNION SELECT "k"-- -',
        "*)(uid=*",
        "|sleep 5",
        "$(sleep 5)",
        "a\r\nX-Injected: 1",
        "a\x00b",
        "k" * 8192,
        *("1", 1, [], {}, None),
    )
    tokens = [(f"kid {str(kid)[:32]!r}", forge_keys.hs256(payload, b"k", kid=kid)) for kid in kids]
    await refused_soon(caller, tokens)


async def _session_id(target: Target, caller: Caller) -> tuple[str, bool]:
    """Return an MCP session id of the caller, and whether the target itself gave it."""
    if caller.session is None:
        reply = await target.send(replace(initialize(), token=caller.token))
        caller.session = reply.headers.get("mcp-session-id")
    return caller.session or str(uuid.UUID(int=target.random.getrandbits(128))), bool(
        caller.session
    )


@check(
    "auth-session-id",
    "An MCP session id stands for no token",
    severity=Severity.CRITICAL,
    catalogue="AUTH-59",
    source="MCP security best practices, session hijacking",
    remedy="Verify the token on every request, and bind a session to the user who opened it.",
    why="Session ids stand in logs and proxies: whoever has one would have the user's data.",
    needs=Vantage.TOKENS,
    explained_by=("auth-no-token", "auth-wrong-secret", "auth-expired"),
    broken="an MCP session id is accepted in place of a valid token",
)
async def session_id_is_no_token(target: Target, caller: Caller) -> None:
    """Uses a session id with no, a wrongly signed, an expired and another user's token."""
    await caller.control_write()
    session, minted = await _session_id(target, caller)
    call = replace(caller.request("list_notes", {"limit": 5}), session=session)
    control = await target.send(call)
    if minted and not control.ok:
        raise ControlFailed(f"a call in the caller's own session did not work: {control.brief}")
    before = await caller.mark()
    bad = forge.signed(forge.altered(caller.token), target.random.randbytes(32).hex())
    tokens = [("no token", None), ("a wrongly signed token", bad)]
    if Vantage.MINT in target.deployment.vantages:
        old = forge.altered(caller.token, iat=1_000_000_000, exp=1_000_000_600)
        tokens.append(("an expired token", forge.signed(old, target.deployment.tokens.secrets[0])))
    for what, token in tokens:
        reply = await target.send(replace(call, token=token))
        require(reply.status == 401, f"HTTP 401 for a session id with {what}", reply.brief)
    other = target.caller(unlike=caller)
    reply = await target.send(replace(call, token=other.token))
    require(caller.marker not in reply.text, "no data of the session's owner", "the owner's note")
    await nothing_reached_upstream(caller, before)
    await caller.control()


def _mutations(random: Random, token: str) -> Iterator[tuple[str, str]]:
    """Yield (what was done, token) for ever: one change each, and always another signature."""
    while True:
        place, letter = random.randrange(len(token)), random.choice(_BASE64URL)
        parts = token.split(".")
        which = random.randrange(3)
        raw = bytearray(base64.urlsafe_b64decode(parts[which] + "=" * (-len(parts[which]) % 4)))
        raw[random.randrange(len(raw))] ^= 1 << random.randrange(8)
        flipped = [*parts[:which], forge.segment(bytes(raw)), *parts[which + 1 :]]
        random.shuffle(parts)
        changes = {
            f"character {place} replaced": token[:place] + letter + token[place + 1 :],
            f"a character put before {place}": token[:place] + letter + token[place:],
            f"character {place} removed": token[:place] + token[place + 1 :],
            f"cut after {place + 1}": token[: place + 1],
            f"a bit of part {which} flipped": ".".join(flipped),
            "parts in another order": ".".join(parts),
            f"part {which} repeated": f"{token}.{parts[which]}",
        }
        what = random.choice(list(changes))
        if not _same(changes[what], token):
            yield what, changes[what]


def _same(mutated: str, token: str) -> bool:
    """Whether both have the same signed text and signature: spare bits of base64 are no change."""
    if mutated.rpartition(".")[0] != token.rpartition(".")[0]:
        return False
    try:
        return forge.signature_of(mutated) == forge.signature_of(token)
    except ValueError:
        return False


async def _fuzz(target: Target, caller: Caller, number: int) -> None:
    await caller.control()
    before = await caller.mark()
    call = caller.request("list_notes", {"limit": 1})
    mutations = _mutations(target.random, caller.token or "")
    # Eight at a time: enough to be quick, too few to be taken for a flood.
    ends = time.monotonic() + _FUZZ_SECONDS
    for _ in range(number // 8):
        if target.deployment.pace is None and time.monotonic() > ends:
            break
        batch = [next(mutations) for _ in range(8)]
        sent = (target.send(replace(call, token=token)) for _, token in batch)
        for (what, _), reply in zip(batch, await asyncio.gather(*sent), strict=True):
            require_invalid_token(reply, f"a valid token with {what}")
    await nothing_reached_upstream(caller, before)
    await caller.control()


@check(
    "auth-mutated",
    "Small changes to a valid token each make it invalid",
    severity=Severity.CRITICAL,
    catalogue="AUTH-63",
    source="RFC 8725 §3.3",
    remedy="Verify the whole signature over the exact bytes received, before reading claims.",
    why="A parser that repairs what it reads verifies something else than it acts upon.",
    needs=Vantage.TOKENS,
    explained_by=("auth-wrong-secret", "auth-tampered", "auth-garbage-token"),
    broken="tokens with a small change are accepted, or break the proxy",
)
async def mutated_tokens_are_refused(target: Target, caller: Caller) -> None:
    """Makes 200 changes (40 live): bits, characters and parts replaced, added, removed, moved."""
    # Live: some six of each of the seven changes.
    await _fuzz(target, caller, target.sample(200, live=40))


@check(
    "auth-mutated-more",
    "Up to 2,000 small changes to a valid token each make it invalid",
    severity=Severity.CRITICAL,
    catalogue="AUTH-63",
    source="RFC 8725 §3.3",
    remedy="Verify the whole signature over the exact bytes received, before reading claims.",
    why="Some mistakes show in one token of a thousand, or after the first hundred.",
    needs=Vantage.TOKENS,
    profile=Profile.FULL,
    asks=Ask.HEAVY,
    explained_by=("auth-mutated", "auth-wrong-secret", "auth-tampered"),
    broken="some tokens with a small change are accepted, or break the proxy",
)
async def many_mutations_are_refused(target: Target, caller: Caller) -> None:
    """Does what auth-mutated does, 2,000 times (240 live), for at most fifteen seconds."""
    # Live: as many as half of the polite rate sends in the time that a check has.
    await _fuzz(target, caller, target.sample(2000, live=240))


@check(
    "auth-tenant-secret",
    "The secret of the tenant headers signs no tokens",
    severity=Severity.HIGH,
    catalogue="AUTH-09",
    source="RFC 8725 §3.1; CWE-323",
    remedy="Use two secrets: one for tokens, one for tenant headers.",
    why="Whoever may sign tenant headers could otherwise become any user.",
    needs=Vantage.TOKENS,
    explained_by=_UNVERIFIED,
    broken="tokens signed with the tenant-header secret are accepted",
)
async def tenant_secret_signs_no_token(target: Target, caller: Caller) -> None:
    """Signs the caller's own claims with the tenant-header secret."""
    secret = target.deployment.tenant_secret
    if not secret:
        raise NotApplicable("the tenant-header secret is not known")
    token = forge.signed(forge.altered(caller.token), secret)
    await refused_tokens(caller, [("a token keyed with the tenant-header secret", token)])
