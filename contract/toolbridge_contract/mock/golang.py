"""Go's own parsing rules that the API inherits: integers, UUIDs, paths, queries, times."""

import functools
import re
import time
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

INT64_MAX = 2**63 - 1
INT64_MIN = -(2**63)

_DECIMAL = re.compile(r"[+-]?[0-9]+\Z")
_HEX_32 = re.compile(r"[0-9a-fA-F]{32}\Z")
_DASHED = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_CANONICAL = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_BAD_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")
# net/url leaves these unescaped in a path, beside letters and digits.
_PATH_SAFE = "-_.~$&+,/:;=@"
NIL_UUID = "00000000-0000-0000-0000-000000000000"


class ParsedInt(NamedTuple):
    """What `strconv.ParseInt` returns: the value (0 or a clamped bound on error), and no error."""

    value: int
    exact: bool


def parse_int(text: str) -> ParsedInt:
    """Parse as `strconv.ParseInt(text, 10, 64)`: `+5` and `007` are fine, blanks and `_` not."""
    if len(text) < 19 and text.isascii() and text.isdigit():
        return ParsedInt(int(text), True)
    if _DECIMAL.match(text) is None:
        return ParsedInt(0, exact=False)
    digits = text.lstrip("+-").lstrip("0")
    if len(digits) > 19:
        return ParsedInt(INT64_MIN if text[0] == "-" else INT64_MAX, exact=False)
    value = int(digits or "0") * (-1 if text[0] == "-" else 1)
    clamped = min(max(value, INT64_MIN), INT64_MAX)
    return ParsedInt(clamped, exact=clamped == value)


def parse_uuid(text: str) -> str | None:
    """Return the canonical form of what `uuid.Parse` of google/uuid accepts, else None.

    It takes the dashed form, the same after `urn:uuid:`, the same with any byte at each end, and
    32 hex digits.
    """
    if _CANONICAL.match(text) is not None:
        return text
    size = len(text.encode("utf-8", "surrogatepass"))
    if size == 45 and text[:9].lower() == "urn:uuid:":
        text = text[9:]
    elif size == 38 and len(text) == 38:
        text = text[1:-1]
    elif _HEX_32.match(text) is not None:
        text = f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
    return text.lower() if _DASHED.match(text) is not None else None


def split_target(target: str) -> tuple[str, str]:
    """Return (raw path, raw query) of a request target in origin or absolute form."""
    if not target.startswith("/"):
        _, separator, rest = target.partition("://")
        if separator:
            slash = rest.find("/")
            target = rest[slash:] if slash >= 0 else "/"
    path, _, query = target.partition("?")
    return path, query


def routing_path(raw: str) -> str | None:
    """Return the path that the router matches on, or None for bad percent-encoding.

    net/url keeps the raw path whenever re-encoding the decoded one gives something else, and chi
    then routes on it: `%20x` arrives decoded, `%6eotes` and `a%2Fb` arrive as sent.
    """
    if "%" not in raw:
        return raw
    if _BAD_ESCAPE.search(raw) is not None:
        return None
    decoded = unquote_to_bytes(raw)
    if quote(decoded, safe=_PATH_SAFE) != raw:
        return raw
    return decoded.decode("utf-8", "surrogateescape")


def parse_query(query: str) -> dict[str, str]:
    """Return the first value of each parameter; parts with `;` or bad escapes are dropped."""
    values: dict[str, str] = {}
    for part in query.split("&"):
        if not part or ";" in part or _BAD_ESCAPE.search(part) is not None:
            continue
        name, _, value = part.partition("=")
        values.setdefault(_unescape(name), _unescape(value))
    return values


def _unescape(text: str) -> str:
    text = text.replace("+", " ")
    return unquote_to_bytes(text).decode("utf-8", "surrogateescape") if "%" in text else text


def rfc3339(ns: int) -> str:
    """Format unix ns as Go's RFC3339Nano in UTC: trailing zeros of the fraction are cut."""
    seconds, fraction = divmod(ns, 1_000_000_000)
    stem = _whole_second(seconds)
    return f"{stem}.{fraction:09d}".rstrip("0") + "Z" if fraction else stem + "Z"


# Many rows share a second; the cache only has to span the ones being written now.
@functools.lru_cache(maxsize=1024)
def _whole_second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
