"""A transport that answers what a test planned, and calls of the reference proxy's upstream."""

import time
from collections import deque
from typing import Any

import httpx

from support.proxy_app import make_settings
from toolbridge_proxy.metrics import Metrics
from toolbridge_proxy.tokens import Caller
from toolbridge_proxy.upstream import ApiRequest, Call, Upstream

Planned = httpx.Response | BaseException


def answer(status: int = 200, body: bytes = b"{}", **headers: str) -> httpx.Response:
    """Return an answer as a transport hands it over; header names take `_` for `-`."""
    sent = {"content_type": "application/json"} | headers
    pairs = [(name.replace("_", "-"), value) for name, value in sent.items()]
    return httpx.Response(status, headers=pairs, stream=httpx.ByteStream(body))


class Scripted(httpx.AsyncBaseTransport):
    """Answers from `planned`, the last one for ever; remembers the requests."""

    def __init__(self, *planned: Planned) -> None:
        self.planned, self.requests, self.closed = deque(planned), list[httpx.Request](), 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        planned = self.planned.popleft() if len(self.planned) > 1 else self.planned[0]
        if isinstance(planned, BaseException):
            raise planned
        # A response can be read once only.
        return httpx.Response(planned.status_code, headers=planned.headers, stream=planned.stream)

    async def aclose(self) -> None:
        self.closed += 1


def upstream_of(*transports: httpx.AsyncBaseTransport, **settings: Any) -> Upstream:
    """Return an upstream that sends through `transports`."""
    return Upstream(make_settings(**settings), Metrics(), *transports)


def a_call(seconds: float = 5, **changes: Any) -> Call:
    """Return a call of alice's with so many seconds left."""
    caller = Caller(None, "alice", "the.token.sent")
    return Call(caller, time.monotonic() + seconds, "the-correlation-id", **changes)


def a_request(**changes: Any) -> ApiRequest:
    """Return a GET of /v1/x that takes any JSON."""
    usual: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/x",
        "route": "/v1/{x}",
        "accept": lambda data: data,
    }
    return ApiRequest(**(usual | changes))
