"""The edge of a live deployment: plain HTTP, TLS, and the clock behind it."""

import asyncio
import datetime
import ssl
import time
import warnings
from email.utils import parsedate_to_datetime
from urllib.request import getproxies, proxy_bypass

import httpx

from toolbridge_harness.model import Severity
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import (
    Advisory,
    NoAnswer,
    NotApplicable,
    Unreachable,
    Untestable,
    Violation,
    require,
)
from toolbridge_harness.wire import Reply, tool_call

_CONNECT_SECONDS = 5.0
_DAYS_LEFT = 14  # ACME clients renew a month before the end: later, the renewal has failed
# The Go API refuses timestamps that are 300 s off; from the catalogue's figures on, it is close.
_SKEW_RED, _SKEW_SHOWN = 240.0, 30.0
_DUMMY = "dummy.token.only"  # what travels in clear on purpose must be worth nothing


def _https(target: Target) -> httpx.URL:
    url = httpx.URL(target.origin)
    if url.scheme != "https":
        raise NotApplicable("the target is not an https URL")
    return url


async def _control(target: Target) -> Reply:
    reply = await target.send(tool_call("health_check"))
    if reply.status >= 500:
        raise Untestable(f"the target itself is not served: {reply.brief}")
    return reply


@check(
    "transport-plain-http",
    "Over plain http the target serves nothing, and leads to https at most",
    severity=Severity.HIGH,
    catalogue="DEP-01",
    source="CWE-319; Fly force_https",
    remedy="Set force_https = true in fly.toml (or redirect port 80 at your edge).",
    why="A client with the wrong scheme would send its token in clear, and never notice.",
    broken="the deployment is served over plain http",
)
async def plain_http_is_not_served(target: Target, caller: Caller) -> None:
    """Posts health_check over http, with a token that is worth nothing."""
    url = _https(target)
    await _control(target)
    plain = url.copy_with(scheme="http", port=url.port or 80, path=target.deployment.mcp_path)
    call = tool_call("health_check", token=_DUMMY)
    try:
        reply = await target.http("POST", str(plain), call.header_list(), call.body())
    except (Unreachable, NoAnswer):
        return
    if 300 <= reply.status < 400:
        location = plain.join(reply.headers.get("location", ""))
        kept = (location.scheme, location.host) == ("https", url.host)
        require(kept, "a redirect to https on the same host", location)
        return
    refused = 400 <= reply.status < 500 and reply.status != 401 and reply.message is None
    require(refused, "a redirect to https, or no service at all, over http", reply.brief)


@check(
    "transport-tls",
    "The target's TLS is of this decade, and its certificate is good for two more weeks",
    severity=Severity.HIGH,
    catalogue="DEP-02",
    source="OAuth 2.1 §1.5 (MCP authorization); RFC 8996; RFC 6797",
    remedy="Serve TLS 1.2 or later alone; find out why the certificate is not renewed.",
    why="When the certificate ends, every client ends with it, at once.",
    broken="the target's TLS is outdated, or its certificate is about to end",
)
async def tls_is_sound(target: Target, caller: Caller) -> None:
    """Reads version and certificate of one handshake, and offers TLS 1.1 in another."""
    url = _https(target)
    proxied = target.deployment.http.trust_env and "https" in getproxies()
    if proxied and not proxy_bypass(url.host):
        raise NotApplicable("a raw socket does not go through this environment's HTTP proxy")
    reply = await _control(target)
    try:
        version, ends = await _handshake(url, ssl.create_default_context())
    except ssl.SSLCertVerificationError as error:
        raise Violation(f"a certificate for {url.host}", error.verify_message) from None
    except (OSError, TimeoutError) as error:
        raise Untestable(f"no handshake: {type(error).__name__}") from None
    require(version in ("TLSv1.2", "TLSv1.3"), "TLS 1.2 or later", version)
    left = datetime.timedelta(seconds=ends - time.time()).days
    require(left >= _DAYS_LEFT, f"a certificate for {_DAYS_LEFT} days or more", f"{left} days")
    try:
        old, _ = await _handshake(url, _outdated())
    except (OSError, TimeoutError):
        old = ""
    require(not old, "TLS 1.1 and older to be refused", f"a handshake with {old}")
    if "strict-transport-security" not in reply.headers:
        raise Advisory("Strict-Transport-Security", "none: browsers will try plain http first")


def _outdated() -> ssl.SSLContext:
    """Return a context that speaks TLS 1.0 and 1.1 alone, and believes anybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # OpenSSL 3 has none for them at level 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # deprecated is what is wanted
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


async def _handshake(url: httpx.URL, context: ssl.SSLContext) -> tuple[str, float]:
    """Return the TLS version, and when the certificate ends (Unix seconds; 0 if not verified)."""
    async with asyncio.timeout(_CONNECT_SECONDS):
        _, writer = await asyncio.open_connection(url.host, url.port or 443, ssl=context)
    secured = writer.get_extra_info("ssl_object")
    version, certificate = secured.version(), secured.getpeercert() or {}
    writer.transport.abort()
    return version, float(
        ssl.cert_time_to_seconds(certificate.get("notAfter", "")) if certificate else 0
    )


@check(
    "transport-clock",
    "The target's clock agrees with this machine's",
    severity=Severity.HIGH,
    catalogue="DEP-13",
    source="RFC 9110 §6.6.1; the signature's window of 300 s",
    remedy="Restart the machine, or set its clock; suspended machines wake with an old one.",
    why="Beyond 300 s every signature is refused, and tokens seem expired or not yet valid.",
    broken="the target's clock is wrong",
)
async def clocks_agree(target: Target, caller: Caller) -> None:
    """Compares Date of an answer with the time here, before and after it."""
    before = time.time()
    reply = await _control(target)
    after = time.time()
    try:
        there = parsedate_to_datetime(reply.headers.get("date", "")).timestamp()
    except ValueError:
        raise NotApplicable("the answer has no Date") from None
    # Date has whole seconds, so the answer may be as much younger.
    skew = max(before - (there + 1), there - after, 0.0)
    said = f"{skew:.0f} s"
    require(skew <= _SKEW_RED, f"a Date within {_SKEW_RED:g} s of the time here", said)
    if skew > _SKEW_SHOWN:
        raise Advisory(f"a Date within {_SKEW_SHOWN:g} s of the time here", said)
