"""Requests and responses of the mock, and the shapes that its answers take."""

from dataclasses import dataclass, field
from typing import Any

from toolbridge_contract.mock import gojson
from toolbridge_contract.signing import Rejection

Headers = list[tuple[bytes, bytes]]

JSON_TYPE = (b"Content-Type", b"application/json")
TEXT_TYPE = (b"Content-Type", b"text/plain; charset=utf-8")
_NOSNIFF = (b"X-Content-Type-Options", b"nosniff")
CLOSE = (b"Connection", b"close")


@dataclass(slots=True)
class Request:
    """One request as received: raw target, header pairs in order with their case, whole body.

    `cut` says that the body did not arrive before the read timeout. `verdict` and `routed` are the
    tenant gate's and the router's, once there are any.
    """

    method: str
    target: str
    headers: Headers
    body: bytes = b""
    http_version: str = "1.1"
    cut: bool = False
    routed: Any = field(default=None, init=False, repr=False, compare=False)
    verdict: tuple[Rejection | None] | None = field(
        default=None, init=False, repr=False, compare=False
    )
    _values: dict[bytes, str] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def values(self) -> dict[bytes, str]:
        """Return the first value of each header by lower-case name, read once."""
        if self._values is None:
            self._values = first_values(self.headers)
        return self._values

    @property
    def repeats(self) -> bool:
        """Say whether any header came more than once."""
        return len(self.values) != len(self.headers)


@dataclass(slots=True)
class Response:
    """One answer; Content-Length, Transfer-Encoding and Date are the server's to add."""

    status: int
    headers: Headers
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return the first value of a header, in any case, or None."""
        wanted = name.lower().encode()
        return next((v.decode("latin-1") for n, v in self.headers if n.lower() == wanted), None)


@dataclass(slots=True)
class Call:
    """A request on its way through the gates.

    `headers` holds the first value of each lower-case name; `extra` collects the response headers
    that the gates passed so far add to whatever the answer will be; `body_read` says that the
    handler has asked for the body.
    """

    request: Request
    headers: dict[bytes, str]
    query: str
    correlation_id: str
    correlation_sent: bool
    extra: Headers = field(default_factory=list)
    body_read: bool = False

    def read_body(self) -> bytes:
        """Return the body, as a handler reads it."""
        self.body_read = True
        return self.request.body


class Refused(Exception):
    """A gate refuses; carries the answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class Panicked(Exception):
    """The Go handler panics here: 500 with an empty body."""


def first_values(headers: Headers) -> dict[bytes, str]:
    """Return the first value of each header by lower-case name, outer blanks cut (RFC 9110 §5.5).

    Bytes that are not UTF-8 become surrogate escapes, so nothing is lost.
    """
    found: dict[bytes, str] = {}
    for name, value in headers:
        key = name.lower()
        if key not in found:
            found[key] = value.strip(b" \t").decode("utf-8", "surrogateescape")
    return found


def json_answer(status: int, text: str) -> Response:
    """Answer with encoded JSON and the newline that json.Encoder adds."""
    return Response(status, [JSON_TYPE], gojson.to_bytes(text) + b"\n")


def error_answer(status: int, message: str, call: Call) -> Response:
    """Answer with the common error shape."""
    error, correlation = gojson.quote(message), gojson.quote(call.correlation_id)
    return json_answer(status, f'{{"error":{error},"correlation_id":{correlation}}}')


def text_answer(status: int, message: str) -> Response:
    """Answer as Go's `http.Error` does."""
    return Response(status, [TEXT_TYPE, _NOSNIFF], message.encode() + b"\n")


def connection_error(status: int, message: str) -> Response:
    """Answer as net/http does before any handler runs: plain text, close, no correlation id."""
    return Response(status, [TEXT_TYPE, CLOSE], message.encode())


def empty_answer(status: int, headers: Headers | None = None) -> Response:
    """Answer with no body and no Content-Type."""
    return Response(status, headers if headers is not None else [])
