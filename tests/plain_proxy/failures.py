"""What a caller is told when a tool call fails, and what each status of the Go API means."""

import re
import time
from dataclasses import dataclass
from email.utils import mktime_tz, parsedate_tz
from typing import Any

from plain_proxy import strict_json

MAX_DEPTH = 200  # a note of the deepest arguments that are taken, in a list, fits
MAX_DETAIL = 200  # characters of the Go API's own words
MAX_RETRY_AFTER = 86_400  # a day; longer is a mistake

TEXTS = {
    "busy": "Too many requests are in flight; nothing was sent.",
    "conflict": "Another change came first.",
    "epoch_mismatch": "The data was wiped meanwhile, and the new epoch was not accepted.",
    "gone": "It has been deleted.",
    "internal": "The proxy failed; its operator can find the cause by the correlation id.",
    "invalid_argument": "The Go API found the arguments invalid.",
    "not_found": "There is no such object.",
    "payload_too_large": "The request is too large for the Go API.",
    "precondition_failed": "The object no longer has the version of if_match; read it again.",
    "rate_limited": "The Go API limits the rate; wait retry_after seconds.",
    "response_too_large": "The answer is too large; ask for less, with a smaller limit.",
    "session_unavailable": "The Go API accepted no sync session.",
    "tenant_headers_rejected": "The Go API refused the signed tenant headers, not the token: "
    "the tenant secrets of both sides differ, or their clocks by more than 300 seconds.",
    "upstream_bad_response": "The Go API's answer was not the JSON expected.",
    "upstream_connect_timeout": "The Go API did not accept the connection in time.",
    "upstream_dns": "The Go API's name could not be resolved.",
    "upstream_error": "The Go API failed.",
    "upstream_forbidden": "The Go API denied access.",
    "upstream_redirect": "The Go API redirected the request; redirects are not followed.",
    "upstream_rejected": "The Go API did not take the request.",
    "upstream_timeout": "The Go API did not answer in time.",
    "upstream_tls": "The Go API's certificate or TLS was not acceptable.",
    "upstream_token_rejected": "The Go API refused the token, which this proxy had accepted.",
    "upstream_unavailable": "The Go API is unavailable.",
    "upstream_unreachable": "The Go API could not be reached.",
}
STATUSES = {
    400: "invalid_argument",
    401: "upstream_token_rejected",
    403: "upstream_forbidden",
    404: "not_found",
    408: "upstream_timeout",
    409: "conflict",
    410: "gone",
    412: "precondition_failed",
    413: "payload_too_large",
    428: "session_unavailable",
    429: "rate_limited",
    502: "upstream_unavailable",
    503: "upstream_unavailable",
    504: "upstream_timeout",
}
# A gateway's answers: the Go API behind it may have done what was asked.
UNDECIDED = (408, 502, 504)

# An address, or a run of characters as long as a token, a signature or a cursor.
_SECRET = re.compile(r"://|[A-Za-z0-9_.+/=-]{40}")


@dataclass
class Failure(Exception):
    """A tool call that failed; `session_lost` says that a new sync session may help."""

    code: str
    text: str = ""
    status: int | None = None
    retry_after: int | None = None
    session_lost: bool = False

    def as_error(self, uid: str | None, correlation_id: str) -> dict[str, Any]:
        """Return `structuredContent.error`."""
        return {
            "code": self.code,
            "message": self.text or TEXTS[self.code],
            "status": self.status,
            "retry_after": self.retry_after,
            "uid": uid,
            "correlation_id": correlation_id,
        }


def from_answer(status: int, body: bytes, retry_after: str | None) -> Failure:
    """Return what an answer other than 2xx means."""
    said = _said(body)
    lost = status == 428 or (said == "epoch_mismatch" and status == 409)
    lost = lost or (status == 403 and (said or "").lower().startswith("session"))
    code = STATUSES.get(status) or _by_class(status)
    if lost:
        code = "epoch_mismatch" if status == 409 else "session_unavailable"
    elif status == 401 and b"tenant header" in body:
        code = "tenant_headers_rejected"
    text = f'{TEXTS[code]} Its words: "{said}"' if said else TEXTS[code]
    return Failure(code, text, status, _seconds(retry_after), lost)


def _by_class(status: int) -> str:
    if status < 400:
        return "upstream_redirect"
    return "upstream_rejected" if status < 500 else "upstream_error"


def _said(body: bytes) -> str | None:
    try:
        value = strict_json.parse(body, MAX_DEPTH)
    except ValueError:
        return None
    said = value.get("error") if isinstance(value, dict) else None
    if not isinstance(said, str) or _SECRET.search(said):
        return None
    return "".join(c if c.isprintable() else " " for c in said[:MAX_DETAIL])


def _seconds(retry_after: str | None) -> int | None:
    """Parse Retry-After (RFC 9110 section 10.2.3); what makes no sense is None."""
    value = retry_after or ""
    if re.fullmatch("[0-9]{1,9}", value):
        return min(int(value), MAX_RETRY_AFTER)
    try:
        date = parsedate_tz(value)
        seconds = round(mktime_tz(date) - time.time()) if date else None
    except (ValueError, OverflowError):
        return None
    return None if seconds is None else min(max(0, seconds), MAX_RETRY_AFTER)
