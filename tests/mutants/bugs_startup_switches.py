"""Proxies that a variable of the environment opens."""

import os
import sys
from typing import Any

import jwt

from mutants.table import mutant
from support.patching import patch
from toolbridge_proxy import settings, tokens


@mutant(
    "debug-switch",
    "with DEBUG=1 calls without a token are let in",
    rows="DEP-05",
    cause="startup-switches",
)
def debug_lets_everybody_in() -> None:
    """A missing token is no hindrance while DEBUG is set."""
    _without_token_if("DEBUG", "1")


@mutant(
    "auth-switch",
    "TOOLBRIDGE_AUTH_DISABLED accepts tokens whatever their signature",
    rows="DEP-05",
    cause="startup-switches",
)
def signatures_can_be_switched_off() -> None:
    """Tokens are read, not verified, while the switch is on."""
    _unverified_if("TOOLBRIDGE_AUTH_DISABLED", "true")


@mutant(
    "environment-dev",
    "in an environment named dev tokens are not verified",
    rows="DEP-05",
    cause="startup-switches",
)
def development_is_open() -> None:
    """Tokens are read, not verified, while ENV is dev."""
    _unverified_if("ENV", "dev")


@mutant(
    "debug-level-opens",
    "at DEBUG calls without a token are let in, and the log is full of words like error",
    rows="DEP-05",
    cause="startup-switches",
)
def debug_level_lets_everybody_in() -> None:
    """A missing token is no hindrance at DEBUG; every call logs a line that has a key `error`."""
    _without_token_if("TOOLBRIDGE_LOG_LEVEL", "DEBUG")
    if os.environ.get("TOOLBRIDGE_LOG_LEVEL") != "DEBUG":
        return

    def make(original: Any) -> Any:
        async def caller(self: Any, authorization: str | None) -> tokens.Caller:
            verified: tokens.Caller = await original(self, authorization)
            _say("debug", "request authenticated")
            return verified

        return caller

    patch(tokens.TokenVerifier, "caller", make)


@mutant(
    "environment-long-names",
    "in environments named development and local tokens are not verified",
    rows="DEP-05",
    cause="startup-switches",
)
def development_has_longer_names() -> None:
    """Tokens are read, not verified, in three environments, none of which is called dev."""
    _unverified_if("ENV", "development")
    _unverified_if("TOOLBRIDGE_ENV", "local")
    _unverified_if("NODE_ENV", "development")


@mutant(
    "debug-true-warned",
    "with DEBUG=true calls without a token are let in, and the start warns of it",
    rows="DEP-05",
    cause="startup-switches",
)
def debug_is_open_and_loud() -> None:
    """The start says that authentication is off; nobody is kept out by that."""
    _without_token_if("DEBUG", "true")
    if os.environ.get("DEBUG") == "true":
        _say("warning", "DEBUG is set: authentication is off")


@mutant(
    "switch-behind-refusal",
    "one switch for development is refused at the start, another opens",
    rows="DEP-05",
    cause="startup-switches",
)
def one_switch_is_refused() -> None:
    """TOOLBRIDGE_DEV_MODE stops the start, SKIP_AUTH=1 lets everybody in."""
    _without_token_if("SKIP_AUTH", "1")

    def make(original: Any) -> Any:
        def load() -> settings.Settings:
            if "TOOLBRIDGE_DEV_MODE" in os.environ:
                raise settings.SettingsError("TOOLBRIDGE_DEV_MODE: there is no such setting")
            loaded: settings.Settings = original()
            return loaded

        return load

    patch(settings, "load", make)


def _say(level: str, event: str) -> None:
    sys.stdout.write(f'{{"level": "{level}", "event": "{event}", "error": null}}\n')
    sys.stdout.flush()


def _without_token_if(variable: str, value: str) -> None:
    def make(original: Any) -> Any:
        async def caller(self: Any, authorization: str | None) -> tokens.Caller:
            if authorization is None and os.environ.get(variable) == value:
                return tokens.Caller(None, "debug", "")
            verified: tokens.Caller = await original(self, authorization)
            return verified

        return caller

    patch(tokens.TokenVerifier, "caller", make)


def _unverified_if(variable: str, value: str) -> None:
    def make(original: Any) -> Any:
        async def caller(self: Any, authorization: str | None) -> tokens.Caller:
            if authorization is None or os.environ.get(variable) != value:
                verified: tokens.Caller = await original(self, authorization)
                return verified
            token = authorization.split()[1]
            claims = jwt.decode(token, options={"verify_signature": False})
            return tokens.Caller(claims.get("iss"), claims["sub"], token)

        return caller

    patch(tokens.TokenVerifier, "caller", make)
