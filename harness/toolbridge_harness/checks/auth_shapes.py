"""Authentication: tokens in odd shapes, from other serialisations to claims said twice."""

import asyncio
import json
import time
import unicodedata
import zlib
from collections.abc import Callable
from typing import Any

from toolbridge_contract.control import RecordedRequest
from toolbridge_harness import forge, forge_keys
from toolbridge_harness.checks.auth_forged import published_keys, refused_soon
from toolbridge_harness.model import Ask, Severity, Vantage
from toolbridge_harness.refusals import nothing_reached_upstream, refused_tokens
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import require, require_equal

_UNVERIFIED = ("auth-wrong-secret",)
# 401, or a server in front that refuses what is too long (RFC 6585 §5) or not a header.
_REFUSED = (400, 401, 413, 431)


def _secret(target: Target) -> str:
    """Return the signing key; only for checks that need Vantage.MINT."""
    return target.deployment.tokens.secrets[0]


def _raw(text: str) -> str:
    return forge.segment(text.encode())


@check(
    "auth-deep-header",
    "A token header that breaks parsers is refused like any other",
    severity=Severity.HIGH,
    catalogue="AUTH-40",
    source="RFC 8259 §9; OWASP API4:2023; CWE-674",
    remedy="Bound the length and depth of a token before parsing; answer parser errors with 401.",
    why="The header is parsed before anything is verified: anybody can send it.",
    needs=Vantage.TOKENS,
    explained_by=_UNVERIFIED,
    broken="a token header of deep or huge JSON breaks the proxy before it authenticates",
)
async def deep_header_is_refused(target: Target, caller: Caller) -> None:
    """Nests the header 500 to 20,000 deep, and gives it numbers of 6,000 digits."""
    control = await caller.control()
    before = await caller.mark()
    limit = max(1.0, 20 * control.seconds)
    rest = "." + forge.segment(forge.altered(caller.token)) + "." + forge.segment(b"x" * 32)
    headers = {f"a list {n} deep": '{"alg":' + "[" * n + "]" * n + "}" for n in (500, 1500, 20_000)}
    headers["an object 1,200 deep"] = '{"alg":"HS256","x":' + '{"a":' * 1200 + "1" + "}" * 1201
    headers["an unclosed list"] = "[" * 3000
    headers["6,000 digits"] = '{"alg":"HS256","x":' + "9" * 6000 + "}"
    headers["an exponent of 6,000 digits"] = '{"alg":"HS256","x":1e' + "9" * 6000 + "}"
    for what, text in headers.items():
        reply = await caller.call("list_notes", {"limit": 1}, token=_raw(text) + rest)
        require(reply.status in _REFUSED, f"HTTP 401 for a header with {what}", reply.brief)
        if reply.seconds > limit:  # once may be the machine, twice is the token
            reply = await caller.call("list_notes", {"limit": 1}, token=_raw(text) + rest)
        require(reply.seconds <= limit, f"an answer in {limit:.1f} s to {what}", reply.seconds)
    await nothing_reached_upstream(caller, before)
    await caller.control()


@check(
    "auth-serialisation",
    "Only the compact serialisation with its payload is a token",
    severity=Severity.HIGH,
    catalogue="AUTH-44",
    source="RFC 7519 §1; RFC 7515 §7.2, appendix F",
    remedy="Accept three base64url parts and nothing else; never guess the format.",
    why="A token that two parsers read two ways is verified by one and acted upon by the other.",
    needs=Vantage.TOKENS,
    explained_by=_UNVERIFIED,
    broken="a token in another serialisation than the compact one is accepted",
)
async def other_serialisations_are_refused(target: Target, caller: Caller) -> None:
    """Sends the caller's own valid token detached, as JWS JSON, and as a mixture of both."""
    token = caller.token or ""
    header, payload, signature = token.split(".")
    forged = forge.segment(forge.altered(token, sub="somebody-else"))
    one = {"protected": header, "signature": signature}
    flattened = json.dumps({**one, "payload": payload})
    general = json.dumps({"payload": payload, "signatures": [one]})
    mixture = json.dumps({f"{header}.{forged}.": 1, **one, "payload": payload})
    tokens = [
        ("a detached payload", f"{header}..{signature}"),
        ("flattened JWS JSON", flattened),
        ("general JWS JSON", general),
        ("compact JWS JSON", flattened.replace(" ", "")),
        ("JWS JSON in base64url", _raw(flattened)),
        ("a token that is both compact and JSON", mixture),
        ("the token as a JSON text", json.dumps(token)),
    ]
    await refused_tokens(caller, tokens)


