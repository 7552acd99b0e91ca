"""JSON as RFC 8259 means it: UTF-8, unique names, finite numbers, whole characters, not deep."""

import json
from typing import Any


def parse(raw: bytes, max_depth: int) -> Any:
    """Return the value; raises ValueError whose text tells the rule and never the input."""
    try:
        text = raw.decode("utf-8")
        value = _DECODER.decode(text)
        if "\\u" in text:  # the one way to write half a surrogate pair
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except _Rule:
        raise
    except UnicodeError:
        raise ValueError("it is not UTF-8, or has half a surrogate pair") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError:
        raise ValueError("it is not JSON") from None
    if not _within(value, max_depth):
        raise ValueError("it is nested too deeply")
    return value


class _Rule(ValueError):
    pass


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) < len(pairs):
        raise _Rule("it repeats a name")
    return names


def _finite(text: str) -> float:
    number = float(text)
    if number - number != 0:  # of infinity and NaN it is NaN
        raise _Rule("it has a number that is not finite")
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_finite)


def _within(value: Any, max_depth: int) -> bool:
    layer = [value] if isinstance(value, dict | list) else []
    for _ in range(max_depth):
        parts = (part.values() if isinstance(part, dict) else part for part in layer)
        layer = [child for part in parts for child in part if isinstance(child, dict | list)]
        if not layer:
            return True
    return False
