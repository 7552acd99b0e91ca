"""What net/http takes and llhttp does not: unknown methods, and one Content-Length said twice."""

import re
from dataclasses import dataclass

from toolbridge_contract.mock.messages import Headers

# RFC 9110 §5.6.2; net/http takes any token for a method, `get` and `FOO` too.
_METHOD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ")
# A method that llhttp knows and that may have a body.
_STAND_IN = b"POST"
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length"


@dataclass(frozen=True, slots=True)
class Repaired:
    """Bytes that llhttp reads, and what was taken out of them."""

    data: bytes
    method: str
    headers: Headers


def repair(data: bytes) -> Repaired | None:
    """Return the bytes from the start of a request as llhttp can read them.

    None when net/http would refuse them as well, or when the head has not arrived whole.
    """
    found = _METHOD.match(data)
    head, end, body = data.partition(_END_OF_HEAD)
    if found is None or not end:
        return None
    kept, dropped = _one_length(head.split(b"\r\n"))
    if kept is None:
        return None
    method = found[1]
    rest = b"\r\n".join(kept)[len(method) :]
    return Repaired(_STAND_IN + rest + end + body, method.decode(), dropped)


def _one_length(lines: list[bytes]) -> tuple[list[bytes] | None, Headers]:
    """Keep the first of equal Content-Length lines; None for ones that differ."""
    lengths = [line for line in lines[1:] if line.lower().startswith(_LENGTH + b":")]
    if len({_pair(line)[1] for line in lengths}) > 1:
        return None, []
    seen = False
    kept, dropped = [], []
    for line in lines:
        if line in lengths and seen:
            dropped.append(_pair(line))
            continue
        seen = seen or line in lengths
        kept.append(line)
    return kept, dropped


def _pair(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name, value.strip(b" \t")
