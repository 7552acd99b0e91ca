"""Proxies that read the JSON of a call more loosely than they should."""

import json
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from mutants.table import mutant
from support.patching import patch
from toolbridge_proxy import gate, strict_json, tools, upstream
from toolbridge_proxy.strict_json import StrictJSONError


def _read_by_the_gate(loads: Callable[[bytes, int], Any]) -> None:
    """Let the gate parse bodies with `loads`; tokens and answers are parsed as before."""

    def parse(raw: bytes, *, max_depth: int) -> Any:
        return loads(raw, max_depth)

    stand_in = SimpleNamespace(loads=parse, StrictJSONError=StrictJSONError)
    patch(gate, "strict_json", lambda _: stand_in)


def _forgiving(fault: str, loads: Callable[[bytes], Any]) -> None:
    """Let the gate parse with `loads` what is refused as `fault`."""

    def parse(raw: bytes, max_depth: int) -> Any:
        try:
            return strict_json.loads(raw, max_depth=max_depth)
        except StrictJSONError as error:
            if fault not in str(error):
                raise
        try:
            return loads(raw)
        except ValueError:
            raise StrictJSONError("not JSON") from None

    _read_by_the_gate(parse)


@mutant(
    "deep-arguments",
    "arguments are let in deeper than answers are read, so that writes are reported as lost",
    rows="INP-16",
    cause="tools-nesting",
)
def deep_arguments() -> None:
    """The gate's depth limit is the parser's own."""
    _read_by_the_gate(lambda raw, _: strict_json.loads(raw, max_depth=900))


@mutant(
    "deep-text",
    "an object given as text is parsed without a bound on its depth",
    rows="INP-16",
    cause="tools-nesting",
)
def deep_text() -> None:
    """RecursionError of json.loads ends the call."""

    def make(original: Any) -> Any:
        def validated(model: Any, arguments: dict[str, Any]) -> Any:
            given = dict(arguments)
            if isinstance(given.get("additional_fields"), str):
                given["additional_fields"] = json.loads(given["additional_fields"])
            return original(model, given)

        return validated

    patch(tools, "_validated", make)


@mutant(
    "M-I13",
    "integers go through float and are rounded above 2^53",
    rows="INP-21",
    cause="tools-exact-numbers",
)
def numbers_through_float() -> None:
    """The body is written with numbers that were floats in between."""

    def make(original: Any) -> Any:
        def build(*given: Any) -> upstream.ApiRequest:
            request: upstream.ApiRequest = original(*given)
            if request.body is None:
                return request
            body = json.loads(request.body, parse_int=lambda text: int(float(text)))
            return replace(request, body=json.dumps(body, ensure_ascii=False).encode())

        return build

    patch(tools, "build", make)


@mutant(
    "not-finite",
    "NaN and infinities are read as Python reads them",
    rows="INP-17",
    cause="tools-not-finite",
)
def not_finite() -> None:
    """Python's parser takes NaN, and its writer fails on it."""
    _forgiving("not finite", json.loads)


@mutant(
    "other-encodings",
    "bodies in UTF-16, UTF-32 and with half surrogates are read",
    rows="INP-18 INP-19",
    cause="tools-encodings",
)
def other_encodings() -> None:
    """Python's parser guesses the encoding."""
    _forgiving("not UTF-8", json.loads)


class _Twice(dict[str, Any]):
    """A message whose names stand twice: itself by the last ones, `first` by the first ones."""

    first: dict[str, Any]


@mutant(
    "first-name-guarded",
    "the guard looks at the first of two names, and the last is executed",
    rows="INP-26",
    cause="tools-repeated-names",
)
def first_name_guarded() -> None:
    """What needs a token is decided on another reading than the call."""

    def loads(raw: bytes) -> Any:
        last = json.loads(raw)
        if not isinstance(last, dict):
            return last
        message = _Twice(last)
        message.first = json.loads(raw, object_pairs_hook=lambda pairs: dict(reversed(pairs)))
        return message

    _forgiving("repeats a name", loads)
    patch(gate, "_is_public", lambda original: lambda m: original(getattr(m, "first", m)))
