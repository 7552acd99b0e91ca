"""What an answer of the Go API means: one row per status, and the shapes of good answers."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from toolbridge_proxy import strict_json
from toolbridge_proxy.errors import ToolFailure, lost_or

# The MCP library serialises results to at most 255 levels.
MAX_DEPTH = 160
MAX_DETAIL_CHARS = 200
MAX_RETRY_AFTER_SECONDS = 86400

STATUS_CODES: dict[int, str] = {
    400: "invalid_argument",
    403: "upstream_forbidden",
    404: "not_found",
    408: "upstream_timeout",
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


@dataclass(frozen=True)
class Answer:
    """An upstream answer, its body bounded and, when it is good, parsed into `data`."""

    status: int
    body: bytes
    media_type: str
    retry_after: str | None
    data: Any = None


def judge(answer: Answer, accept: Callable[[Any], bool], lost: str | None) -> Answer:
    """Return a good answer with its `data`; raises ToolFailure for any other.

    `lost` is the text for a mutation whose outcome the answer leaves open, None for a read.
    """
    if 200 <= answer.status < 300:
        return _parsed(answer, accept, lost)
    detail, upstream_id = _said(answer)
    failure = ToolFailure(
        _code(answer, detail),
        status=answer.status,
        retry_after=_retry_after(answer.retry_after),
        detail=detail,
        upstream_id=upstream_id,
        repeatable=answer.status in REPEATABLE and lost is None,
        session_lost=_is_session_loss(answer.status, detail),
    )
    raise lost_or(lost, failure) if answer.status in GATEWAY_LOST else failure


def _parsed(answer: Answer, accept: Callable[[Any], bool], lost: str | None) -> Answer:
    bad = lost_or(lost, ToolFailure("upstream_bad_response", answer.status))
    if answer.media_type.partition(";")[0].strip().lower() != "application/json":
        raise bad
    try:
        data = strict_json.loads(answer.body, max_depth=MAX_DEPTH)
    except strict_json.StrictJSONError:
        raise bad from None
    if not accept(data):
        raise bad
    return replace(answer, data=data)


def _code(answer: Answer, detail: str | None) -> str:
    status = answer.status
    if status == 401:
        # The Go API's two refusals differ in this text alone.
        tenant = b"tenant header" in answer.body
        return "tenant_headers_rejected" if tenant else "upstream_token_rejected"
    if status == 409:
        return "epoch_mismatch" if detail == "epoch_mismatch" else "conflict"
    if _is_session_loss(status, detail):
        return "session_unavailable"
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
        return "session" in (detail or "").lower()
    return status == 409 and detail == "epoch_mismatch"


def _said(answer: Answer) -> tuple[str | None, str | None]:
    """Return the message and correlation id of a JSON error; anything else is not relayed."""
    try:
        data = strict_json.loads(answer.body, max_depth=MAX_DEPTH)
    except strict_json.StrictJSONError:
        return None, None
    if not isinstance(data, dict):
        return None, None
    return _clean(data.get("error")), _clean(data.get("correlation_id"))


def _clean(value: object) -> str | None:
    if not isinstance(value, str) or not value:
        return None
    return re.sub(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\uffff]", " ", value[:MAX_DETAIL_CHARS])


def _retry_after(value: str | None) -> int | None:
    """Parse Retry-After (RFC 9110 section 10.2.3) to seconds, None when it is not sensible."""
    if value is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}", value):
        return min(int(value), MAX_RETRY_AFTER_SECONDS)
    try:
        when = parsedate_to_datetime(value)
        seconds = (when - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(0, round(seconds)), MAX_RETRY_AFTER_SECONDS)


def is_item(data: Any) -> bool:
    """Whether `data` is `{uid, version, updatedAt, payload}`."""
    return is_deletion(data) and isinstance(data.get("payload"), dict)


def is_deletion(data: Any) -> bool:
    """Whether `data` is `{uid, version, updatedAt}`: an answer to DELETE has no payload."""
    return (
        isinstance(data, dict)
        and isinstance(data.get("uid"), str)
        and type(data.get("version")) is int
        and isinstance(data.get("updatedAt"), str)
    )


def is_page(data: Any) -> bool:
    """Whether `data` is `{items, nextCursor?}`."""
    return (
        isinstance(data, dict)
        and isinstance(data.get("items"), list)
        and all(is_item(item) for item in data["items"])
        and isinstance(data.get("nextCursor", ""), str)
    )
