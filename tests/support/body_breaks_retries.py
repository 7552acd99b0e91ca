"""Breaks of property 41: a client around the proxy's that means well."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx

from support.body_break import Break, Send
from support.proxy_upstream import SESSIONS

_BOUND, _OUTAGE = "41-attempts-are-bounded", "41-an-outage-is-not-amplified"
_EACH = "41-each-fault-has-its-attempts"


def _again_after(*errors: type[Exception], times: int = 1) -> Callable[..., Awaitable[Any]]:
    async def exchange(send: Send, request: httpx.Request) -> httpx.Response:
        for _ in range(times):
            try:
                return await send(request)
            except errors:
                continue
        return await send(request)

    return exchange


def _again_on(*statuses: int, pause: float = 0.0) -> Callable[..., Awaitable[httpx.Response]]:
    async def exchange(send: Send, request: httpx.Request) -> httpx.Response:
        response = await send(request)
        if response.status_code not in statuses or request.url.path == SESSIONS:
            return response
        await asyncio.sleep(pause)
        return await send(request)

    return exchange


async def _sleeps_on(send: Send, request: httpx.Request) -> httpx.Response:
    """Honour Retry-After whatever the deadline says."""
    response = await send(request)
    until = asyncio.get_running_loop().time() + 30
    while "retry-after" in response.headers and asyncio.get_running_loop().time() < until:
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            continue
    return response


class _Once:
    """Never sends again within a call: the first failure is the call's."""

    failed: Exception | None = None

    def hears(self, *_: object) -> None:
        self.failed = None

    async def exchange(self, send: Send, request: httpx.Request) -> httpx.Response:
        if self.failed:
            raise self.failed
        try:
            return await send(request)
        except httpx.TransportError as error:
            self.failed = error
            raise


def _done(message: dict[str, Any], said: Sequence[httpx.Response]) -> None:
    error = message.get("result", {}).get("structuredContent", {}).get("error", {})
    if error.get("code") == "outcome_unknown":
        message["result"] = {"content": [], "structuredContent": {}, "isError": False}


def _undone(message: dict[str, Any], said: Sequence[httpx.Response]) -> None:
    error = message.get("result", {}).get("structuredContent", {}).get("error", {})
    if error.get("code") == "outcome_unknown":
        error["code"] = "upstream_unreachable"


_once = _Once()

RETRIES = (
    Break("every method again after a reset", (_EACH,), exchange=_again_after(httpx.ReadError)),
    Break(
        "every method again when closed",
        (_EACH,),
        exchange=_again_after(httpx.RemoteProtocolError),
    ),
    Break("every method again on 502", (_EACH,), exchange=_again_on(502)),
    Break("every method again on 504 and 408", (_EACH,), exchange=_again_on(504, 408)),
    Break("every method again on 503", (_EACH,), exchange=_again_on(503)),
    Break("again on 429", (_EACH,), exchange=_again_on(429, pause=1.0)),
    Break("again on 500", (_EACH,), exchange=_again_on(500)),
    Break("four attempts", (_BOUND,), exchange=_again_after(httpx.ConnectError, times=3)),
    Break("pauses beyond the deadline", (_BOUND,), exchange=_sleeps_on),
    Break("a lost write is called done", (_BOUND,), answers=_done),
    Break("a lost write is called undone", (_BOUND,), answers=_undone),
    Break("no budget", (_OUTAGE,), exchange=_again_after(httpx.TransportError)),
    Break("no retry", (_EACH,), hears=_once.hears, exchange=_once.exchange),
)
