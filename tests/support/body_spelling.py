"""JSON as a hostile client spells it: also what RFC 8259 does not allow."""

import json
import math
from typing import Any


def spell(value: Any, *, ascii_only: bool = True) -> bytes:
    """Return JSON text; half surrogates become escapes, or else bytes that are not UTF-8.

    An infinite number becomes 1e999: to many parsers that is no syntax error.
    """
    return _spelt(value, ascii_only).encode("utf-8", "surrogatepass")


def _spelt(value: Any, ascii_only: bool) -> str:
    # A list of lists may be deeper than recursion goes: such values are only ever nested lists.
    opened = 0
    while isinstance(value, list) and len(value) == 1:
        opened, value = opened + 1, value[0]
    if isinstance(value, float) and math.isinf(value):
        text = "1e999" if value > 0 else "-1e999"
    elif isinstance(value, dict):
        pairs = (f"{_spelt(k, ascii_only)}:{_spelt(v, ascii_only)}" for k, v in value.items())
        text = f"{{{','.join(pairs)}}}"
    elif isinstance(value, list):
        text = f"[{','.join(_spelt(item, ascii_only) for item in value)}]"
    else:
        text = json.dumps(value, ensure_ascii=ascii_only)
    return "[" * opened + text + "]" * opened
