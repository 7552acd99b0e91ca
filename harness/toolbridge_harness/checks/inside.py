"""Callers inside the private network, and headers that only the edge may write."""

import json
from dataclasses import replace

from toolbridge_harness.fronts.edge import fly_headers
from toolbridge_harness.fronts.views import behind_edge
from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.refusals import require_forbidden, require_invalid_token
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import Violation, require, require_equal
from toolbridge_harness.wire import Reply

Headers = tuple[tuple[str, str], ...]

# fdaa::/16 are the addresses of Fly's private network.
_PRIVATE = "fdaa:0:1:a7b:1::2"


def _named(address: str) -> Headers:
    names = ("X-Forwarded-For", "X-Real-IP", "Fly-Client-IP", "X-Client-IP", "True-Client-IP")
    return (*((name, address) for name in names), ("Forwarded", f'for="[{address}]"'))


# What a proxy could take for a sign that the caller is one of its own.
_SIGNS: dict[str, Headers] = {
    "no forwarding headers": (),
    "the headers of Fly's edge": tuple(fly_headers("203.0.113.9").items()),
    "an address of the private network": _named(_PRIVATE),
    "a loopback address": _named("127.0.0.1"),
    "the name of an internal caller": (
        ("Fly-Replay-Src", "instance=0e286039f42e86;region=ord;t=1700000000"),
        ("X-Forwarded-Host", "localhost"),
        ("X-Internal-Request", "true"),
    ),
}


async def _refused_as_ever(caller: Caller, signs: dict[str, Headers]) -> None:
    """Require that no sign lets in who has no token, a bad one, or one of another tenant."""
    await caller.control()
    tokens = caller.target.deployment.tokens
    foreign = tokens.foreign(caller.sub, f"other-{caller.target.random.randrange(9999)}")
    for what, headers in signs.items():
        call = replace(caller.request("list_notes", {"limit": 1}), headers=headers)
        reply = await caller.send(replace(call, token=None))
        require_equal(401, reply.status, f"status without a token, with {what}:")
        reply = await caller.send(replace(call, token="e30.e30.e30"))  # noqa: S106 - no token
        require_invalid_token(reply, f"a bad token with {what}")
        if foreign is not None:
            reply = await caller.send(replace(call, token=foreign))
            require_forbidden(reply, f"another tenant's token with {what}")
        reply = await caller.send(call)
        require(reply.ok, f"the caller's own token to work with {what}", reply.brief)


@check(
    "auth-inside",
    "Headers that speak of the private network replace no token and no tenant",
    severity=Severity.HIGH,
    catalogue="DEP-09",
    source="OWASP API2:2023; Fly private networking",
    remedy="Verify token and tenant of every request; read no forwarding header for it.",
    why="Every machine of the organisation reaches the proxy, and can write any header.",
    needs=Vantage.TOKENS,
    explained_by=("control-token", "auth-no-token", "auth-garbage-token", "tenant-wrong"),
    broken="callers who claim to be inside the private network are trusted",
)
async def insiders_are_nobody(target: Target, caller: Caller) -> None:
    """Sends no token, a bad one and a foreign one with five kinds of headers of an insider."""
    await _refused_as_ever(caller, _SIGNS)


@check(
    "auth-around-edge",
    "Around the edge, token and tenant are checked as they are behind it",
    severity=Severity.HIGH,
    catalogue="DEP-09",
    source="OWASP API2:2023; Fly private networking",
    remedy="Take no request for one of ours because the edge is not, or is, in its headers.",
    why="app.internal:8001 is open to every machine of the organisation, past the edge.",
    needs={Vantage.TOKENS, Vantage.RESTART},
    profile=Profile.FULL,
    explained_by=("auth-inside", "auth-no-token", "auth-garbage-token", "tenant-wrong"),
    broken="around the edge, callers are trusted who are refused behind it",
)
async def around_the_edge_nothing_changes(target: Target, caller: Caller) -> None:
    """Sends the same requests through an edge that adds Fly's headers, and around it."""
    async with behind_edge(target) as proxy:
        for view in (proxy.outside, proxy.inside):
            await _refused_as_ever(view.caller(), _SIGNS)


def _claims(canary: str) -> Headers:
    host = f"{canary}.example"
    return (
        ("X-Forwarded-Host", host),
        ("X-Forwarded-Server", host),
        ("X-Original-Host", host),
        ("Forwarded", f"for={canary};host={host};proto=http"),
        ("X-Forwarded-For", f"192.0.2.7, {canary}"),
        ("X-Forwarded-Port", "81"),
        ("X-Forwarded-Prefix", f"/{canary}"),
        ("X-Real-IP", canary),
        ("Fly-Client-IP", canary),
        ("Fly-Region", canary),
        ("Fly-Force-Instance-Id", canary),
        ("Fly-Prefer-Region", canary),
        ("X-Original-URL", f"/healthz?{canary}"),
        ("X-Rewrite-URL", f"/healthz?{canary}"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-HTTP-Method", "DELETE"),
        ("X-Method-Override", "DELETE"),
    )


def _unmoved(reply: Reply, canary: str, what: str) -> None:
    told = f"{reply.text}\n{list(reply.headers.items())}"
    require(canary not in told, f"nothing of the caller's forwarding headers in {what}", told[:300])


@check(
    "isolation-forwarding",
    "Forwarding headers of the caller change no answer, and go no further",
    severity=Severity.MEDIUM,
    catalogue="DEP-10",
    source="OWASP API8:2023; RFC 7239 §8",
    remedy="Build URLs from TOOLBRIDGE_PUBLIC_URL; copy no header upstream; override no method.",
    why="The Go API logs X-Forwarded-For as the caller's address, and links lead where it says.",
    needs={Vantage.TOKENS, Vantage.UPSTREAM, Vantage.RESTART},
    profile=Profile.FULL,
    explained_by=("control-token", "isolation-client-headers", "auth-inside"),
    broken="forwarding headers that a caller makes up have an effect",
)
async def forwarding_headers_are_inert(target: Target, caller: Caller) -> None:
    """Makes up seventeen of them, through the edge and around it, and reads what comes of it."""
    canary = f"canary-{target.random.getrandbits(48):012x}"
    claims = _claims(canary)
    async with behind_edge(target, {"TOOLBRIDGE_JWT_ISSUER": "https://issuer.example"}) as proxy:
        for view in (proxy.outside, proxy.inside):
            user = view.caller()
            await user.control()
            seen = await user.mark()
            reply = await user.call("list_notes", {"limit": 1}, headers=claims)
            require(reply.ok, "list_notes to succeed as ever", reply.brief)
            for request in await user.upstream(seen):
                shown = json.dumps([request.method, request.target, request.headers])
                if canary in shown or "fly-" in shown.lower():
                    raise Violation("no forwarding header upstream", shown[:400])
            refused = await user.call("list_notes", {"limit": 1}, headers=claims, token=None)
            require_equal(401, refused.status, "status without a token, with the headers:")
            _unmoved(refused, canary, "the challenge")
            for path in ("/", "/mcp/", "/.well-known/oauth-protected-resource"):
                answer = await view.http("GET", view.origin + path, list(claims))
                _unmoved(answer, canary, f"the answer to GET {path}")
