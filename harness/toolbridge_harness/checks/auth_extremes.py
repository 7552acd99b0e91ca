"""Authentication: well-signed tokens that are huge, nested, no objects, or good for ever."""

import json
import time
from dataclasses import replace

from toolbridge_harness import forge, forge_keys
from toolbridge_harness.model import Ask, Severity, Vantage
from toolbridge_harness.raw import exchange, request
from toolbridge_harness.refusals import (
    nothing_reached_upstream,
    refused_tokens,
    require_invalid_token,
)
from toolbridge_harness.registry import check
from toolbridge_harness.target import REQUEST_SECONDS, Caller, Target
from toolbridge_harness.verdicts import Advisory, require

_HEADER = b'{"alg":"HS256","typ":"JWT"}'
# 401, or a server in front that refuses what is too long (RFC 6585 §5).
_REFUSED = (400, 401, 413, 431)
_TEN_YEARS = 10 * 365 * 86_400
_KIB = 1024
# What one write hands to the connection, so that an answer is seen before all of a token is sent.
_PART = 64 * _KIB


def _signed(target: Target, header: bytes, claims: bytes) -> str:
    body = f"{forge.segment(header)}.{forge.segment(claims)}"
    return f"{body}.{forge_keys.mac(target.deployment.tokens.secrets[0].encode(), body)}"


@check(
    "auth-claims-shape",
    "A signed token whose header or claims are no object is refused",
    severity=Severity.MEDIUM,
    catalogue="AUTH-38",
    source="RFC 7519 §7.2",
    remedy="Check that header and claims are JSON objects before reading a name in them.",
    why="Whoever reads a name in a list crashes: 500, and a trace in the log for every such call.",
    needs=Vantage.MINT,
    explained_by=("auth-wrong-secret",),
    broken="a token whose header or claims are no JSON object breaks the proxy, or gets in",
)
async def only_objects_are_claims(target: Target, caller: Caller) -> None:
    """Signs lists, texts, numbers, true and null in place of the claims, and of the header."""
    claims = json.dumps(forge.altered(caller.token)).encode()
    shapes = [b"[]", b"[%b]" % claims, b'"x"', b"5", b"true", b"null", json.dumps("{}").encode()]
    tokens = [(f"claims {s.decode()[:12]}", _signed(target, _HEADER, s)) for s in shapes]
    headers = [b"[]", b"[%b]" % _HEADER, b'"HS256"', b"null", b"5"]
    tokens += [(f"a header {h.decode()[:12]}", _signed(target, h, claims)) for h in headers]
    await refused_tokens(caller, tokens)


@check(
    "auth-huge-claims",
    "A signed token with a claim that breaks parsers is refused",
    severity=Severity.MEDIUM,
    catalogue="AUTH-41",
    source="RFC 8259 §9; CWE-674",
    remedy="Bound the depth and the digits of what is parsed; answer parser errors with 401.",
    why="Whoever gets a token signed could otherwise choose when the proxy fails.",
    needs=Vantage.MINT,
    explained_by=("auth-wrong-secret", "auth-deep-header"),
    broken="a signed token with a deep or huge claim breaks the proxy, or gets in",
)
async def huge_claims_are_refused(target: Target, caller: Caller) -> None:
    """Signs claims nested 20,000 and 3,000 deep, and integers of 5,000 digits, one as expiry."""
    good = json.dumps(forge.altered(caller.token))
    endless = json.dumps(forge.altered(caller.token, exp="EXP")).replace('"EXP"', "9" * 5000)
    claims = {
        "a claim nested 20,000 deep": good[:-1] + ', "x": ' + "[" * 20_000 + "]" * 20_000 + "}",
        "an integer of 5,000 digits": good[:-1] + ', "x": ' + "9" * 5000 + "}",
        "an expiry of 5,000 digits": endless,
    }
    await caller.control()
    before = await caller.mark()
    for what, text in claims.items():
        token = _signed(target, _HEADER, text.encode())
        reply = await caller.call("list_notes", {"limit": 1}, token=token)
        require(reply.status in _REFUSED, f"HTTP 401 for {what}", reply.brief)
    await nothing_reached_upstream(caller, before)
    # Within the usual limits of a head, and of some parsers: it may be served, and must not crash.
    text = good[:-1] + ', "x": ' + "[" * 3000 + "]" * 3000 + "}"
    token = _signed(target, _HEADER, text.encode())
    reply = await caller.call("list_notes", {"limit": 1}, token=token)
    require(reply.ok or reply.status in _REFUSED, "success or 401 for 3,000 levels", reply.brief)
    await caller.control()


@check(
    "auth-nested",
    "A token inside a signed token is not believed",
    severity=Severity.MEDIUM,
    catalogue="AUTH-46",
    source="RFC 8725 §3.3; RFC 7519 §5.2",
    remedy="Take claims from a JSON object alone; never unpack a payload that is another token.",
    why="The outer signature says nothing about who wrote the inner claims.",
    needs=Vantage.MINT,
    explained_by=("auth-wrong-secret",),
    broken="the claims of a token inside another token are believed",
)
async def inner_tokens_are_no_claims(target: Target, caller: Caller) -> None:
    """Wraps unsigned, wrongly signed and good tokens into well-signed ones with cty JWT."""
    payload = forge.altered(caller.token)
    header = b'{"alg":"HS256","typ":"JWT","cty":"JWT"}'
    inner = {
        "unsigned": forge.unsigned(payload, "none"),
        "wrongly signed": forge.signed(payload, target.random.randbytes(32).hex()),
        "good": caller.token or "",
    }
    tokens = []
    for what, token in inner.items():
        for form, text in (("", token), (", as a JSON text", json.dumps(token))):
            outer = _signed(target, header, text.encode())
            tokens.append((f"a token around one that is {what}{form}", outer))
    await refused_tokens(caller, tokens)


