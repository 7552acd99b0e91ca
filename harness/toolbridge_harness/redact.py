"""Keep secrets out of everything that is printed or written."""

import base64
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

# A JWT's header always starts with `{"`, which base64url turns into `eyJ`.
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_=+/-]*){1,4}")
# Not the challenge of a 401: its parameters are evidence, and no secret.
_BEARER = re.compile(r"(?i)(bearer(?:\s|%20|\+)+)(?![a-z_]+=\")[^\s\"',;\\]+")
# HMAC-SHA256 in hex, in either case, alone or behind an escaped character (%3A, \x3a, \n's \u000a).
_ESCAPES = (r"%[0-9A-Fa-f]{2}", r"\\x[0-9a-fA-F]{2}", r"\\u[0-9a-fA-F]{4}", r"\\U[0-9a-fA-F]{8}")
_BEFORE = "|".join([r"(?<![0-9A-Fa-f])", *(f"(?<={escape})" for escape in _ESCAPES)])
_SIGNATURE = re.compile(rf"(?:{_BEFORE})[0-9a-fA-F]{{64}}(?![0-9A-Fa-f])")

# Below this many characters a "secret" would also be found in ordinary words.
_SHORTEST = 6


class Redactor:
    """Replaces the secrets it was told of, and whatever looks like a token or a signature."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._variants: dict[str, str] = {}
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str, name: str = "secret") -> None:
        """Remove `secret`, in every usual encoding, from now on."""
        if len(secret) < _SHORTEST:
            return
        for variant in _encodings(secret):
            self._variants[variant] = f"<{name}>"

    def clean(self, text: str) -> str:
        """Return `text` without secrets."""
        for variant in sorted(self._variants, key=len, reverse=True):
            if variant in text:
                text = text.replace(variant, self._variants[variant])
        text = _JWT.sub("<token>", text)
        text = _BEARER.sub(lambda match: f"{match[1]}<token>", text)
        return _SIGNATURE.sub("<signature>", text)

    def finds(self, text: str) -> list[str]:
        """Return the kinds of secret that stand in `text`: known ones, tokens, signatures."""
        found = {name for variant, name in self._variants.items() if variant in text}
        if _JWT.search(text):
            found.add("<token>")
        return sorted(found)


def _encodings(secret: str) -> set[str]:
    raw, percent = secret.encode(), quote(secret, safe="")
    return {
        secret,
        percent,
        quote(secret),
        quote_plus(secret),
        re.sub("%..", lambda escape: escape[0].lower(), percent),
        raw.hex(),
        raw.hex().upper(),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        repr(raw)[2:-1],
        secret.replace("\\", "\\\\"),
        *_base64(raw),
    }


def _base64(raw: bytes) -> set[str]:
    """Return the spellings of `raw` in base64, also as a part of a longer text.

    A text before it shifts it by 0, 1 or 2 bytes; the characters at its edges then hold bits of
    the neighbours too, and are left out.
    """
    spellings = set()
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + raw).decode()[4 if shift else 0 :]
        spellings |= {text, text.rstrip("="), text[:-4]}
    urlsafe = str.maketrans("+/", "-_")
    return spellings | {text.translate(urlsafe) for text in spellings}
