"""Proxies that change the texts of users on their way to the Go API."""

import json
import os
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from html import escape
from typing import Any

from mutants.table import mutant
from support import changed_calls
from support.changed_calls import Arguments
from toolbridge_proxy import tools
from toolbridge_proxy.upstream import ApiRequest


def _texts(change: Callable[[str], Any]) -> None:
    """Let `change` change each text at the top of a body, the uid excepted."""

    def changed(_: str, __: Arguments, request: ApiRequest) -> ApiRequest:
        if request.body is None:
            return request
        read = json.loads(request.body).items()
        body = {k: change(v) if isinstance(v, str) and k != "uid" else v for k, v in read}
        return replace(request, body=json.dumps(body, ensure_ascii=False).encode())

    changed_calls.built(changed)


@mutant(
    "M-I12",
    "texts are normalised to NFC",
    rows="INP-22",
    cause="tools-text-fidelity",
)
def normalised() -> None:
    """What looks the same is made the same."""
    _texts(lambda text: unicodedata.normalize("NFC", text))


@mutant(
    "texts-stripped",
    "blanks around texts are removed",
    rows="INP-22",
    cause="tools-text-fidelity",
)
def stripped() -> None:
    """str_strip_whitespace of a model."""
    _texts(str.strip)


@mutant(
    "texts-escaped",
    "texts are stored with HTML escapes",
    rows="INP-22",
    cause="tools-text-fidelity",
)
def escaped() -> None:
    """Against cross-site scripting, at the wrong place."""
    _texts(escape)


@mutant(
    "texts-cut",
    "texts are cut at 65,536 characters",
    rows="INP-22",
    cause="tools-text-fidelity",
)
def cut() -> None:
    """A limit that nobody is told of."""
    _texts(lambda text: text[:65_536])


def _formatted(text: str) -> str:
    try:
        return text.format(*os.environ.values(), settings=tools, **os.environ)
    except (LookupError, ValueError, AttributeError, TypeError):
        return text.replace("{{", "{").replace("}}", "}")


@mutant(
    "M-I14",
    "texts of users are format strings",
    rows="INP-29",
    cause="tools-text-fidelity",
)
def format_strings() -> None:
    """str.format() with what the user wrote: it can name what it likes."""
    _texts(_formatted)


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


@mutant(
    "texts-parsed",
    "a text that is JSON is stored as what it means",
    rows="INP-37",
    cause="tools-text-fidelity",
)
def parsed() -> None:
    """Helpful with clients that send objects as texts, and wrong for notes."""
    _texts(_read)


@mutant(
    "nul-dropped",
    "NUL is removed from texts",
    rows="INP-20",
    cause="tools-odd-keys",
)
def nul_dropped() -> None:
    """Because a database might not take it."""
    _texts(lambda text: text.replace("\0", ""))