@check(
    "auth-encrypted",
    "An encrypted token is refused, and at no cost",
    severity=Severity.HIGH,
    catalogue="AUTH-45",
    source="RFC 7516 §4.1.3; RFC 7518 §4.8; CVE-2023-51774",
    remedy="Refuse what has five parts before any of it is decrypted or unpacked.",
    why="Anybody can encrypt to a public key: that it can be decrypted proves nothing.",
    needs=Vantage.TOKENS,
    # A proxy that unwraps such a key is busy for minutes.
    asks=Ask.HEAVY,
    explained_by=(*_UNVERIFIED, "auth-public-key-as-secret"),
    broken="encrypted tokens are accepted, or keep the proxy busy",
)
async def encrypted_tokens_are_refused(target: Target, caller: Caller) -> None:
    """Encrypts with guessable and with public keys, with 10^9 iterations, and packs 8 MiB."""
    claims = json.dumps(forge.altered(caller.token)).encode()
    key, jwe = target.random.randbytes(32), forge_keys.encrypted
    guesses = (bytes(32), b"secret".ljust(32, b"\0"), caller.tenant.encode().ljust(32, b"\0")[:32])
    tokens = [
        (f"a JWE, dir, keyed {guess[:6]!r}", jwe(claims, guess, b"", alg="dir"))
        for guess in guesses
    ]
    costly = {"alg": "PBES2-HS256+A128KW", "p2c": 10**9, "p2s": forge.segment(b"salt" * 4)}
    tokens.append(("a JWE with 10^9 iterations", jwe(claims, key, key + b"x" * 8, **costly)))
    packer = zlib.compressobj(9, wbits=-15)
    bomb = packer.compress(bytes(8 << 20)) + packer.flush()
    tokens.append(("a JWE that unpacks to 8 MiB", jwe(bomb, bytes(32), b"", alg="dir", zip="DEF")))
    for public, text in await published_keys(target):
        more = {"kid": kid} if (kid := json.loads(text).get("kid")) else {}
        token = jwe(claims, key, forge_keys.wrapped_for(public, key), alg="RSA-OAEP", **more)
        tokens.append(("a JWE encrypted to a public key", token))
    await refused_soon(caller, tokens)


@check(
    "auth-critical-header",
    "A token with critical extensions or an unencoded payload is refused",
    severity=Severity.MEDIUM,
    catalogue=("AUTH-42", "AUTH-43"),
    source="RFC 7515 §4.1.11; RFC 7797 §6, §7",
    remedy="Refuse any crit (no extension is understood) and any b64 that is not true.",
    why="crit says that ignoring the extension changes what the token means.",
    needs=Vantage.MINT,
    explained_by=_UNVERIFIED,
    broken="tokens with critical extensions that nobody understands are accepted",
)
async def critical_headers_are_refused(target: Target, caller: Caller) -> None:
    """Signs with the right key and six values of crit, and with four forms of b64=false."""
    payload = forge.altered(caller.token)
    key = _secret(target).encode()
    lists: tuple[object, ...] = (["http://x/y"], [], "b64", ["exp"], ["b64"], [1])
    tokens = [(f"crit {crit!r}", forge_keys.hs256(payload, key, crit=crit)) for crit in lists]
    tokens.append(("b64 false", forge_keys.hs256(payload, key, b64=False)))
    unencoded = forge_keys.hs256(payload, key, b64=False, crit=["b64"])
    tokens.append(("b64 false and critical", unencoded))
    # RFC 7797: the payload is signed as it is, and stands in the token as it is, or is left out.
    plain = json.dumps(payload, separators=(",", ":"))
    head = forge.segment({"alg": "HS256", "b64": False, "crit": ["b64"]})
    signature = forge_keys.mac(key, f"{head}.{plain}")
    tokens.append(("an unencoded payload", f"{head}.{plain}.{signature}"))
    tokens.append(("b64 false over an encoded payload", f"{head}.{_raw(plain)}.{signature}"))
    await refused_tokens(caller, tokens)


