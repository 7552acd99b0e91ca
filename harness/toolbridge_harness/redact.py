"""Keep secrets out of everything that is printed or written."""

import base64
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

# A JWT's header always starts with `{"`, which base64url turns into `eyJ`.
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_=+/-]*){1,4}")
_BEARER = re.compile(r"(?i)(bearer(?:\s|%20|\+)+)[^\s\"',;\\]+")
# HMAC-SHA256 in hex, in either case.
_SIGNATURE = re.compile(r"(?<![0-9A-Za-z])[0-9a-fA-F]{64}(?![0-9A-Za-z])")

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
    raw = secret.encode()
    encoded = base64.b64encode(raw).decode()
    return {
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        encoded,
        encoded.rstrip("="),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
        raw.hex(),
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
    }