@check(
    "auth-far-expiry",
    "An expiry beyond the calendar is refused, and breaks nothing",
    severity=Severity.MEDIUM,
    catalogue="AUTH-28",
    source="RFC 7519 §2, §4.1.4; RFC 8725 §3.10",
    remedy="Refuse an exp later than the year 9999: it is in milliseconds, or made up.",
    why="An issuer that writes milliseconds makes tokens that never expire.",
    needs=Vantage.MINT,
    explained_by=("auth-wrong-secret", "auth-no-expiry"),
    broken="an expiry in the far future breaks the proxy",
)
async def far_expiry_is_refused(target: Target, caller: Caller) -> None:
    """Signs an expiry in milliseconds, of 2^63 and of 2^70 seconds, and one in ten years."""
    now = int(time.time())
    await caller.control()
    accepted = []
    expiries = {"in milliseconds": (now + 600) * 1000, "of 2^63": 2**63, "of 2^70": 2**70}
    # How long a token may live is for its issuer to say: ten years may be served, or refused.
    for what, exp in ({"in ten years": now + _TEN_YEARS} | expiries).items():
        claims = json.dumps(forge.altered(caller.token, exp=exp)).encode()
        token = _signed(target, _HEADER, claims)
        reply = await caller.call("list_notes", {"limit": 1}, token=token)
        if not reply.ok:
            require_invalid_token(reply, f"a token with an expiry {what}")
        elif what in expiries:
            accepted.append(what)
    await caller.control()
    if accepted:
        raise Advisory("an expiry beyond the year 9999 to be refused", ", ".join(accepted))


@check(
    "auth-long-token",
    "A token of any length is refused at once",
    severity=Severity.MEDIUM,
    catalogue="AUTH-48",
    source="RFC 6585 §5; OWASP API4:2023",
    remedy="Bound the size of the request's head, and answer 431; bound the token, and answer 401.",
    why="The header is read before anything is verified: anybody can send megabytes of it.",
    needs=Vantage.TOKENS,
    asks=Ask.HEAVY,
    explained_by=("auth-wrong-secret", "auth-garbage-token"),
    broken="a long token breaks the proxy, or keeps it busy",
)
async def long_tokens_are_refused(target: Target, caller: Caller) -> None:
    """Sends wrongly signed tokens of 8 KiB, 64 KiB, 1 MiB and 2 MiB."""
    control = await caller.control()
    before = await caller.mark()
    limit = max(1.0, 20 * control.seconds)
    call = await caller.prepared(caller.request("list_notes", {"limit": 1}))
    length = f"Content-Length: {len(call.body())}\r\n".encode()
    for size in (8, 64, 1024, 2048):
        padding = "x" * (size * _KIB * 3 // 4)
        token = forge.signed(forge.altered(caller.token, padding=padding), "k" * 40)
        whole = request(target, replace(call, token=token), length) + call.body()
        parts = [whole[start : start + _PART] for start in range(0, len(whole), _PART)]
        answer = await exchange(target, parts, seconds=REQUEST_SECONDS)
        if answer.seconds > limit:  # once may be the machine, twice is the token
            answer = await exchange(target, parts, seconds=REQUEST_SECONDS)
        # A connection that ends while more is on its way says the same, less politely.
        cut = not answer.data and answer.closed and answer.unsent
        refused = cut or answer.statuses[:1] in [[status] for status in _REFUSED]
        require(refused, f"HTTP 401 or 431 for a token of {size} KiB", answer.brief)
        took = f"{answer.seconds:.1f} s"
        require(answer.seconds <= limit, f"an answer to {size} KiB within {limit:.1f} s", took)
    await nothing_reached_upstream(caller, before)
    await caller.control()


@check(
    "auth-two-places",
    "Beside a token in the header, one in the query changes nothing",
    severity=Severity.MEDIUM,
    catalogue="AUTH-53",
    source="RFC 6750 §2",
    remedy="Read the Authorization header and nothing else, or refuse requests with two tokens.",
    why="A link could otherwise make one user act, unnoticed, as another.",
    needs=Vantage.TOKENS,
    explained_by=(
        *("control-token", "auth-wrong-secret", "auth-token-elsewhere"),
        *("sessions-own", "isolation-connection"),
    ),
    broken="a token in the query replaces the one in the header",
)
async def header_token_counts(target: Target, caller: Caller) -> None:
    """Puts another user's token into the query beside a good header, and beside a bad one."""
    other = target.caller(unlike=caller)
    for user in (caller, other):
        await user.control_write()
    call = await caller.prepared(caller.request("list_notes", {"limit": 1000}))
    bad = forge.signed(forge.altered(caller.token), target.random.randbytes(32).hex())
    for name in ("access_token", "token"):
        url = f"{target.mcp_url}?{name}={other.token}"
        reply = await target.http("POST", url, call.header_list(), call.body())
        require(reply.ok or reply.status in (400, 401), "success, 400 or 401", reply.brief)
        require(other.marker not in reply.text, "nothing of the user in the query", "their note")
        require(not reply.ok or caller.marker in reply.text, "the caller's own note", reply.brief)
        wrong = replace(call, token=bad)
        reply = await target.http("POST", url, wrong.header_list(), wrong.body())
        require(reply.status in (400, 401), f"HTTP 401 for a bad token and ?{name}=", reply.brief)
