"""Proxies that start with settings which the real one refuses."""

import os
from collections.abc import Callable
from typing import Any

from pydantic import SecretStr

from support.patching import patch
from toolbridge_proxy import settings

Wrong = Callable[[str | None], bool]


def empty(value: str | None) -> bool:
    """Missing, or nothing but blanks."""
    return not (value or "").strip()


def edged(value: str | None) -> bool:
    """With a blank at an edge."""
    return not empty(value) and value != (value or "").strip()


def placeholder(value: str | None) -> bool:
    """In pointed brackets, as documentation has them."""
    return (value or "").startswith("<")


def accept(name: str, wrong: Wrong, stand_in: str, made: Callable[[str], str] = str) -> None:
    """Let TOOLBRIDGE_<name> have the values that are `wrong`: `made` of them is what is used.

    The checks of the settings see `stand_in` meanwhile.
    """
    variable, field = f"TOOLBRIDGE_{name}", name.lower()

    def make(original: Any) -> Any:
        def load() -> settings.Settings:
            raw = os.environ.get(variable)
            if not wrong(raw):
                loaded: settings.Settings = original()
                return loaded
            os.environ[variable] = stand_in
            used: Any = made(raw or "")
            if name.endswith("SECRET"):
                used = SecretStr(used)
            loaded = original().model_copy(update={field: used})
            os.environ[variable] = raw or ""
            return loaded

        return load

    patch(settings, "load", make)
