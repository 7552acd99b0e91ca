"""Proxies that start with settings which they should refuse."""

import os
import sys
from typing import Any

from mutants.table import mutant
from support import startup_lax
from support.patching import patch
from toolbridge_proxy import settings, signing, tokens


@mutant(
    "M-T10",
    "the tenant id keeps its blanks in the signature, and HTTP drops them from the header",
    rows="TEN-16",
    cause="tenant-setting-blanks",
)
def tenant_is_not_trimmed() -> None:
    """Blanks around the tenant id get as far as the signer."""
    startup_lax.accept("TENANT_ID", startup_lax.edged, "stand-in")
    _trimmed_by_http()


@mutant(
    "tenant-compared-trimmed",
    "the tenant id is trimmed for the comparison and not for the signature",
    rows="TEN-16",
    cause="tenant-setting-blanks",
)
def tenant_is_trimmed_once() -> None:
    """The token verifier trims the tenant id, the signer does not."""
    startup_lax.accept("TENANT_ID", startup_lax.edged, "stand-in")
    _trimmed_by_http()

    def make(original: Any) -> Any:
        def init(self: Any, config: settings.Settings, jwks: Any) -> None:
            trimmed = {"tenant_id": config.tenant_id.strip()}
            original(self, config.model_copy(update=trimmed), jwks)

        return init

    patch(tokens.TokenVerifier, "__init__", make)


def _trimmed_by_http() -> None:
    def make(original: Any) -> Any:
        def headers(self: signing.Signer) -> list[tuple[str, str]]:
            return [(name, value.strip()) for name, value in original(self)]

        return headers

    patch(signing.Signer, "headers", make)


@mutant(
    "tenant-optional",
    "without TOOLBRIDGE_TENANT_ID it starts and serves callers of every tenant",
    rows="TEN-16",
    cause="tenant-setting",
)
def tenant_is_optional() -> None:
    """A missing tenant id compares with none."""
    startup_lax.accept("TENANT_ID", startup_lax.empty, "stand-in")

    def make(original: Any) -> Any:
        async def caller(self: Any, authorization: str | None) -> tokens.Caller:
            try:
                verified: tokens.Caller = await original(self, authorization)
            except tokens.Denied as denied:
                if denied.code != "forbidden_tenant" or self._settings.tenant_id.strip():
                    raise
                token = (authorization or "").split()[1]
                claims = tokens._parse(token)[1]
                return tokens.Caller(claims.iss, claims.sub, token)
            return verified

        return caller

    patch(tokens.TokenVerifier, "caller", make)


@mutant(
    "tenant-any-text",
    "any text is taken for a tenant id, also what no header can hold",
    rows="TEN-16",
    cause="tenant-setting",
)
def tenant_is_any_text() -> None:
    """Long tenant ids, line breaks and other alphabets do not stop the start."""

    def unfit(value: str | None) -> bool:
        text = value or "t"
        return not (text.isascii() and text.isprintable() and len(text) <= 128)

    startup_lax.accept("TENANT_ID", unfit, "stand-in")


@mutant(
    "tenant-any-length",
    "a tenant id may be of any length",
    rows="TEN-16",
    cause="tenant-setting-text",
)
def tenant_is_any_length() -> None:
    """What the characters are is looked at, and not how many."""

    def endless(value: str | None) -> bool:
        return str(value).isascii() and str(value).isprintable() and len(str(value)) > 128

    startup_lax.accept("TENANT_ID", endless, "stand-in")


@mutant(
    "startup-lazy",
    "missing settings are noticed when the first call needs them",
    rows="DEP-04",
    cause="startup-required",
)
def settings_are_read_lazily() -> None:
    """The address and the tenant secret may be missing at the start."""
    startup_lax.accept("GO_API_BASE_URL", startup_lax.empty, "http://localhost:1")
    startup_lax.accept("TENANT_HEADER_SECRET", startup_lax.empty, "s" * 40)


@mutant(
    "startup-placeholder",
    "the documentation's placeholder is taken for the tenant secret",
    rows="DEP-04 SIG-09",
    cause="startup-placeholder",
)
def placeholder_is_a_secret() -> None:
    """Only empty values are refused."""
    startup_lax.accept("TENANT_HEADER_SECRET", startup_lax.placeholder, "s" * 40)


@mutant(
    "startup-unnamed",
    "a refused start says that the configuration is wrong, and not where",
    rows="TEN-16 DEP-04",
    cause="tenant-setting",
)
def refusal_names_nothing() -> None:
    """The message of every refusal is the same."""

    def make(original: Any) -> Any:
        def load() -> settings.Settings:
            try:
                loaded: settings.Settings = original()
            except settings.SettingsError:
                raise settings.SettingsError("the configuration is not valid") from None
            return loaded

        return load

    patch(settings, "load", make)


@mutant(
    "startup-exit-zero",
    "a refused start ends with exit code 0",
    rows="TEN-16 DEP-04",
    cause="tenant-setting",
)
def refusal_looks_like_success() -> None:
    """The error is printed, and the process ends as if it had done its work."""

    def make(original: Any) -> Any:
        def load() -> settings.Settings:
            try:
                loaded: settings.Settings = original()
            except settings.SettingsError as problem:
                sys.stderr.write(f"{problem}\n")
                sys.exit(0)
            return loaded

        return load

    patch(settings, "load", make)


@mutant(
    "startup-plain-http",
    "the Go API may be a public host over plain http",
    rows="DEP-04",
    cause="startup-base-url-refused",
)
def plain_http_is_allowed() -> None:
    """The scheme of the address is not looked at."""

    def plain(value: str | None) -> bool:
        return str(value).startswith("http://") and ".invalid" in str(value)

    startup_lax.accept("GO_API_BASE_URL", plain, "http://localhost:1")


@mutant(
    "startup-any-address",
    "words are taken for the address of the Go API, until the first call",
    rows="DEP-04",
    cause="startup-base-url-refused",
)
def address_is_not_parsed() -> None:
    """Text without a scheme does not stop the start."""

    def words(value: str | None) -> bool:
        return bool(value) and "://" not in str(value) and not startup_lax.placeholder(value)

    startup_lax.accept("GO_API_BASE_URL", words, "http://localhost:1")


@mutant(
    "M-L02",
    "the error of a refused start quotes the whole configuration",
    rows="LOG-04",
    cause="hygiene-start-log",
)
def refusal_quotes_the_environment() -> None:
    """Every refusal prints the settings that were read, as a validation error does."""

    def make(original: Any) -> Any:
        def load() -> settings.Settings:
            try:
                loaded: settings.Settings = original()
            except settings.SettingsError as problem:
                given = {k: v for k, v in os.environ.items() if k.startswith("TOOLBRIDGE_")}
                raise settings.SettingsError(f"{problem} [input_value={given}]") from None
            return loaded

        return load

    patch(settings, "load", make)


@mutant(
    "startup-shows-ends",
    "the error of a refused start quotes the first and last characters of the value",
    rows="LOG-04",
    cause="hygiene-start-log",
)
def refusal_quotes_the_ends() -> None:
    """A refused secret is shown in part, shortened as validation errors shorten values."""

    def make(original: Any) -> Any:
        def load() -> settings.Settings:
            try:
                loaded: settings.Settings = original()
            except settings.SettingsError as problem:
                names = str(problem).split(":")[0]
                value = os.environ.get(names, "")
                shortened = f"{value[:12]}...{value[-12:]}"
                raise settings.SettingsError(f"{problem} [input={shortened!r}]") from None
            return loaded

        return load

    patch(settings, "load", make)
