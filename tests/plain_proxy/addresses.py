"""Which URLs and host names are accepted as settings."""

import ipaddress
import re
import socket
from urllib.parse import SplitResult, urlsplit

# Names that no public resolver answers, so that plain http to them stays inside.
_PRIVATE = re.compile(r"[^.]+|.+\.(?:internal|local|svc|flycast|localhost)")


def _absolute(value: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1) > 0
    except ValueError:  # its message quotes the value
        good = False
    if not good or not re.fullmatch(r"[\x21-\x7e]+", value):
        raise ValueError("must be an absolute http or https URL in plain ASCII")
    if "@" in parts.netloc or "?" in value or "#" in value:
        raise ValueError("must not carry credentials, a query or a fragment")
    return parts


def base_url(value: str) -> str:
    """Return the Go API's URL without its last slash; raises ValueError, without the value."""
    parts = _absolute(value)
    if parts.scheme == "http" and _is_public(str(parts.hostname)):
        raise ValueError("must be https for a public host: tokens would travel in clear")
    return value.rstrip("/")


def host_of(value: str) -> str:
    """Return host and port of the public URL; raises ValueError, without the value."""
    return _absolute(value).netloc.lower()


def _is_public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        pass
    try:  # resolvers take 134744072 and 0x8.8 for addresses too
        return ipaddress.ip_address(socket.inet_aton(host)).is_global
    except OSError:
        return _PRIVATE.fullmatch(host) is None
