"""Probes P1 to P4: name, connection, TLS and the first HTTP answer, from this machine."""

import socket
import ssl
import time
from email.utils import parsedate_to_datetime

import httpx

from toolbridge_harness.doctor.model import Probe

# As long as a TCP stack needs for two lost packets, and short enough for four dead addresses.
CONNECT_SECONDS = 5.0
TRIED_ADDRESSES = 4
# The Date header has whole seconds, and half of one is what its middle can be wrong by.
CLOCK_SECONDS, DATE_MIDDLE = 2.0, 0.5
METADATA = "/.well-known/oauth-protected-resource"


def resolve(host: str, port: int) -> tuple[Probe, list[str]]:
    """P1: the addresses of `host`, IPv4 before IPv6."""
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, port)}
    except (OSError, UnicodeError) as error:
        got = getattr(error, "strerror", None) or "it is not a host name"
        return Probe(
            "resolve", "P1", f"resolve {host}", got, "addresses", False, {"error": got}
        ), []
    addresses = sorted(found, key=lambda address: (":" in address, address))
    got = ", ".join(addresses)
    return Probe("resolve", "P1", f"resolve {host}", got, "addresses", True), addresses


def _dial(address: str, port: int) -> str | None:
    """Return why there is no connection, or None."""
    try:
        socket.create_connection((address, port), CONNECT_SECONDS).close()
    except OSError as error:
        return error.strerror or "timed out"
    return None


def connect(addresses: list[str], port: int) -> Probe:
    """P2: a connection to each address; when all of 443 fail, port 80 is tried too."""
    tried = {address: _dial(address, port) for address in addresses[:TRIED_ADDRESSES]}
    ok = any(problem is None for problem in tried.values())
    facts = {
        "v6_only": all(":" in address for address in tried),
        "port_80": not ok and port == 443 and any(_dial(a, 80) is None for a in tried),
    }
    got = "; ".join(f"{address} {problem or 'open'}" for address, problem in tried.items())
    got += "; port 80 is open" if facts["port_80"] else ""
    return Probe("connect", "P2", f"connect to port {port}", got, "a connection", ok, facts)


def handshake(host: str, port: int) -> Probe:
    """P3: TLS with SNI, verified as clients do."""
    context = ssl.create_default_context()
    error, got = None, ""
    try:
        with (
            socket.create_connection((host, port), CONNECT_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            until = (secured.getpeercert() or {}).get("notAfter")
            got = f"{secured.version()}, certificate valid until {until}"
    except ssl.SSLCertVerificationError as problem:
        error = problem.verify_message
    except OSError as problem:
        error = getattr(problem, "reason", None) or problem.strerror or "no handshake in time"
    expected = f"a certificate for {host}"
    seen = {"error": error}
    return Probe("tls", "P3", f"TLS handshake as {host}", error or got, expected, not error, seen)


def edge(client: httpx.Client, origin: str) -> tuple[Probe, float | None]:
    """P4: GET / without a token; also the deployment's clock minus this one's, in seconds."""
    started = time.time()
    try:
        answer = client.get(f"{origin}/", timeout=CONNECT_SECONDS * 2)
    except httpx.HTTPError as error:
        got = f"no HTTP answer: {type(error).__name__}"
        return Probe("edge", "P4", f"GET {origin}/", got, "any HTTP answer", True), None
    took = time.time() - started
    to = answer.headers.get("location", "")
    names = ("server", "via", "fly-request-id", "date", "location")
    told = [f"{name}: {answer.headers[name]}" for name in names if name in answer.headers]
    secured = origin.startswith("http://") and to.startswith("https://")
    facts = {"to_https": secured, "resource_metadata": _metadata(client, origin)}
    got = ", ".join([f"HTTP {answer.status_code}", *told])
    skew = date_skew(answer.headers.get("date"), started, took)
    made = Probe("edge", "P4", f"GET {origin}/", got, "any HTTP answer", not secured, facts)
    return made, skew


def _metadata(client: httpx.Client, origin: str) -> int | None:
    try:
        return client.get(f"{origin}{METADATA}", timeout=CONNECT_SECONDS).status_code
    except httpx.HTTPError:
        return None


def date_skew(date: str | None, started: float, took: float) -> float | None:
    """Return that clock minus this one in seconds, 0.0 where the header cannot tell."""
    try:
        there = parsedate_to_datetime(date or "").timestamp() + DATE_MIDDLE
    except (ValueError, OverflowError):
        return None
    skew = there - (started + took / 2)
    return skew if abs(skew) > CLOCK_SECONDS + took / 2 else 0.0


def clock(skew: float) -> Probe:
    """Row 34: this machine's clock beside the deployment's Date header."""
    got = f"the deployment's clock is {skew:+.1f} s off this one" if skew else "no difference"
    expected = f"within {CLOCK_SECONDS:g} s"
    return Probe("clock", "P4", "compare Date with the clock here", got, expected, not skew)
