"""A proxy on a loop of its own, what is said to it, and what it says to the Go API and answers.

Hypothesis draws in plain functions, so the loop runs only while a message is on its way. One
application serves all examples; a break sits around it and sees the same messages.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import httpx
from fastmcp.utilities.asgi_transport import run_asgi_lifespan

from support.body_break import WHOLE, Break
from support.body_clock import VirtualLoop, on_the_clock_of
from support.body_spelling import spell
from support.proxy_app import MODERN, default_token, make_settings
from support.proxy_upstream import DELETED, ITEM, PAGE, SESSIONS, reply, session_body
from toolbridge_proxy.app import create_app
from toolbridge_proxy.settings import Settings

GoApi = Callable[[httpx.Request], httpx.Response | Awaitable[httpx.Response]]
HeaderList = Sequence[tuple[bytes, bytes]]

# What a proxy may say to arguments that it does not take: JSON-RPC 2.0 section 5.1, or its own.
REFUSALS = frozenset({"invalid_argument", "-32700", "-32600", "-32602"})


def well(request: httpx.Request) -> httpx.Response:
    """Answer as the Go API does when all is well."""
    if request.url.path == SESSIONS:
        return reply(201, session_body(1)).response()
    if request.method == "DELETE":
        return reply(200, DELETED).response()
    is_list = request.method == "GET" and request.url.path.count("/") == 2
    return reply(200, PAGE if is_list else ITEM).response()


class Chunks(httpx.AsyncByteStream):
    """A body that arrives in pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece


@dataclass(frozen=True)
class Outcome:
    """An answer of the proxy: HTTP status and text, and the JSON-RPC message if it is one."""

    status: int
    text: str
    headers: httpx.Headers
    message: dict[str, Any]

    @property
    def error(self) -> dict[str, Any]:
        """The error of a tool call that failed."""
        result = self.message.get("result", {})
        if not result.get("isError"):
            return {}
        return cast("dict[str, Any]", result["structuredContent"]["error"])

    @property
    def code(self) -> str | None:
        """The tool error's code or the JSON-RPC error's number, None for success."""
        if "error" in self.message:
            return str(self.message["error"]["code"])
        return cast("str | None", self.error.get("code"))


class _Transport(httpx.AsyncBaseTransport):
    def __init__(self, proxy: "Proxy", break_: Break) -> None:
        self._proxy, self._break = proxy, break_

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        return await self._break.exchange(self._send, request)

    async def _send(self, request: httpx.Request) -> httpx.Response:
        proxy = self._proxy
        if request.url.path == SESSIONS:
            proxy.sessions.append(request)
        else:
            request = self._break.leaves(request, proxy.given)
            proxy.requests.append(request)
        self._break.speaks(request)
        answer = proxy.go_api(request)
        response = answer if isinstance(answer, httpx.Response) else await answer
        if isinstance(response.stream, Chunks):
            response.extensions["body"] = b"".join(response.stream.pieces)
        proxy.answers.append(response)
        return response


@dataclass
class Proxy:
    """What the properties examine; `requests` and `sessions` are of the last message alone."""

    run: Callable[[Awaitable[httpx.Response]], httpx.Response]
    break_: Break
    http: httpx.AsyncClient = field(init=False)
    go_api: GoApi = well
    given: dict[str, Any] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)
    sessions: list[httpx.Request] = field(default_factory=list)
    answers: list[httpx.Response] = field(default_factory=list)
    now: Callable[[], float] = lambda: 0.0

    def say(
        self, body: bytes, headers: HeaderList = (), path: str = "/mcp", go_api: GoApi = well
    ) -> Outcome:
        """Post `body`; the Go API meanwhile is `go_api`."""
        for kept in (self.requests, self.sessions, self.answers):
            kept.clear()
        self.go_api = go_api
        names = {name for name, _ in headers}
        both = [(name, value) for name, value in _ACCEPTABLE if name not in names] + list(headers)
        self.break_.hears(path, both, body)
        response = self.run(self.http.post(path, content=body, headers=both))
        text = response.text
        try:
            message = json.loads(text)
        except ValueError:
            return Outcome(response.status_code, text, response.headers, {})
        if self.break_ is not WHOLE:
            self.break_.answers(message, self.answers)
            text = json.dumps(message)
        return Outcome(response.status_code, text, response.headers, message)

    def call(
        self,
        tool: str,
        given: dict[str, Any],
        *,
        go_api: GoApi = well,
        modern: bool = False,
        ascii_only: bool = True,
        token: str | None = None,
    ) -> Outcome:
        """Call a tool as a client of one of the two eras does."""
        self.given = given
        params = {"name": tool, "arguments": self.break_.arguments(given)}
        headers = [(b"Authorization", b"Bearer " + (token or default_token()).encode())]
        if modern:
            params["_meta"] = _META
            headers += [(b"MCP-Protocol-Version", MODERN.encode()), (b"Mcp-Name", tool.encode())]
            headers += [(b"Mcp-Method", b"tools/call")]
        message = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}
        return self.say(spell(message, ascii_only=ascii_only), headers, go_api=go_api)

    @property
    def request(self) -> httpx.Request:
        """The one request about an object that the last call became."""
        (request,) = self.requests
        return request

    @property
    def untouched(self) -> bool:
        """Whether the last message sent nothing to the Go API."""
        return not (self.requests or self.sessions)


_ACCEPTABLE = [
    (b"Accept", b"application/json, text/event-stream"),
    (b"Content-Type", b"application/json"),
]
_META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
}


@contextmanager
def running_proxy(
    break_: Break = WHOLE, settings: Settings | None = None, *, virtual: bool = False
) -> Iterator[Proxy]:
    """Run the application, inside `break_`; with `virtual` time its waiting takes none."""
    with asyncio.Runner(loop_factory=VirtualLoop if virtual else None) as runner:
        loop = runner.get_loop()

        def run(message: Awaitable[httpx.Response]) -> httpx.Response:
            async def wait() -> httpx.Response:
                return await message

            if not virtual:
                return runner.run(wait())
            with on_the_clock_of(loop):
                return runner.run(wait())

        proxy = Proxy(run, break_, now=loop.time)
        app = create_app(settings or make_settings(), transport=_Transport(proxy, break_))
        stop, task = runner.run(_start(app))
        asgi = httpx.ASGITransport(app, raise_app_exceptions=False)
        proxy.http = httpx.AsyncClient(transport=asgi, base_url="http://localhost:8001")
        try:
            yield proxy
        finally:
            runner.run(_stop(stop, task, proxy.http))


async def _start(app: Any) -> tuple[asyncio.Event, "asyncio.Task[None]"]:
    """Serve the lifespan in one task: its start and its end must not be in two."""
    started, stop = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with run_asgi_lifespan(app):
            started.set()
            await stop.wait()

    task = asyncio.create_task(live())
    waiting = asyncio.create_task(started.wait())
    await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    return stop, task


async def _stop(stop: asyncio.Event, task: "asyncio.Task[None]", http: httpx.AsyncClient) -> None:
    stop.set()
    await task
    await http.aclose()
