"""Secrets as they turn up in text, and whether a text shows any part of one."""

import base64
import functools
import json
import re
from collections.abc import Callable, Iterable
from urllib.parse import quote, quote_plus

# A part this long is no accident; shorter ones, such as 8 digits of a signature, say nothing.
WINDOW = 16

ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "url": lambda text: quote(text, safe=""),
    "url, slashes kept": quote,
    "url, lower case": lambda text: re.sub("%..", lambda m: m[0].lower(), quote(text, safe="")),
    "form": quote_plus,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64url": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "repr": lambda text: repr(text)[1:-1],
    "repr of bytes": lambda text: repr(text.encode())[2:-1],
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON, not ASCII": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
}


def _windows(text: str) -> frozenset[str]:
    return frozenset(text[at : at + WINDOW] for at in range(len(text) - WINDOW + 1))


@functools.lru_cache(maxsize=64)
def _parts(secret: str) -> frozenset[str]:
    """Return the parts of `secret` in every encoding, and at any place of a base64 text."""
    spelt = {encode(secret) for encode in ENCODINGS.values()}
    # What stands before it in a longer text shifts base64 by one or two bytes.
    spelt |= {ENCODINGS["base64"](shift + secret)[4:-4] for shift in ("x", "xx")}
    return frozenset().union(*map(_windows, spelt))


def parts_of(secrets: Iterable[str], text: str) -> list[str]:
    """Return the parts of `secrets`, in any encoding, that stand in `text`."""
    seen = _windows(text)
    return sorted(part for secret in secrets for part in seen & _parts(secret))
