"""Templates of requests and of expected bodies."""

import functools
import re
from collections.abc import Mapping

_VALUE = re.compile(r"\{([a-z][a-z_0-9]*)([+-]\d+)?\}")
_ANY = re.compile(r"<([a-z]+)(\d*)>")
_STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
# Go cuts trailing zeros of a fraction, so its last digit is never 0.
_KINDS = {
    "uid": r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "ts": _STAMP + r"(?:\.\d{0,2}[1-9])?Z",
    # The time of the answer itself.
    "now": _STAMP + r"(?:\.\d{0,8}[1-9])?Z",
    "us": _STAMP + r"(?:\.\d{0,5}[1-9])?Z",
    "ns": _STAMP + r"(?:\.\d{0,8}[1-9])?Z",
    "cur": r"[A-Za-z0-9_-]+",
    "any": r".*",
    "int": r"\d+",
}


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put values in; braces around anything else, as in JSON, stay."""

    def value(match: re.Match[str]) -> str:
        found = values.get(match[1])
        if found is None:
            return match[0]
        return str(int(found) + int(match[2])) if match[2] else found

    return _VALUE.sub(value, text)


def matches(template: str, text: str) -> dict[str, str] | None:
    """Return what the `<names>` of a filled template stand for in `text`, None for no match."""
    found = _pattern(template).fullmatch(text)
    return None if found is None else found.groupdict()


@functools.lru_cache(maxsize=256)
def _pattern(template: str) -> re.Pattern[str]:
    parts: list[str] = []
    seen: set[str] = set()
    at = 0
    for match in _ANY.finditer(template):
        kind = _KINDS.get(match[1])
        if kind is None:
            continue
        name = match[1] + match[2]
        parts.append(re.escape(template[at : match.start()]))
        parts.append(f"(?P={name})" if name in seen else f"(?P<{name}>{kind})")
        seen.add(name)
        at = match.end()
    parts.append(re.escape(template[at:]))
    return re.compile("".join(parts), re.DOTALL)
