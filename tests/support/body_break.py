"""What a break around the proxy is: the base breaks nothing.

A break does not reach into the proxy. It takes something from the message before the proxy sees
it, and puts it, or what a bug would make of it, into the request or the answer that comes out.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

Given = dict[str, Any]
Send = Callable[[httpx.Request], Awaitable[httpx.Response]]


async def _once(send: Send, request: httpx.Request) -> httpx.Response:
    return await send(request)


@dataclass(frozen=True)
class Break:
    """A fault, and the names of the properties that must notice it.

    `arguments` gets what the caller gave and returns what the proxy is told; `leaves` gets a
    request about an object and what the caller gave; `exchange` decides how often a request is
    sent; `answers` may edit the JSON-RPC answer, and sees what the Go API said. `hears` gets
    path, header lines and body of each message, `speaks` the request that was sent: to log them.
    `noticed_by` names properties by their number and name.
    """

    name: str
    noticed_by: tuple[str, ...] = ()
    arguments: Callable[[Given], Given] = lambda given: given
    leaves: Callable[[httpx.Request, Given], httpx.Request] = lambda request, _: request
    exchange: Callable[[Send, httpx.Request], Awaitable[httpx.Response]] = _once
    answers: Callable[[dict[str, Any], Sequence[httpx.Response]], None] = lambda *_: None
    hears: Callable[[str, Sequence[tuple[bytes, bytes]], bytes], None] = lambda *_: None
    speaks: Callable[[httpx.Request], None] = lambda *_: None

    def __str__(self) -> str:
        return self.name


WHOLE = Break("unbroken")
