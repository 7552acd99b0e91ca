"""JSON as RFC 8259 means it: UTF-8, finite numbers, no duplicate names, bounded depth."""

import json
import math
from typing import Any


class StrictJSONError(ValueError):
    """The text is not the JSON we accept; says which rule it breaks, never the text."""


def loads(raw: bytes, *, max_depth: int) -> Any:
    """Parse `raw`; raises StrictJSONError.

    Python's own parser also takes UTF-16, NaN, 1e400, lone surrogates and repeated names,
    which other parsers on the way read differently (RFC 8259 sections 4, 6, 8).
    """
    try:
        text = raw.decode("utf-8")
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except StrictJSONError:
        raise
    except UnicodeDecodeError:
        raise StrictJSONError("not UTF-8") from None
    except RecursionError:
        raise StrictJSONError("nested too deeply") from None
    except ValueError:
        raise StrictJSONError("not JSON") from None
    _check_depth(value, max_depth)
    if "\\u" in text:
        _check_surrogates(value)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise StrictJSONError("repeats a name")
    return value


def _no_constant(_: str) -> Any:
    raise StrictJSONError("has a number that is not finite")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise StrictJSONError("has a number that is not finite")
    return value


def _check_depth(value: Any, max_depth: int) -> None:
    level, depth = [value], 0
    while level := [item for item in level if isinstance(item, (dict, list))]:
        depth += 1
        if depth > max_depth:
            raise StrictJSONError("nested too deeply")
        level = [
            child for item in level for child in (item.values() if isinstance(item, dict) else item)
        ]


def _check_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise StrictJSONError("has half a surrogate pair") from None
