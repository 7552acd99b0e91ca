"""What Go's net/http refuses before any handler runs, so without a correlation id."""

from toolbridge_contract.mock.messages import Request, Response, connection_error, empty_answer

# net/http: DefaultMaxHeaderBytes plus its 4096 of slack; 900 KB passed, 1.1 MB did not.
_MAX_HEADER_BYTES = (1 << 20) + 4096


def refuse(request: Request) -> Response | None:
    """Return net/http's own refusal of a request, or None."""
    hosts = 0
    size = 0
    lengths: set[bytes] = set()
    expect = b""
    for name, value in request.headers:
        size += len(name) + len(value) + 4
        match name.lower():
            case b"host":
                hosts += 1
            case b"content-length":
                lengths.add(value.strip())
            case b"expect":
                expect = value.strip().lower()
    if size > _MAX_HEADER_BYTES:
        return connection_error(431, "431 Request Header Fields Too Large")
    if not hosts and request.http_version == "1.1":
        return connection_error(400, "400 Bad Request: missing required Host header")
    if hosts > 1 or len(lengths) > 1:
        return connection_error(400, "400 Bad Request")
    if expect not in (b"", b"100-continue"):
        return empty_answer(417, [(b"Connection", b"close")])
    return None
