"""JSON as Go's encoding/json reads and writes it.

Numbers pass through float64, `<`, `>`, `&`, U+2028 and U+2029 are escaped, keys are sorted, bad
UTF-8 and lone surrogates become U+FFFD, and only the first value of a body is read.
"""

import codecs
import json
import re
import secrets
from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast

from toolbridge_contract.mock import deepjson

Decoded = Any

# encoding/json: maxNestingDepth.
MAX_DEPTH = 10_000
# Go prints floats of this size and more with an exponent.
_EXPONENT_FROM = 1e21
# Marks a number whose Go spelling Python's encoder would not produce (-0, 1e-7); random, so that
# no text of a caller can be taken for it.
_NUMBER_MARK = f"\ue000{secrets.token_hex(16)}:"
_MARKED = re.compile(f'"{_NUMBER_MARK}([^"]*)"')
_SPACE = " \t\r\n"
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_ESCAPES = [(char, f"\\u{ord(char):04x}") for char in "<>&\u2028\u2029"]


class InvalidJson(ValueError):
    """The body does not start with a JSON value that Go would decode."""


def _replace_one(error: UnicodeError) -> tuple[str | bytes, int]:
    """Replace one bad byte, or one lone surrogate, as Go does."""
    if isinstance(error, UnicodeDecodeError):
        return "\ufffd", error.start + 1
    if isinstance(error, UnicodeEncodeError):
        return "\ufffd".encode(), error.start + 1
    raise error


codecs.register_error("toolbridge-go", _replace_one)


def _integer(text: str) -> int | str:
    if len(text) < 16:
        return int(text) if text != "-0" else f"{_NUMBER_MARK}-0"
    return cast("int | str", _number(text))


def _number(text: str) -> int | float | str:
    value = float(text)
    size = abs(value)
    if size == float("inf"):
        raise InvalidJson(f"number out of range: {text[:20]}")
    if size == 0:
        return 0 if text[0] != "-" else f"{_NUMBER_MARK}-0"
    if size < _EXPONENT_FROM and value.is_integer():
        return int(Decimal(repr(value)))
    if size >= 1e-4:
        return value
    if size >= 1e-6:
        return f"{_NUMBER_MARK}{Decimal(repr(value)):f}"
    mantissa, _, exponent = repr(value).partition("e-")
    return f"{_NUMBER_MARK}{mantissa}e-{int(exponent)}"


def _constant(name: str) -> None:
    raise InvalidJson(f"{name} is not JSON")


def _decoder(pairs: Callable[[list[tuple[str, Any]]], Any] | None) -> json.JSONDecoder:
    return json.JSONDecoder(
        parse_int=_integer,
        parse_float=_number,
        parse_constant=_constant,
        object_pairs_hook=pairs,
    )


class Pairs(list[tuple[str, Any]]):
    """The members of an object in order, repeated keys included."""


_PLAIN = _decoder(None)
_PAIRED = _decoder(Pairs)
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _text(body: bytes) -> str:
    return body.decode("utf-8", "toolbridge-go").lstrip(_SPACE)


def _first_value(text: str, decoder: json.JSONDecoder) -> tuple[Decoded, int]:
    """Return the first value and where it ends."""
    try:
        try:
            return decoder.raw_decode(text)
        except RecursionError:
            return deepjson.decode(text, decoder, MAX_DEPTH)
    except ValueError as error:
        raise InvalidJson(str(error)) from error


def decode(body: bytes) -> dict[str, Any] | None:
    """Decode into `map[string]any`: an object, or None for `null`; raises InvalidJson."""
    value, _ = _first_value(_text(body), _PLAIN)
    if value is None or isinstance(value, dict):
        return value
    raise InvalidJson("not an object")


def bytes_behind(body: bytes) -> int:
    """Return how many bytes follow the first value, 0 when there is none."""
    text = _text(body)
    try:
        _, end = _first_value(text, _PLAIN)
    except InvalidJson:
        return 0
    return len(to_bytes(text[end:]))


def decode_whole(body: bytes) -> dict[str, Any]:
    """Decode as `json.Unmarshal` into a map: nothing may follow; `null` is an empty map."""
    text = _text(body)
    value, end = _first_value(text, _PLAIN)
    if text[end:].strip(_SPACE) or not isinstance(value, dict | None):
        raise InvalidJson("not one object")
    return value or {}


def decode_struct(body: bytes, fields: dict[str, type]) -> dict[str, Any]:
    """Decode into a struct: keys match in any case, the last one wins, null changes nothing.

    `fields` maps a lower-case key to `str` or `dict`; another type of value raises InvalidJson.
    """
    value, _ = _first_value(_text(body), _PAIRED)
    found: dict[str, Any] = {}
    if value is None:
        return found
    if isinstance(value, dict):
        value = Pairs(value.items())
    if not isinstance(value, Pairs):
        raise InvalidJson("not an object")
    for key, member in value:
        wanted = fields.get(key.lower())
        if wanted is None or member is None:
            continue
        if not _is(member, wanted):
            raise InvalidJson(f"{key} has the wrong type")
        found[key.lower()] = member
    return found


def _is(member: object, wanted: type) -> bool:
    if wanted is dict:
        return isinstance(member, Pairs | dict)
    return isinstance(member, wanted) and not str(member).startswith(_NUMBER_MARK)


def is_text(value: object) -> bool:
    """Say whether a decoded value was a JSON string."""
    return isinstance(value, str) and not value.startswith(_NUMBER_MARK)


def as_number(value: object) -> float | None:
    """Return the float64 of a decoded JSON number, None for anything else."""
    if isinstance(value, str) and value.startswith(_NUMBER_MARK):
        return float(value[len(_NUMBER_MARK) :])
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def encode(value: Decoded) -> str:
    """Encode as `json.Encoder` does, without the final newline."""
    try:
        text = _ENCODER.encode(value)
    except RecursionError:
        text = deepjson.encode(value, _ENCODER.encode)
    for char, escape in _ESCAPES:
        if char in text:
            text = text.replace(char, escape)
    if _NUMBER_MARK in text:
        text = _MARKED.sub(r"\1", text)
    return text


def to_bytes(text: str) -> bytes:
    """Encode as UTF-8; what is left of lone surrogates becomes U+FFFD."""
    return text.encode("utf-8", "toolbridge-go")


def quote(text: str) -> str:
    """Return `text` as a JSON string literal in Go's spelling.

    Raw bytes that are not UTF-8 (surrogate escapes) are spelled `\\ufffd`, as the encoder does.
    """
    encoded = encode(text)
    return encoded if encoded.isascii() else re.sub("[\ud800-\udfff]", r"\\ufffd", encoded)


def has_nul(encoded: str) -> bool:
    """Say whether encoded JSON holds a `\\u0000`, which PostgreSQL refuses in jsonb."""
    return "\\u0000" in encoded and _NUL.search(encoded) is not None