def _session_ids(requests: list[RecordedRequest]) -> set[str]:
    """Return the sync sessions that recorded requests present."""
    headers = [pair for request in requests for pair in request.headers]
    return {value for name, value in headers if name.lower() == "x-sync-session"}


def _twice(caller: Caller, name: str, first: object, last: object) -> bytes:
    """Return the caller's claims with one of them said twice."""
    rest = json.dumps(forge.altered(caller.token, **{name: ...})).removeprefix("{")
    pairs = ", ".join(f"{json.dumps(name)}: {json.dumps(value)}" for value in (first, last))
    return f"{{{pairs}, {rest}".encode()


@check(
    "auth-duplicate-claims",
    "A claim that is said twice never splits the caller in two",
    severity=Severity.HIGH,
    catalogue="AUTH-37",
    source="RFC 7519 §4; RFC 7515 §10.12",
    remedy="Refuse tokens with repeated names, or take the last value as the Go API does.",
    why="A proxy that reads the first value and an API that reads the last see two users.",
    needs=Vantage.MINT,
    explained_by=(*_UNVERIFIED, "auth-expired", "tenant-wrong", "sessions-own"),
    broken="of a claim that is said twice, the proxy reads another value than the Go API",
)
async def duplicate_claims_are_read_once(target: Target, caller: Caller) -> None:
    """Says sub, exp and tenant_id twice: refused, or read as the last value says."""
    await read_once(caller, lambda payload: forge.signed(payload, _secret(target)))


async def read_once(caller: Caller, sign: Callable[[Any], str]) -> None:
    """Require that of each claim that is said twice the last value counts, or none."""
    target = caller.target
    victim = target.caller(unlike=caller)
    await victim.control()
    await caller.control()
    now = int(time.time())
    vectors = (
        ("exp, the last one over", "exp", now + 600, now - 600, (401,)),
        ("exp, the first one over", "exp", now - 600, now + 600, (200, 401)),
        ("tenant_id, the last one foreign", "tenant_id", caller.tenant, "other", (401, 403)),
        ("tenant_id, the first one foreign", "tenant_id", "other", caller.tenant, (200, 401, 403)),
        ("sub, the last one the caller's", "sub", victim.sub, caller.sub, (200, 401)),
    )
    for what, name, first, last, allowed in vectors:
        token = sign(_twice(caller, name, first, last))
        reply = await caller.call("list_notes", {"limit": 1}, token=token)
        require(reply.status in allowed, f"HTTP {allowed} for {what}", reply.brief)
        require(reply.status != 200 or reply.ok, f"one identity for {what}", reply.brief)
    if target.has_upstream:
        mine, theirs = await caller.upstream(), await victim.upstream()
        shared = _session_ids(mine) & _session_ids(theirs)
        require_equal(0, len(shared), "sessions presented by both users:")
    await caller.control()


def _odd_subjects(caller: Caller) -> dict[str, str]:
    """Return subjects that are text, but not such as headers, logs and caches expect."""
    sub = caller.sub
    return {
        "a line break and a header": f"{sub}\r\nX-Injected: 1",
        "a NUL": f"{sub}\x00x",
        "a terminal escape": f"{sub}\x1b[31m",
        "a path": f"../{sub}",
        "a colon": f"{sub}:x",
        "30 KiB": sub + "x" * 30_720,
        "a space in front": f" {sub}",
        "a space behind": f"{sub} ",
        "a composed é": unicodedata.normalize("NFC", f"{sub}é"),
        "a decomposed é": unicodedata.normalize("NFD", f"{sub}é"),
    }


