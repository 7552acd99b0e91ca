"""What Go's net/http does around the handlers: refuse before any runs, close after one."""

from toolbridge_contract.mock import gojson
from toolbridge_contract.mock.messages import (
    CLOSE,
    Call,
    Request,
    Response,
    connection_error,
    empty_answer,
)

# net/http: DefaultMaxHeaderBytes plus its 4096 of slack; 900 KB passed, 1.1 MB did not.
_MAX_HEADER_BYTES = (1 << 20) + 4096
# Characters of values that no spelling and no names around them could bring to the maximum.
_SURELY_SMALL = 100_000
# net/http: maxPostHandlerReadBytes; what a handler left unread is read up to here.
_MAX_UNREAD_BYTES = 256 << 10


def refuse(request: Request) -> Response | None:
    """Return net/http's own refusal of a request, or None."""
    values = request.values
    if request.repeats or sum(map(len, values.values())) > _SURELY_SMALL:
        refused = _refuse_odd(request)
        if refused is not None:
            return refused
    if b"host" not in values and request.http_version == "1.1":
        return connection_error(400, "400 Bad Request: missing required Host header")
    if values.get(b"expect", "").lower() not in ("", "100-continue"):
        return empty_answer(417, [CLOSE])
    return None


def _refuse_odd(request: Request) -> Response | None:
    """Look at all headers, where some are repeated or large."""
    named = [(name.lower(), value.strip()) for name, value in request.headers]
    if sum(len(name) + len(value) + len(": \r\n") for name, value in named) > _MAX_HEADER_BYTES:
        return connection_error(431, "431 Request Header Fields Too Large")
    hosts = sum(name == b"host" for name, _ in named)
    lengths = {value for name, value in named if name == b"content-length"}
    if hosts > 1 or len(lengths) > 1:
        return connection_error(400, "400 Bad Request")
    return None


def closes(call: Call) -> bool:
    """Say whether the connection is closed after the answer, as too much was left unread."""
    request = call.request
    if request.cut or len(request.body) < _MAX_UNREAD_BYTES:
        return request.cut
    left = gojson.bytes_behind(request.body) if call.body_read else len(request.body)
    return left >= _MAX_UNREAD_BYTES
