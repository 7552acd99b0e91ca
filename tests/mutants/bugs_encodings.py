"""Proxies that guess the encoding of a token, or misread what kind of token it is."""

import json
from types import SimpleNamespace
from typing import Any

from mutants.table import mutant
from support.patching import patch
from toolbridge_proxy import strict_json, tokens

ENCODINGS, KINDS = "auth-encodings", "auth-token-kinds"


def _read(decode: Any) -> None:
    """Let tokens be read as `decode` turns their bytes into text."""

    def loads(raw: bytes, *, max_depth: int) -> Any:
        try:
            text = decode(raw)
        except UnicodeError:
            raise strict_json.StrictJSONError("not text") from None
        return strict_json.loads(text.encode("utf-8", "replace"), max_depth=max_depth)

    namespace = SimpleNamespace(loads=loads, StrictJSONError=strict_json.StrictJSONError)
    patch(tokens, "strict_json", lambda _: namespace)


@mutant(
    "tokens-any-unicode",
    "the encoding of a token is guessed, as json.loads does with bytes",
    rows="AUTH-39",
    cause=ENCODINGS,
)
def any_unicode() -> None:
    """UTF-16, UTF-32, and a byte order mark."""
    _read(lambda raw: raw.decode(json.detect_encoding(raw), "surrogatepass"))


@mutant(
    "tokens-with-mark",
    "a byte order mark before the claims is skipped",
    rows="AUTH-39",
    cause=ENCODINGS,
)
def with_mark() -> None:
    """utf-8-sig."""
    _read(lambda raw: raw.decode("utf-8-sig"))


@mutant("type-crashes", "a token of an unknown type is a server error", rows="AUTH-36", cause=KINDS)
def type_crashes() -> None:
    """A table without a default."""

    def make(original: Any) -> Any:
        def parse(token: str) -> Any:
            try:
                return original(token)
            except tokens.Denied as denied:
                if denied.reason == "malformed_typ":
                    raise KeyError("typ") from None
                raise

        return parse

    patch(tokens, "_parse", make)


@mutant("type-exactly", "the type JWT counts in capitals alone", rows="AUTH-36", cause=KINDS)
def type_exactly() -> None:
    """Media types have no case."""

    def make(original: Any) -> Any:
        def parse(token: str) -> Any:
            found = original(token)
            if found[0].model_fields_set >= {"typ"} and b'"JWT"' not in _head(token):
                raise tokens.Denied("invalid_token", "malformed_typ")
            return found

        return parse

    patch(tokens, "_parse", make)


def _head(token: str) -> bytes:
    return tokens._decode(token.split(".")[0])
