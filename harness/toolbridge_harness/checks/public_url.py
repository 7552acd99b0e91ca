"""What a proxy that knows its public URL makes of names: Host, Origin, Location."""

from dataclasses import replace

import httpx

from toolbridge_harness.fronts.edge import PUBLIC_NAME, PUBLIC_URL
from toolbridge_harness.fronts.views import BehindEdge, behind_edge
from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.raw import exchange, request
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import Untestable, require, require_equal
from toolbridge_harness.wire import Call, tool_call

_EVIL = "evil.example"
_PAGE = "https://pages.example"  # a web page that may use the proxy


async def _served(target: Target, call: Call, what: str) -> None:
    reply = await target.send(call)
    if not reply.ok:
        raise Untestable(f"health_check {what} did not succeed: {reply.brief}")


@check(
    "transport-host",
    "With a public URL, requests under any other name are refused",
    severity=Severity.HIGH,
    catalogue="MCP-20",
    source="MCP 2025-11-25 transports, security warning; RFC 9112 §3.2",
    remedy="Compare Host, exactly, with the name of TOOLBRIDGE_PUBLIC_URL and the allowed hosts.",
    why="A name that an attacker rebinds to the proxy lets a web page in as the proxy's own.",
    needs={Vantage.OUTSIDE, Vantage.RESTART},
    profile=Profile.FULL,
    explained_by=("transport-rebinding",),
    broken="requests for other names than the public one are served",
)
async def other_names_are_refused(target: Target, caller: Caller) -> None:
    """Sends health_check under foreign and look-alike names, twice named, and in absolute form."""
    async with behind_edge(target, {"TOOLBRIDGE_ALLOWED_HOSTS": "also.example"}) as proxy:
        good = await proxy.inside.caller().prepared(tool_call("health_check"))
        names = (PUBLIC_NAME, PUBLIC_NAME.upper(), "also.example")
        for view in (proxy.outside, proxy.inside):
            for name in names:
                await _served(view, replace(good, headers=(("Host", name),)), f"as {name}")
        foreign = [_EVIL, f"{PUBLIC_NAME}.{_EVIL}", f"evil-{PUBLIC_NAME}", f"x.{PUBLIC_NAME}"]
        for name in [*foreign, f"{PUBLIC_NAME}@{_EVIL}", f"{PUBLIC_NAME},{_EVIL}"]:
            for extra in (
                (),
                (("Origin", f"http://{name}"),),
                (("X-Forwarded-Host", PUBLIC_NAME),),
            ):
                reply = await proxy.inside.send(replace(good, headers=(("Host", name), *extra)))
                named = " and ".join(header for header, _ in (("Host", name), *extra))
                require(400 <= reply.status < 500, f"HTTP 4xx for {name} in {named}", reply.brief)
        await _raw_names_are_refused(proxy, good)


async def _raw_names_are_refused(proxy: BehindEdge, good: Call) -> None:
    """Send what no HTTP client would: two names, none, and one in the request's target."""
    body = good.body()
    head = request(proxy.inside, good, f"Content-Length: {len(body)}\r\n".encode())
    own, evil = (f"Host: {name}\r\n".encode() for name in (PUBLIC_NAME, _EVIL))
    absolute = head.replace(b"POST ", b"POST http://" + _EVIL.encode(), 1)
    for what, raw in {
        "two Host lines, ours first": head.replace(own, own + evil),
        "two Host lines, ours last": head.replace(own, evil + own),
        "an absolute target": absolute.replace(own, evil),
        "no Host": head.replace(own, b""),
    }.items():
        answer = await exchange(proxy.direct, [raw + body])
        refused = answer.statuses[:1] and 400 <= answer.statuses[0] < 500
        require(refused, f"HTTP 4xx for {what}", answer.brief)


@check(
    "transport-origin-listed",
    "Of web pages only those listed are served, compared whole",
    severity=Severity.HIGH,
    catalogue="MCP-19",
    source="MCP 2025-11-25 transports (MUST validate Origin); RFC 6454 §4",
    remedy="Compare Origin, whole, with TOOLBRIDGE_ALLOWED_ORIGINS: no prefixes, no suffixes.",
    why="A comparison of parts of an origin is met by names that anybody can register.",
    needs={Vantage.OUTSIDE, Vantage.RESTART},
    profile=Profile.FULL,
    explained_by=("transport-origin",),
    broken="web pages are served whose origin merely resembles a listed one",
)
async def unlisted_origins_are_refused(target: Target, caller: Caller) -> None:
    """Allows one page and sends its origin with another scheme, port, prefix, suffix and user."""
    async with behind_edge(target, {"TOOLBRIDGE_ALLOWED_ORIGINS": _PAGE}) as proxy:
        good = await proxy.outside.caller().prepared(tool_call("health_check"))
        allowed = replace(good, headers=(("Origin", _PAGE),))
        await _served(proxy.outside, good, "without an Origin")
        await _served(proxy.outside, allowed, "from the listed page")
        name = httpx.URL(_PAGE).host
        forms = [f"http://{name}", f"{_PAGE}:8443", f"{_PAGE}.{_EVIL}", f"https://evil-{name}"]
        forms += [f"https://x.{name}", f"{_PAGE}@{_EVIL}", f"https://{_EVIL}/{name}", "null"]
        forms += [
            f"https://{_EVIL}?{_PAGE}",
            f"{_PAGE},https://{_EVIL}",
            f"https://{_EVIL}#{_PAGE}",
        ]
        for origin in [*forms, "https://pages", f"http://{PUBLIC_NAME}", f"{PUBLIC_URL}.{_EVIL}"]:
            reply = await proxy.outside.send(replace(good, headers=(("Origin", origin),)))
            require_equal(403, reply.status, f"status for Origin {origin}:")
        await _served(proxy.outside, allowed, "from the listed page, afterwards")


@check(
    "transport-slash-edge",
    "Behind the edge, a trailing slash sends nobody to plain http",
    severity=Severity.HIGH,
    catalogue="MCP-25",
    source="RFC 9110 §15.4; CWE-319",
    remedy="Switch redirects of slashes off, or build them from TOOLBRIDGE_PUBLIC_URL.",
    why="The proxy itself is spoken to in plain, and a redirect built from that leaves TLS.",
    needs={Vantage.OUTSIDE, Vantage.RESTART},
    profile=Profile.FULL,
    explained_by=("transport-trailing-slash",),
    broken="behind an https edge, a trailing slash is redirected to plain http",
)
async def slash_stays_behind_tls(target: Target, caller: Caller) -> None:
    """Posts health_check through the edge with a slash at the end, as the edge's client."""
    async with behind_edge(target) as proxy:
        good = await proxy.outside.caller().prepared(tool_call("health_check"))
        await _served(proxy.outside, good, "through the edge")
        for path in (f"{proxy.outside.mcp_url}/", f"{PUBLIC_URL}//evil.example/.."):
            reply = await proxy.outside.http("POST", path, good.header_list(), good.body())
            require(reply.status < 500, f"HTTP 404, or a redirect, for {path}", reply.brief)
            location = reply.headers.get("location", "")
            kept = httpx.URL(PUBLIC_URL).join(location)
            own = (kept.scheme, kept.host) == ("https", PUBLIC_NAME)
            require(own, "no Location, or one of the public URL", location)
