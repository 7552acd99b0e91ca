"""JSON-RPC 2.0 as MCP uses it: the envelope, and the errors that go with an HTTP status."""

from typing import Any

from starlette.responses import JSONResponse

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
INTERNAL_ERROR = -32603
HEADER_MISMATCH, UNSUPPORTED_VERSION = -32020, -32022  # MCP 2026-07-28
# Outside of -32768 to -32000, which JSON-RPC reserves.
UNAUTHENTICATED, FORBIDDEN = -31401, -31403


class Problem(Exception):
    """A request that is answered with a JSON-RPC error, under an HTTP status."""

    def __init__(self, status: int, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.status, self.code, self.data = status, code, data
        self.headers: dict[str, str] = {}

    def answer(self, request_id: Any = None) -> JSONResponse:
        """Return the HTTP answer."""
        error = {"code": self.code, "message": str(self)}
        if self.data is not None:
            error["data"] = self.data
        body = {"jsonrpc": "2.0", "id": request_id, "error": error}
        return JSONResponse(body, self.status, self.headers)


def id_of(message: Any) -> Any:
    """Return the id of a message, None where it has none that MCP allows."""
    value = message.get("id") if isinstance(message, dict) else None
    return value if isinstance(value, str) or type(value) is int else None


def check(message: Any) -> None:
    """Raise Problem unless `message` is one request or notification."""
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        raise Problem(400, INVALID_REQUEST, "The body must be one JSON-RPC 2.0 object")
    if "id" in message and id_of(message) is None:
        raise Problem(400, INVALID_REQUEST, "id must be a string or an integer")
    if not isinstance(message.get("method"), str):
        raise Problem(400, INVALID_REQUEST, "method must be a string")
    if not isinstance(message.get("params", {}), dict):
        raise Problem(400, INVALID_PARAMS, "params must be an object")
