"""What an answer of the Go API means: one row per status, and the shapes of good answers."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.utils import mktime_tz, parsedate_tz
from typing import Any

from toolbridge_proxy import strict_json
from toolbridge_proxy.errors import ToolFailure, lost_or
from toolbridge_proxy.logs import CORRELATION_ID

# Clients of the MCP library read results of at most 255 levels.
MAX_DEPTH = 160
MAX_DETAIL_CHARS = 200
MAX_RETRY_AFTER_SECONDS = 86400
# An address, or a token or signature that a gateway quotes: longer than a UUID.
_NOT_RELAYED = re.compile(r"://|[A-Za-z0-9_.+/=-]{40}")

STATUS_CODES: dict[int, str] = {
    400: "invalid_argument",
    401: "upstream_token_rejected",
    403: "upstream_forbidden",
    404: "not_found",
    408: "upstream_timeout",
    409: "conflict",
    410: "gone",
    412: "precondition_failed",
    413: "payload_too_large",
    429: "rate_limited",
    502: "upstream_unavailable",
    503: "upstream_unavailable",
    504: "upstream_timeout",
}
# The answer of a gateway, not of the Go API: a mutation may have happened.
GATEWAY_LOST = frozenset({408, 502, 504})
REPEATABLE = GATEWAY_LOST | {503}
# What the Go API says about an object or its change.
OBJECT_CODES = {STATUS_CODES[status] for status in (400, 404, 409, 410, 412, 413)} | {
    "epoch_mismatch",
    "upstream_rejected",
}


@dataclass(frozen=True)
class Answer:
    """An upstream answer, its body bounded and, when it is good, parsed into `data`."""

    status: int
    body: bytes
    media_type: str
    retry_after: str | None
    data: Any = None


def judge(answer: Answer, accept: Callable[[Any], Any], lost: str | None) -> Answer:
    """Return a good answer with its `data`; raises ToolFailure for any other.

    `lost` is the text for a mutation whose outcome the answer leaves open, None for a read.
    """
    if 200 <= answer.status < 300:
        return _parsed(answer, accept, lost)
    detail, upstream_id = _said(answer)
    code, retry_after = _code(answer, detail), _retry_after(answer.retry_after)
    failure = ToolFailure(code, answer.status, retry_after, detail, upstream_id=upstream_id)
    failure.repeatable = answer.status in REPEATABLE and lost is None
    failure.session_lost = _is_session_loss(answer.status, detail)
    raise lost_or(lost, failure) if answer.status in GATEWAY_LOST else failure


def _parsed(answer: Answer, accept: Callable[[Any], Any], lost: str | None) -> Answer:
    kind = answer.media_type.partition(";")[0].strip().lower()
    try:
        if kind != "application/json":
            raise ValueError(kind)
        return replace(answer, data=accept(strict_json.loads(answer.body, max_depth=MAX_DEPTH)))
    except ValueError:
        raise lost_or(lost, ToolFailure("upstream_bad_response", answer.status)) from None


def _code(answer: Answer, detail: str | None) -> str:
    status = answer.status
    if _is_session_loss(status, detail):
        return "epoch_mismatch" if status == 409 else "session_unavailable"
    # The Go API's two refusals differ in this text alone.
    if status == 401 and b"tenant header" in answer.body:
        return "tenant_headers_rejected"
    if status in STATUS_CODES:
        return STATUS_CODES[status]
    if status < 400:
        return "upstream_redirect"
    return "upstream_rejected" if status < 500 else "upstream_error"


def _is_session_loss(status: int, detail: str | None) -> bool:
    """Whether a new session is the answer: none ever reached the handler behind the gate."""
    if status == 428:
        return True
    if status == 403:
        return (detail or "").lower().startswith("session")
    return status == 409 and detail == "epoch_mismatch"


def _said(answer: Answer) -> tuple[str | None, str | None]:
    """Return the message and correlation id of a JSON error; anything else is not relayed."""
    try:
        data = strict_json.loads(answer.body, max_depth=MAX_DEPTH)
    except strict_json.StrictJSONError:
        data = None
    said = data if isinstance(data, dict) else {}
    upstream_id = _clean(said.get("correlation_id"))
    known = upstream_id is not None and CORRELATION_ID.fullmatch(upstream_id)
    return _clean(said.get("error")), upstream_id if known else None


def _clean(value: object) -> str | None:
    if not isinstance(value, str) or not value or _NOT_RELAYED.search(value):
        return None
    return re.sub(
        r"[^\x20-\x7e\xa0-\u2027\u2030-\u2065\u2070-\ud7ff\ue000-\uffff\U00010000-\U0010ffff]",
        " ",
        value[:MAX_DETAIL_CHARS],
    )


def _retry_after(value: Any) -> int | None:
    """Parse Retry-After (RFC 9110 section 10.2.3) to seconds, None when it is not sensible."""
    try:
        plain = re.fullmatch(r"[0-9]{1,9}", value)
        seconds = int(value) if plain else mktime_tz(parsedate_tz(value)) - time.time()
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(0, round(seconds)), MAX_RETRY_AFTER_SECONDS)
