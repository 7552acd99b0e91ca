"""Settings: the TOOLBRIDGE_* variables, read once; a bad one stops the start with one line."""

import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from plain_proxy.addresses import base_url, host_of

T = TypeVar("T")

# RFC 7518 section 3.2: a key as long as the HMAC-SHA256 output.
MIN_SECRET_BYTES = 32
MAX_TIMEOUT_SECONDS = 300  # nobody waits longer for a tool
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class SettingsError(Exception):
    """One line: the variable and the rule it breaks, never its value."""


@dataclass(frozen=True, repr=False)
class Settings:
    """The configuration; secrets are the raw bytes of their variables."""

    base_url: str
    tenant: str
    tenant_secret: bytes
    jwt_secret: bytes | None
    issuer: str | None
    audience: str | None
    host: str
    port: int
    hosts: frozenset[str]
    origins: frozenset[str]
    log_level: str
    timeout_seconds: float
    tls: ssl.SSLContext | None

    @property
    def warnings(self) -> list[str]:
        """What is allowed, and probably not meant."""
        notes = []
        if self.jwt_secret is None:
            notes.append("TOOLBRIDGE_JWT_SECRET is not set: every call that needs one is refused")
        if len(self.tenant_secret) < MIN_SECRET_BYTES:
            notes.append(f"TOOLBRIDGE_TENANT_HEADER_SECRET has under {MIN_SECRET_BYTES} bytes")
        return notes


class _Environment:
    """The variables; each reading raises SettingsError that names the variable."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def required(self, name: str, rule: Callable[[str], T]) -> T:
        """Return the variable's value as `rule` reads it."""
        variable = f"TOOLBRIDGE_{name}"
        if variable not in self._variables:
            raise SettingsError(f"{variable}: is not set")
        try:
            return rule(_tidy(self._variables[variable]))
        except ValueError as broken:
            raise SettingsError(f"{variable}: {broken}") from None

    def optional(self, name: str, rule: Callable[[str], T]) -> T | None:
        """Return the same, or None where the variable is not set."""
        return self.required(name, rule) if f"TOOLBRIDGE_{name}" in self._variables else None


def read(variables: Mapping[str, str]) -> Settings:
    """Return the settings in `variables`; raises SettingsError at the first bad one."""
    given = _Environment(variables)
    given.optional("JWT_JWKS_URL", _unsupported)
    given.optional("LOG_FORMAT", _format)  # for people and for programs it is the same here
    public, hosts = given.optional("PUBLIC_URL", host_of), given.optional("ALLOWED_HOSTS", _names)
    port = given.optional("PORT", _port)
    return Settings(
        base_url=given.required("GO_API_BASE_URL", base_url),
        tenant=given.required("TENANT_ID", _tenant),
        tenant_secret=given.required("TENANT_HEADER_SECRET", str.encode),
        jwt_secret=given.optional("JWT_SECRET", _key),
        issuer=given.optional("JWT_ISSUER", str),
        audience=given.optional("JWT_AUDIENCE", str),
        host=given.optional("HOST", str) or "0.0.0.0",
        port=8001 if port is None else port,
        hosts=frozenset([public] if public else []) | (hosts or frozenset()),
        origins=given.optional("ALLOWED_ORIGINS", _names) or frozenset(),
        log_level=given.optional("LOG_LEVEL", _level) or "INFO",
        # Below the 30 s at which MCP clients and edges commonly give up.
        timeout_seconds=given.optional("UPSTREAM_TIMEOUT_SECONDS", _seconds) or 25.0,
        tls=given.optional("UPSTREAM_CA_FILE", _certificates),
    )


def _tidy(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty; set it or leave the variable out")
    if value != value.strip():
        raise ValueError("has a blank or a line break at its edge")
    if value.startswith("<") and value.endswith(">"):
        raise ValueError("is still the placeholder of the documentation")
    if re.search("[\ud800-\udfff]", value):
        raise ValueError("is not UTF-8 text")
    return value


def _unsupported(_: str) -> None:
    raise ValueError("this proxy has no key sets; leave it out and set TOOLBRIDGE_JWT_SECRET")


def _tenant(value: str) -> str:
    if not re.fullmatch(r"[\x21-\x7e]{1,128}", value):
        raise ValueError("must be 1 to 128 printable ASCII characters without blanks")
    return value


def _key(value: str) -> bytes:
    if len(value.encode()) < MIN_SECRET_BYTES:
        raise ValueError(f"is shorter than {MIN_SECRET_BYTES} bytes (RFC 7518 section 3.2)")
    return value.encode()


def _port(value: str) -> int:
    if not re.fullmatch("[0-9]{1,5}", value) or int(value) > 65535:
        raise ValueError("must be a port from 0 to 65535")
    return int(value)


def _names(value: str) -> frozenset[str]:
    names = frozenset(name.strip().lower() for name in value.split(","))
    if "" in names:
        raise ValueError("has an empty entry")
    return names


def _format(value: str) -> None:
    if value.lower() not in ("json", "console"):
        raise ValueError("must be json or console")


def _level(value: str) -> str:
    if value.upper() not in LOG_LEVELS:
        raise ValueError(f"must be one of {', '.join(LOG_LEVELS)}")
    return value.upper()


def _seconds(value: str) -> float:
    seconds = float(value) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value) else 0
    if not 0 < seconds <= MAX_TIMEOUT_SECONDS:
        raise ValueError(f"must be a number of seconds, above 0 and up to {MAX_TIMEOUT_SECONDS}")
    return seconds


def _certificates(value: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=value)
    except (ssl.SSLError, OSError, ValueError):
        raise ValueError("is not a readable PEM file of certificates") from None
