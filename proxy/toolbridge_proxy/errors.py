"""What a caller is told when a tool call fails: the codes, their texts, their shape."""

import json
from dataclasses import dataclass

MESSAGES: dict[str, str] = {
    "busy": "The proxy has too many requests in flight. Nothing was sent; call again later.",
    "conflict": "The change collides with another one.",
    "epoch_mismatch": "The data was wiped meanwhile and the new sync epoch was not accepted.",
    "gone": "It was deleted.",
    "internal": "The proxy failed. Quote the correlation id to its operator.",
    "invalid_argument": "The Go API refused the arguments.",
    "not_found": "There is no such object.",
    "payload_too_large": "The Go API refused the size of the request.",
    "precondition_failed": "The object has another version than if_match says; read it again.",
    "rate_limited": "The Go API limits the rate; wait for retry_after seconds.",
    "response_too_large": "The answer is too large; ask for less (a smaller limit).",
    "session_unavailable": "The Go API did not accept a fresh sync session.",
    "tenant_headers_rejected": "The Go API refused the signed tenant headers; the token is fine. "
    "Compare TENANT_HEADER_SECRET on both sides, and the clocks (300 s of skew are tolerated).",
    "upstream_bad_response": "The Go API's answer was not the JSON that was expected.",
    "upstream_connect_timeout": "The Go API did not accept a connection in time.",
    "upstream_dns": "The Go API's host name could not be resolved.",
    "upstream_error": "The Go API failed.",
    "upstream_forbidden": "The Go API refused access.",
    "upstream_redirect": "The Go API answered with a redirect, which is never followed.",
    "upstream_rejected": "The Go API rejected the request.",
    "upstream_timeout": "The Go API did not answer in time.",
    "upstream_tls": "The Go API's TLS certificate or handshake was not acceptable.",
    "upstream_token_rejected": "The Go API refused the caller's token, which the proxy accepted.",
    "upstream_unavailable": "The Go API is not available.",
    "upstream_unreachable": "The Go API could not be reached.",
}


@dataclass
class ToolFailure(Exception):
    """A tool call that failed, as the caller is told.

    `status` is the upstream HTTP status, `retry_after` seconds; both None where unknown.
    `detail` is the upstream's own message, already sanitised; `message` replaces the code's
    text. `repeatable`: sending again is safe and may help. `session_lost`: a new session may.
    """

    code: str
    status: int | None = None
    retry_after: int | None = None
    detail: str | None = None
    message: str | None = None
    upstream_id: str | None = None
    repeatable: bool = False
    session_lost: bool = False

    def text(self) -> str:
        """One sentence for people and models."""
        text = self.message or MESSAGES[self.code]
        return f'{text} It said: "{self.detail}"' if self.detail else text


def lost_or(lost: str | None, failure: ToolFailure) -> ToolFailure:
    """Return `failure`, or outcome_unknown with the text `lost` when a mutation may have run."""
    if lost is None:
        return failure
    # Nothing in it may be taken for advice to send again.
    known = failure.upstream_id
    return ToolFailure("outcome_unknown", failure.status, message=lost, upstream_id=known)


@dataclass(frozen=True)
class Result:
    """A tool's answer: `text` for models, the same as JSON, and ok or the code of the failure."""

    text: str
    structured: bytes
    outcome: str = "ok"


def as_result(failure: ToolFailure, uid: str | None, correlation_id: str) -> Result:
    """Return the failed result, with `structuredContent.error`."""
    message = f"{failure.code}: {failure.text()}"
    error = {"code": failure.code, "message": message, "status": failure.status}
    error |= {"retry_after": failure.retry_after, "uid": uid, "correlation_id": correlation_id}
    return Result(message, json.dumps({"error": error}).encode(), failure.code)
