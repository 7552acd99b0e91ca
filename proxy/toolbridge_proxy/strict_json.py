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
        text = raw.decode()
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_finite, parse_float=_finite
        )
        if "\\u" in text:  # the one way to half a surrogate pair
            json.dumps(value, ensure_ascii=False).encode()
        # Nothing is deeper than it has brackets, which are counted at once.
        if text.count("[") + text.count("{") > max_depth < _depth([value]) - 1:
            raise RecursionError
    except StrictJSONError:
        raise
    except UnicodeError:
        raise StrictJSONError("not UTF-8, or half a surrogate pair") from None
    except RecursionError:
        raise StrictJSONError("nested too deeply") from None
    except ValueError:
        raise StrictJSONError("not JSON") from None
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise StrictJSONError("repeats a name")
    return value


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise StrictJSONError("has a number that is not finite")
    return value


def _depth(value: Any) -> int:
    parts = value.values() if isinstance(value, dict) else value
    return 1 + max((_depth(part) for part in parts if isinstance(part, (dict, list))), default=0)
