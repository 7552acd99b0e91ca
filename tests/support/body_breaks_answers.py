"""Breaks of properties 38 and 39: what a caller is told."""

from collections.abc import Callable, Sequence
from typing import Any

import httpx

from support.body_break import Break

_TOTAL, _CAUSES = "38-error-mapping-totality", "38-causes-have-their-codes"
_GOOD = "38-good-answers-pass"
_BOUND, _KEPT = "39-retry-after-is-seconds", "39-retry-after-seconds-are-kept"
_DATES = "39-retry-after-dates-are-understood"

Edit = Callable[[dict[str, Any], httpx.Response], None]


def _error(name: str, noticed_by: str, edit: Edit) -> Break:
    """Return a break that edits the error of a failed call, seeing the last upstream answer."""

    def answers(message: dict[str, Any], said: Sequence[httpx.Response]) -> None:
        error = message.get("result", {}).get("structuredContent", {}).get("error")
        if error and said:
            edit(error, said[-1])

    return Break(name, (noticed_by,), answers=answers)


def _becomes_success(*statuses: int) -> Callable[[dict[str, Any], Sequence[httpx.Response]], None]:
    def answers(message: dict[str, Any], said: Sequence[httpx.Response]) -> None:
        if said and said[-1].status_code in statuses and message.get("result", {}).get("isError"):
            message["result"] = {"content": [], "structuredContent": {}, "isError": False}

    return answers


def _becomes_failure(message: dict[str, Any], _: Sequence[httpx.Response]) -> None:
    """A model that wants a payload, which an answer to DELETE has not."""
    result = message.get("result", {})
    if not result.get("isError") and not {"payload", "items"} & result["structuredContent"].keys():
        error = {"code": "upstream_bad_response"}
        message["result"] = {"isError": True, "structuredContent": {"error": error}}


def _is(status: range, code: str) -> Edit:
    def edit(error: dict[str, Any], answer: httpx.Response) -> None:
        if answer.status_code in status:
            error["code"] = code

    return edit


def _code(old: str, new: str) -> Edit:
    def edit(error: dict[str, Any], _: httpx.Response) -> None:
        error["code"] = new if error["code"] == old else error["code"]

    return edit


def _says(text: Callable[[dict[str, Any], httpx.Response], str]) -> Edit:
    def edit(error: dict[str, Any], answer: httpx.Response) -> None:
        error["message"] += text(error, answer)

    return edit


def _body(answer: httpx.Response) -> str:
    body: bytes = answer.extensions.get("body", b"")
    return body.decode("utf-8", "replace")


def _waits(make: Callable[[str], Any]) -> Edit:
    def edit(error: dict[str, Any], answer: httpx.Response) -> None:
        if "retry-after" in answer.headers:
            error["retry_after"] = make(answer.headers["retry-after"])

    return edit


def _digits(text: str) -> int | None:
    return int(text[:4000]) if text.isascii() and text.isdigit() else None


ANSWERS = (
    _error("error body relayed raw", _TOTAL, _says(lambda _, answer: _body(answer))),
    _error("error page cut, not dropped", _TOTAL, _says(lambda _, a: _body(a)[:200])),
    _error("upstream headers relayed", _TOTAL, _says(lambda _, a: str(a.headers.raw))),
    _error("unbounded message", _TOTAL, _says(lambda error, _: error["message"] * 20)),
    _error("control characters relayed", _TOTAL, _says(lambda *_: "\x1b[31m")),
    _error("5xx becomes gone", _TOTAL, _is(range(500, 600), "gone")),
    _error("4xx not named raises", _TOTAL, _is(range(417, 428), "internal")),
    _error("a status is its own code", _TOTAL, _is(range(300, 400), "http_3xx")),
    _error(
        "tenant headers blamed on the token",
        _CAUSES,
        _code("tenant_headers_rejected", "upstream_token_rejected"),
    ),
    _error("a lost outcome is definite", _TOTAL, _code("outcome_unknown", "upstream_error")),
    _error("every conflict is the epoch's", _CAUSES, _code("conflict", "epoch_mismatch")),
    Break("good answers become failures", (_GOOD,), answers=_becomes_failure),
    Break("404 becomes success", (_TOTAL,), answers=_becomes_success(404, 410)),
    Break("any 2xx is success", (_TOTAL,), answers=_becomes_success(*range(200, 300))),
    Break("unknown failures succeed", (_TOTAL,), answers=_becomes_success(*range(430, 500))),
    _error("Retry-After unbounded", _BOUND, _waits(_digits)),
    _error("Retry-After relayed as text", _BOUND, _waits(str)),
    _error("Retry-After negative", _BOUND, _waits(lambda text: -1)),
    _error("Retry-After lost", _KEPT, _waits(lambda text: None)),
    _error("Retry-After in milliseconds", _KEPT, _waits(lambda t: (_digits(t) or 0) * 1000)),
    _error("Retry-After date raises", _DATES, _waits(_digits)),
    _error("Retry-After date is now", _DATES, _waits(lambda text: _digits(text) or 0)),
)
