"""Faults on the proxy's way to the Go API, as transports around the one it was given."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import httpx

from support.error_bodies import JSON, go_json
from support.error_plans import answer, good_data
from support.error_stage import Transport
from support.proxy_upstream import SESSIONS

Sender = Callable[[httpx.Request], Awaitable[httpx.Response]]
Way = Callable[[httpx.Request, Sender], Awaitable[httpx.Response]]


class _OnTheWay(httpx.AsyncBaseTransport):
    def __init__(self, inner: httpx.AsyncBaseTransport, way: Way) -> None:
        self._inner, self._way = inner, way

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._way(request, self._inner.handle_async_request)


def up(way: Way) -> Transport:
    return lambda inner: _OnTheWay(inner, way)


def _is_session(request: httpx.Request) -> bool:
    return request.url.path == SESSIONS


def replaced(
    when: Callable[[httpx.Response], bool],
    make: Callable[[httpx.Request, httpx.Response], Awaitable[httpx.Response]],
) -> Transport:
    """Take an answer for another one."""

    async def way(request: httpx.Request, send: Sender) -> httpx.Response:
        response = await send(request)
        return await make(request, response) if when(response) else response

    return up(way)


def taken_for(status: int, other: int, words: str) -> Transport:
    """Take every answer with `status` for the Go API's JSON error `words`."""
    plan = answer(other, go_json(words))
    return replaced(lambda r: r.status_code == status, lambda request, _: plan(request))


def taken_for_good(status: int) -> Transport:
    async def good(request: httpx.Request, _: httpx.Response) -> httpx.Response:
        body = json.dumps(good_data(request)).encode()
        return await answer(200, (body, JSON))(request)

    return replaced(lambda r: r.status_code == status, good)


async def without_seconds(_: httpx.Request, response: httpx.Response) -> httpx.Response:
    response.headers.pop("Retry-After", None)
    return response


async def unfolded(request: httpx.Request, response: httpx.Response) -> httpx.Response:
    return await answer(response.status_code, (await response.aread(), JSON))(request)


async def mended(request: httpx.Request, response: httpx.Response) -> httpx.Response:
    body = await response.aread() + b"}"
    return await answer(response.status_code, (body, JSON))(request)


async def quoted(request: httpx.Request, response: httpx.Response) -> httpx.Response:
    page = (await response.aread()).decode()
    return await answer(response.status_code, go_json(page))(request)


async def insists(request: httpx.Request, send: Sender) -> httpx.Response:
    """Send once more what was answered with 5xx, whatever it was."""
    response = await send(request)
    return await send(request) if response.is_server_error else response


async def insists_after_a_reset(request: httpx.Request, send: Sender) -> httpx.Response:
    try:
        return await send(request)
    except httpx.ReadError:
        return await send(request)


async def follows(request: httpx.Request, send: Sender) -> httpx.Response:
    response = await send(request)
    if response.status_code != httpx.codes.TEMPORARY_REDIRECT:
        return response
    target = request.url.join(response.headers["Location"])
    return await send(
        httpx.Request(request.method, target, headers=_kept(request), content=request.content)
    )


def _kept(request: httpx.Request) -> list[tuple[str, str]]:
    """The headers, without those that are of this request alone."""
    own = ("host", "content-length")
    return [pair for pair in request.headers.multi_items() if pair[0].lower() not in own]


def mistaken(seen: type[httpx.TransportError], other: type[httpx.TransportError]) -> Transport:
    """Take one failure of the connection for another one."""

    async def way(request: httpx.Request, send: Sender) -> httpx.Response:
        try:
            return await send(request)
        except seen:
            pass  # raised below, so that nothing of it is behind the other
        raise other("failed")

    return up(way)


def on_the_second(change: Callable[[httpx.Request, httpx.Request], httpx.Request]) -> Transport:
    """Change the second attempt, given the first."""
    first: list[httpx.Request] = []

    async def way(request: httpx.Request, send: Sender) -> httpx.Response:
        if _is_session(request):
            return await send(request)
        first.append(request)
        return await send(change(request, first[0]) if len(first) > 1 else request)

    return up(way)


def with_another_body(second: httpx.Request, _: httpx.Request) -> httpx.Request:
    return httpx.Request(second.method, second.url, headers=_kept(second), json={"title": "U"})


def in_the_old_session(second: httpx.Request, first: httpx.Request) -> httpx.Request:
    second.headers["X-Sync-Session"] = first.headers["X-Sync-Session"]
    return second


def never_again() -> Transport:
    """Answer the second attempt of a request like its first, without sending it."""
    first: dict[tuple[str, str], tuple[int, bytes]] = {}

    async def way(request: httpx.Request, send: Sender) -> httpx.Response:
        if _is_session(request):
            return await send(request)
        key = (request.headers["Authorization"], str(request.url))
        if key not in first:
            response = await send(request)
            first[key] = (response.status_code, await response.aread())
        status, body = first[key]
        return await answer(status, (body, JSON))(request)

    return up(way)


def never_renews(status: int) -> Transport:
    """Keep a session that was lost, and the refusal with it: neither is asked for again."""
    made: dict[str, bytes] = {}
    lost: dict[str, bytes] = {}

    async def way(request: httpx.Request, send: Sender) -> httpx.Response:
        who, store = request.headers["Authorization"], made if _is_session(request) else lost
        if who in store and who in lost:
            code = 201 if store is made else status
            return await answer(code, (store[who], JSON))(request)
        response = await send(request)
        if store is made or response.status_code == status:
            store[who] = await response.aread()
            code = response.status_code
            return await answer(code, (store[who], JSON))(request)
        return response

    return up(way)


def gives_up_at(seconds: float) -> Transport:
    """Take what is slower for a refused connection."""

    async def way(request: httpx.Request, send: Sender) -> httpx.Response:
        try:
            async with asyncio.timeout(seconds):
                return await send(request)
        except TimeoutError:
            raise httpx.ConnectError("refused") from None

    return up(way)