@check(
    "auth-odd-subjects",
    "An odd subject is refused or taken as it is: no two become one",
    severity=Severity.HIGH,
    catalogue="AUTH-32",
    source="RFC 8725 §3.10; CWE-93",
    remedy="Compare subjects byte by byte; trim and normalise nothing; refuse control characters.",
    why="Two subjects that become one share a session, and with it the data.",
    needs={Vantage.MINT, Vantage.UPSTREAM},
    explained_by=("auth-subject", "sessions-own"),
    broken="an odd subject breaks the proxy, gets into a header, or becomes another user",
)
async def odd_subjects_are_opaque(target: Target, caller: Caller) -> None:
    """Calls as subjects with control characters, spaces, 30 KiB, and two spellings of é."""
    await caller.control()
    owners = dict.fromkeys(_session_ids(await caller.upstream()), "the plain subject")
    for what, sub in _odd_subjects(caller).items():
        target.deployment.callers[sub] = caller.marker
        token = forge.signed(forge.altered(caller.token, sub=sub), _secret(target))
        reply = await caller.call("list_notes", {"limit": 1}, token=token)
        good = reply.status in (200, 403, *_REFUSED) and reply.code != "internal"
        require(good, f"a success or a refusal of a sub with {what}", reply.brief)
        for request in await target.mock.requests(sub):
            injected = [name for name, _ in request.headers if name.lower() == "x-injected"]
            require_equal([], injected, "headers out of a subject:")
            for session in _session_ids([request]):
                owner = owners.setdefault(session, what)
                require_equal(what, owner, "the session's subject, the one with")
    await caller.control()


class _Listener:
    """A server of the harness that a correct proxy never asks: counts who does."""

    def __init__(self, body: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        self._answer = f"{head}\r\nConnection: close\r\n\r\n".encode() + body
        self.hits = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.hits += 1
        await reader.read(8192)
        writer.write(self._answer)
        writer.close()


@check(
    "auth-key-address",
    "An address of a key in a token is never asked",
    severity=Severity.HIGH,
    catalogue="AUTH-16",
    source="RFC 7515 §4.1.2, §4.1.5; RFC 8725 §3.10; CWE-918",
    remedy="Ignore jku, x5u and x5c; fetch keys from the configured address alone.",
    why="Whoever chooses the address chooses the key, and makes the proxy call inside hosts.",
    needs={Vantage.TOKENS, Vantage.UPSTREAM},
    explained_by=_UNVERIFIED,
    broken="the proxy asks an address that a token names, or takes the key from there",
)
async def key_addresses_are_not_asked(target: Target, caller: Caller) -> None:
    """Serves the attacker's keys beside the mock, and names them in forged and in good tokens."""
    payload, secret = forge.altered(caller.token), target.random.randbytes(32)
    public = (await asyncio.to_thread(forge_keys.attacker_key)).public_key()
    oct_key = {"kty": "oct", "k": forge.segment(secret), "kid": "o", "alg": "HS256"}
    rsa_key = forge_keys.jwk(public) | {"kid": "r", "alg": "RS256"}
    listener = _Listener(json.dumps({"keys": [rsa_key, oct_key]}).encode())
    host = target.deployment.mock_address.rpartition(":")[0].strip("[]")
    async with await asyncio.start_server(listener.answer, host, 0) as server:
        url = f"http://{host}:{server.sockets[0].getsockname()[1]}/keys.json"
        tokens = [
            ("RS256 with x5c", forge_keys.rs256(payload, x5c=[forge_keys.certificate()])),
            ("jku of a file", forge_keys.hs256(payload, b"", jku="file:///dev/null")),
        ]
        for name in ("jku", "x5u"):
            address = {name: url}
            tokens += [
                (f"RS256 with {name}", forge_keys.rs256(payload, kid="r", **address)),
                (f"HS256 with {name}", forge_keys.hs256(payload, secret, kid="o", **address)),
            ]
        await refused_tokens(caller, tokens)
        if Vantage.MINT in target.deployment.vantages:
            header = {"jku": url, "x5u": url}
            good = forge_keys.hs256(payload, _secret(target).encode(), **header)
            reply = await caller.call("list_notes", {"limit": 1}, token=good)
            require(reply.status in (200, 401), "HTTP 200 or 401 for a good token", reply.brief)
    require_equal(0, listener.hits, "requests for the address in a token:")
