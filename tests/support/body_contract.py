"""The error contract as a table of its own: which code each answer of the Go API may become."""

import gzip
import json
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from toolbridge_proxy.errors import MESSAGES

CODES = frozenset(MESSAGES) | {"outcome_unknown"}

_BY_STATUS = {
    400: "invalid_argument",
    404: "not_found",
    410: "gone",
    412: "precondition_failed",
    413: "payload_too_large",
    428: "session_unavailable",
    429: "rate_limited",
    502: "upstream_unavailable",
    503: "upstream_unavailable",
    504: "upstream_timeout",
    408: "upstream_timeout",
}
_MAY_HAVE_RUN = frozenset({408, 502, 504})
# Where the Go API's text decides: who says what, and what the code may be if it says neither.
_BY_TEXT: dict[int, tuple[bytes, str, str]] = {
    401: (b"tenant header", "tenant_headers_rejected", "upstream_token_rejected"),
    403: (b"session", "session_unavailable", "upstream_forbidden"),
    409: (b"epoch", "epoch_mismatch", "conflict"),
}

# What the contract names, beside some that it does not.
NAMED_STATUSES = sorted({*_BY_STATUS, *_BY_TEXT, 200, 201, 302, 405, 415, 422, 500, 501, 599})


def expected_codes(status: int, body: bytes, *, is_read: bool) -> frozenset[str]:
    """Return the codes that the contract allows: one, where it names the case."""
    if status < 200:
        return CODES  # no final answer: a client library never hands one out
    if status < 300:
        return frozenset({"upstream_bad_response" if is_read else "outcome_unknown"})
    if status in _MAY_HAVE_RUN and not is_read:
        return frozenset({"outcome_unknown"})
    if status in _BY_TEXT:
        text, special, plain = _BY_TEXT[status]
        # With the text in some other place than the Go API has it, both are right.
        return frozenset({special, plain} if text in body.lower() else {plain})
    if status in _BY_STATUS:
        return frozenset({_BY_STATUS[status]})
    if status < 400:
        return frozenset({"upstream_redirect"})
    return frozenset({"upstream_rejected" if status < 500 else "upstream_error"})


@dataclass(frozen=True)
class Cause:
    """Something that a caller, or an operator, does something else about."""

    name: str
    answer: Callable[[httpx.Request], httpx.Response]
    read: str
    mutation: str


def _says(
    status: int, body: bytes, kind: str = "application/json"
) -> Callable[..., httpx.Response]:
    return lambda _: httpx.Response(
        status, headers={"Content-Type": kind}, stream=httpx.ByteStream(body)
    )


def _error(status: int, text: str) -> Callable[..., httpx.Response]:
    return _says(status, json.dumps({"error": text, "correlation_id": "c"}).encode())


def _raises(error: Exception, cause: Exception | None = None) -> Callable[..., httpx.Response]:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error from cause

    return fail


def _same(name: str, answer: Callable[..., httpx.Response], code: str) -> Cause:
    return Cause(name, answer, code, code)


def _lost(name: str, answer: Callable[..., httpx.Response], code: str) -> Cause:
    return Cause(name, answer, code, "outcome_unknown")


CAUSES = (
    _same("arguments", _error(400, "invalid JSON"), "invalid_argument"),
    _same("token", _says(401, b"unauthorized\n", "text/plain"), "upstream_token_rejected"),
    _same(
        "tenant headers",
        _says(401, b"Unauthorized: invalid tenant headers\n", "text/plain"),
        "tenant_headers_rejected",
    ),
    _same("session", _error(428, "Invalid or expired sync session."), "session_unavailable"),
    _same("forbidden", _says(403, b"forbidden\n", "text/plain"), "upstream_forbidden"),
    _same("not found", _error(404, "note not found"), "not_found"),
    _same("deleted", _error(410, "note deleted"), "gone"),
    _same("version", _error(412, "version mismatch"), "precondition_failed"),
    _same("size", _error(413, "too large"), "payload_too_large"),
    _same("kind of request", _error(415, "media type"), "upstream_rejected"),
    _same("epoch", _error(409, "epoch_mismatch"), "epoch_mismatch"),
    _same("collision", _error(409, "version mismatch: expected 3"), "conflict"),
    _same("rate", _error(429, "Rate limit exceeded."), "rate_limited"),
    _same("failure", _error(500, "failed"), "upstream_error"),
    _same("outage", _says(503, b""), "upstream_unavailable"),
    _lost("slow", _says(504, b""), "upstream_timeout"),
    _same("moved", _says(302, b""), "upstream_redirect"),
    _lost("not JSON", _says(200, gzip.compress(b"{}")), "upstream_bad_response"),
    _lost("too large", _says(200, b" " * (17 * 2**20)), "response_too_large"),
    _same("refused", _raises(httpx.ConnectError("refused")), "upstream_unreachable"),
    _same("name", _raises(httpx.ConnectError("x"), socket.gaierror(-2, "x")), "upstream_dns"),
    _same(
        "certificate",
        _raises(httpx.ConnectError("x"), ssl.SSLCertVerificationError("x")),
        "upstream_tls",
    ),
    _same("no connection", _raises(httpx.ConnectTimeout("x")), "upstream_connect_timeout"),
)
