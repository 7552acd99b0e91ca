"""Breaks of property 40: a proxy that logs, and redactors that miss something."""

import base64
import logging
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import httpx
import structlog

from support.body_break import Break
from support.body_redactor import Cleans
from support.body_secrets import ENCODINGS

_SENT, _SAID = "40-what-callers-send-is-not-logged", "40-what-the-go-api-says-is-not-logged"
log = structlog.get_logger()

Lines = Sequence[tuple[bytes, bytes]]


def _request(name: str, of: Callable[[httpx.Request], object], noticed_by: str = _SENT) -> Break:
    def speaks(request: httpx.Request) -> None:
        log.debug("sending", what=of(request))

    return Break(name, (noticed_by,), speaks=speaks)


def _message(name: str, of: Callable[[str, Lines, bytes], object]) -> Break:
    def hears(path: str, lines: Lines, body: bytes) -> None:
        logging.getLogger("uvicorn.access").info("heard %s", of(path, lines, body))

    return Break(name, (_SENT,), hears=hears)


def _b64(request: httpx.Request) -> str:
    return base64.b64encode(request.headers["Authorization"].encode()).decode()


def _log_answer(_: dict[str, Any], said: Sequence[httpx.Response]) -> None:
    for answer in said:
        log.warning("answered", body=answer.extensions.get("body", b"")[:300])


class _Echo:
    """Puts the caller's own body into the text of an error."""

    body = b""

    def hears(self, _: str, __: Lines, body: bytes) -> None:
        self.body = body

    def answers(self, message: dict[str, Any], _: Sequence[httpx.Response]) -> None:
        error = message.get("error") or message.get("result", {}).get("structuredContent", {})
        if "message" in error:
            error["message"] += self.body.decode("utf-8", "replace")
        elif "error" in error:
            error["error"]["message"] += self.body.decode("utf-8", "replace")


_echo = _Echo()

LEAKS = (
    _request("token logged", lambda request: request.headers["Authorization"]),
    _request("token logged in base64", _b64),
    _request("middle of the token logged", lambda r: r.headers["Authorization"].split(".")[1][:40]),
    _request("whole signature logged", lambda request: request.headers["X-TB-Signature"]),
    _request("headers logged raw", lambda request: request.headers.raw),
    _request("note text logged", lambda request: request.content),
    _request("note text logged in hex", lambda request: request.content.hex()),
    _message("query string logged", lambda path, *_: path),
    _message("caller's headers logged", lambda _, lines, __: lines),
    _message("caller's body logged", lambda _, __, body: body),
    Break("Go API's answers logged", (_SAID,), answers=_log_answer),
    Break("arguments echoed in errors", (_SENT,), hears=_echo.hears, answers=_echo.answers),
)


class Model:
    """A redactor that has the property; each break lacks one part of it."""

    signature = re.compile(
        r"(?:(?<![0-9A-Fa-f])|(?<=%[0-9A-Fa-f]{2})|(?<=\\x[0-9a-f]{2})|(?<=\\u[0-9a-f]{4})"
        r"|(?<=\\U[0-9a-f]{8}))[0-9a-fA-F]{64}(?![0-9A-Fa-f])"
    )
    token = re.compile(r"eyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_=+/-]*){1,4}")
    mark = "<secret>"

    def __init__(self, secrets: Iterable[str]) -> None:
        variants = {variant for secret in secrets for variant in self.variants(secret)}
        self._variants = sorted(variants, key=len, reverse=True)

    def variants(self, secret: str) -> set[str]:
        """Return every spelling of `secret`, in base64 for each of three alignments."""
        spelt = {encode(secret) for encode in ENCODINGS.values()}
        for shift in range(3):
            inner = ENCODINGS["base64"]("x" * shift + secret)[4 * (shift > 0) : -4]
            spelt |= {inner, inner.translate(str.maketrans("+/", "-_"))}
        return spelt

    def clean(self, text: str) -> str:
        for variant in self._variants:
            text = text.replace(variant, self.mark)
        return self.signature.sub("<signature>", self.token.sub("<token>", text))


class _PlainOnly(Model):
    def variants(self, secret: str) -> set[str]:
        return {secret}


class _NoHex(Model):
    def variants(self, secret: str) -> set[str]:
        return super().variants(secret) - {ENCODINGS["hex"](secret), ENCODINGS["HEX"](secret)}


class _Aligned(Model):
    def variants(self, secret: str) -> set[str]:
        return {encode(secret) for encode in ENCODINGS.values()}


class _OneSecret(Model):
    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__(list(secrets)[:1])


class _BetweenWords(Model):
    signature = re.compile(r"(?<![0-9A-Za-z])[0-9a-fA-F]{64}(?![0-9A-Za-z])")


class _LowerCase(Model):
    signature = re.compile("(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


class _AnyHex(Model):
    signature = re.compile("[0-9a-fA-F]{20,}")


class _KnownTokens(Model):
    token = re.compile("(?!)")


class _Grows(Model):
    def clean(self, text: str) -> str:
        return f"[redacted] {super().clean(text)}"


class _Bearer(Model):
    token = re.compile(r"(?i)(?<=bearer )\S+")


Makes = Callable[[Iterable[str]], Cleans]
_KNOWN, _LONGER = "40-a-known-secret-is-gone", "40-base64-of-more-than-a-secret"
_SIGNATURE, _TOKEN = "40-a-signature-is-gone-unknown", "40-a-token-is-gone-unknown"
_OTHER = "40-other-text-is-left-alone"

REDACTORS: tuple[tuple[str, Makes, str], ...] = (
    ("only plain text", _PlainOnly, _KNOWN),
    ("no hex", _NoHex, "40-a-text-with-a-secret-may-be-encoded"),
    ("base64 only when aligned", _Aligned, _LONGER),
    ("one secret", _OneSecret, "40-several-secrets-are-gone"),
    ("signatures only between words", _BetweenWords, _SIGNATURE),
    ("signatures in lower case", _LowerCase, _SIGNATURE),
    ("only known tokens", _KnownTokens, _TOKEN),
    ("any hex", _AnyHex, _OTHER),
    ("grows", _Grows, "40-cleaning-is-idempotent"),
    ("challenges taken for tokens", _Bearer, "40-a-challenge-is-left-alone"),
)
