"""Text that a target may have sent, made safe to print. Pure functions."""

import re

# Control characters, half surrogates, and the marks that turn the direction of reading: a
# target may send any of them, and none may rewrite what a reader sees.
_UNPRINTABLE = re.compile(
    "[^\\t\\n\\x20-\\x7e\\u00a0-\\ud7ff\\ue000-\\U0010ffff]|[\\u2028-\\u202e\\u2066-\\u2069]"
)


def printable(text: str) -> str:
    """Return `text` with U+FFFD for what must not be printed, and newlines as line feeds."""
    return _UNPRINTABLE.sub("\ufffd", text.replace("\r\n", "\n"))


def one_line(text: str, limit: int) -> str:
    """Return `text` in one line of at most `limit` characters."""
    line = " ".join(printable(text).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def clipped(text: str, limit: int) -> str:
    """Return at most `limit` characters of `text`, saying how many were left out."""
    text = printable(text)
    left_out = len(text) - limit
    return text if left_out <= 0 else f"{text[:limit]}\n… {left_out} more characters"
