"""Settings: the TOOLBRIDGE_* environment variables, checked once at the start."""

import ipaddress
import re
import ssl
from pathlib import Path
from typing import Annotated, Literal, Self

import httpx
import pydantic
from pydantic import AfterValidator, BeforeValidator, Field, FilePath, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "TOOLBRIDGE_"

# RFC 7518 section 3.2: a key as long as the HMAC-SHA256 output.
MIN_SECRET_BYTES = 32

# Hosts that no public resolver knows: Fly's private network, clusters, mDNS, RFC 6761.
_PRIVATE_SUFFIXES = (".internal", ".local", ".svc", ".flycast", ".localhost")


class SettingsError(Exception):
    """One line: which variables are wrong and why, without any value."""


def _url(value: str) -> str:
    try:
        parts = httpx.URL(value)
        good = (
            parts.scheme in ("http", "https") and parts.host and (parts.port or 443) in range(65536)
        )
    except (ValueError, httpx.InvalidURL):  # its message quotes the value
        good = False
    if not good or not re.fullmatch(r"[\x21-\x7e]+", value):
        raise ValueError("must be an absolute http or https URL in plain ASCII")
    if parts.userinfo or parts.query or parts.fragment:
        raise ValueError("must not carry credentials, a query or a fragment")
    return value.rstrip("/")


def _private_or_https(value: str) -> str:
    parts = httpx.URL(value)
    host = parts.host.lower()
    try:
        public = ipaddress.ip_address(host).is_global
    except ValueError:
        # A name, or an address as one number (134744072 is 8.8.8.8).
        public = ("." in host or host[:1].isdigit()) and not host.endswith(_PRIVATE_SUFFIXES)
    if parts.scheme == "http" and public:
        raise ValueError("must be https for a public host: tokens would travel in clear")
    return value


def _tidy(value: object) -> object:
    """Refuse empty, blank-edged, placeholder and non-UTF-8 values: they are always a mistake."""
    if isinstance(value, str):
        if not value.strip():
            raise ValueError("is empty; set it or leave the variable out")
        if value != value.strip():
            raise ValueError("has a blank or a line break at its edge")
        if value.startswith("<") and value.endswith(">"):
            raise ValueError("is still the placeholder of the documentation")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise ValueError("is not UTF-8 text")
    return value


def _long_enough(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value().encode()) < MIN_SECRET_BYTES:
        raise ValueError(f"is shorter than {MIN_SECRET_BYTES} bytes (RFC 7518 section 3.2)")
    return value


def _comma_separated(value: object) -> object:
    return [item.strip() for item in value.split(",")] if isinstance(value, str) else value


def _certificates(path: Path) -> Path:
    try:
        ssl.create_default_context(cafile=path)
    except (ssl.SSLError, OSError):
        raise ValueError("is not a readable PEM file of certificates") from None
    return path


Text = Annotated[str, BeforeValidator(_tidy)]
Url = Annotated[str, BeforeValidator(_tidy), AfterValidator(_url)]
SafeUrl = Annotated[Url, AfterValidator(_private_or_https)]
Secret = Annotated[SecretStr, BeforeValidator(_tidy)]
Names = Annotated[tuple[Text, ...], NoDecode, BeforeValidator(_comma_separated)]
Port = Annotated[int, Field(ge=0, le=65535)]
Level = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(str.upper)]


class Settings(BaseSettings):
    """The configuration; see the table of settings in the documentation."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    go_api_base_url: SafeUrl
    tenant_id: Annotated[Text, Field(pattern=r"\A[\x21-\x7e]{1,128}\z")]
    tenant_header_secret: Secret

    jwt_secret: Annotated[Secret, AfterValidator(_long_enough)] | None = None
    jwt_jwks_url: SafeUrl | None = None
    jwt_issuer: Text | None = None
    jwt_audience: Text | None = None
    jwt_allow_both: bool = False
    jwks_refresh_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 300

    host: Text = "0.0.0.0"  # noqa: S104 - a container is reached through its own address
    port: Port = 8001
    # 0 takes a free port and logs it; empty switches the metrics off.
    metrics_port: Annotated[Port | None, BeforeValidator(lambda v: None if v == "" else v)] = 9091
    public_url: Url | None = None
    allowed_hosts: Names = ()
    allowed_origins: Names = ()

    log_level: Level = "INFO"
    log_format: Annotated[Literal["json", "console"], BeforeValidator(str.lower)] = "json"

    # Below the 30 s at which MCP clients and edges commonly give up.
    upstream_timeout_seconds: Annotated[float, Field(gt=0, le=300, allow_inf_nan=False)] = 25
    upstream_ca_file: Annotated[FilePath, AfterValidator(_certificates)] | None = None

    @pydantic.model_validator(mode="after")
    def _keys_fit_together(self) -> Self:
        if self.jwt_jwks_url and not (self.jwt_issuer and self.jwt_audience):
            both = f"{PREFIX}JWT_ISSUER and {PREFIX}JWT_AUDIENCE"
            raise ValueError(f"{PREFIX}JWT_JWKS_URL: needs {both}")
        return self


def load() -> Settings:
    """Read the environment; raises SettingsError naming every bad variable."""
    try:
        return Settings()  # type: ignore[call-arg] # the environment has them
    except ValidationError as failure:
        problems = failure.errors(include_url=False, include_input=False)
        raise SettingsError("; ".join(_describe(**problem) for problem in problems)) from None


def _describe(*, type: str, loc: tuple[str | int, ...], msg: str, **_: object) -> str:  # noqa: A002
    rules = {
        "missing": "is not set",
        "string_pattern_mismatch": "must be 1 to 128 printable ASCII characters without blanks",
    }
    rule = rules.get(type, msg.removeprefix("Value error, "))
    return f"{PREFIX}{str(loc[0]).upper()}: {rule}" if loc else rule
