"""Authentication: where the token stands, and what else the request says about the caller."""

import os
from dataclasses import replace

from toolbridge_contract.control import RecordedRequest
from toolbridge_harness import forge
from toolbridge_harness.model import Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import NotApplicable, Violation, require, require_equal
from toolbridge_harness.wire import Era


def _session(request: RecordedRequest) -> str:
    return "".join(v for k, v in request.headers if k.lower() == "x-sync-session")


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
    explained_by=("auth-no-token", "sessions-own"),
    broken="a header in which the caller names a user is believed or forwarded",
)
async def identity_headers_are_ignored(target: Target, caller: Caller) -> None:
    """Names a user who has a session in six headers, with and without a token of one's own."""
    victim = target.caller(unlike=caller)
    await victim.control()
    names = ("X-Debug-Sub", "X-User", "X-Sub", "X-Auth-Request-User", "X-Forwarded-User")
    headers = tuple((name, victim.sub) for name in (*names, "X-Remote-User"))
    reply = await caller.call("list_notes", {"limit": 1}, token=None, headers=headers)
    require(reply.status == 401, "HTTP 401 without a token", reply.brief)
    await caller.control()
    reply = await caller.call("list_notes", {"limit": 1}, headers=headers)
    require(reply.ok, "the caller's own call to work", reply.brief)
    if target.has_upstream:
        others = {_session(request) for request in await victim.upstream()} - {""}
        for request in await caller.upstream():
            sent = {name.lower() for name, _ in request.headers}
            leaked = sorted(sent & {name.lower() for name, _ in headers})
            require_equal([], leaked, "identity headers upstream:")
            require(_session(request) not in others, "the caller's own session", "the victim's")


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
    other = target.caller(unlike=caller)
    bad = forge.signed(forge.altered(caller.token), "x" * 40)
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
    if Era.MODERN not in target.deployment.eras:
        raise NotApplicable(f"the target does not offer {Era.MODERN.value}")
    await caller.control()
    bad = forge.signed(forge.altered(caller.token), os.urandom(32).hex())
    call = replace(caller.request("list_notes", {"limit": 1}), era=Era.MODERN, session=None)
    good = await target.send(call)
    require(good.ok, "a valid call in the 2026-07-28 era to work", good.brief)
    for what, token in (("no token", None), ("a wrongly signed token", bad)):
        reply = await target.send(replace(call, token=token))
        if reply.status != 401:
            raise Violation(f"HTTP 401 for {what} in the 2026-07-28 era", reply.brief)
