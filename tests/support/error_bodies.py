"""What the Go API and what stands in front of it say when they fail, as bytes."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

CANARY = "canary-5d1c"  # stands in every part of an answer that must not reach the caller
UPSTREAM_ID = "upstream-id-77"
JSON, TEXT, HTML = "application/json", "text/plain; charset=utf-8", "text/html"

Body = tuple[bytes, str | None]

# The words of the real API; what it never says itself is as an ingress would say it.
SAID = {
    400: "invalid UID",
    404: "note not found",
    408: "request timeout, please retry",
    409: "version mismatch: expected 3, actual 4",
    410: "note deleted",
    412: "version mismatch: version mismatch: expected 99, actual 1",
    428: "Invalid or expired sync session. Please call POST /v1/sync/sessions to begin a new "
    "session.",
    429: "Rate limit exceeded. Please retry after 1 seconds.",
    500: "failed to create note",
    502: "bad gateway, please retry",
    503: "service unavailable, try again later",
    504: "upstream request timeout, please retry",
}
NO_SESSION = (
    "X-Sync-Session header required. Please call POST /v1/sync/sessions to begin a session."
)
FOREIGN_SESSION = "Session does not belong to authenticated user."


def phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def go_json(error: Any, **more: Any) -> Body:
    """Return an error of the Go API, with an id that is not the proxy's."""
    data = {"error": error, "correlation_id": UPSTREAM_ID} | more
    return json.dumps(data).encode() + b"\n", JSON


def nginx(status: int) -> Body:
    title = f"{status} {phrase(status)}"
    page = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{title}</h1></center>\r\n<hr><center>nginx/1.25.5</center>\r\n</body>\r\n"
        f"</html>\r\n<!-- {CANARY} -->\r\n"
    )
    padding = "<!-- a padding to disable MSIE and Chrome friendly error page -->\r\n" * 6
    return (page + padding).encode(), HTML


def envoy(status: int) -> Body:
    reason = "delayed connect error: 111" if status == HTTPStatus.SERVICE_UNAVAILABLE else CANARY
    text = (
        "upstream connect error or disconnect/reset before headers. reset reason: connection "
        f"failure, transport failure reason: {reason}, {CANARY}"
    )
    return text.encode(), "text/plain"


def login_page(status: int) -> Body:
    """An identity proxy's page, which speaks of sessions and tenants as well."""
    page = f"<!doctype html><p>{status}: your session has expired, {CANARY}</p>"
    return page.encode(), f"{HTML}; charset=utf-8"


def load_balancer(status: int) -> Body:
    """A page of a megabyte with a script in it."""
    script = f"<script>location='https://{CANARY}.example/'</script>"
    return f"<html><body>{script * 20_000}</body></html>".encode(), HTML


def problem(status: int) -> Body:
    """RFC 9457, from a gateway that knows the pod."""
    data = {
        "type": f"https://{CANARY}.example/errors",
        "title": phrase(status),
        "status": status,
        "detail": f"pod 10.244.1.7:8081 {CANARY}",
        "instance": "/v1/notes",
    }
    return json.dumps(data).encode(), "application/problem+json"


def text(status: int) -> Body:
    return f"{phrase(status)}: http://10.244.1.7:8081/v1/notes {CANARY}\n".encode(), TEXT


def said(status: int) -> Body:
    return go_json(SAID.get(status, phrase(status).lower()))


def empty(_: int) -> Body:
    return b"", None


# What each status is tried with.
KINDS: dict[str, Callable[[int], Body]] = {
    "json": said,
    "text": text,
    "html": nginx,
    "empty": empty,
}
# What else a gateway's own answer looks like.
GATEWAYS: dict[str, Callable[[int], Body]] = {
    "envoy": envoy,
    "load balancer": load_balancer,
    "problem": problem,
}
