"""Proxies that are impatient, insistent, abrupt, or slow over long words."""

import asyncio
import json
import os
import re
import signal
from dataclasses import replace
from typing import Any

from mutants.table import mutant
from support.patching import patch
from toolbridge_proxy import __main__ as entry
from toolbridge_proxy import answers, calls, edge, gate, tools, upstream


@mutant(
    "half-deadline",
    "a call is given half of the deadline that was configured",
    rows="MCP-30",
    cause="transport-slow-answer",
)
def half_deadline() -> None:
    """What takes longer than half of it is cut off."""

    def make(original: Any) -> Any:
        async def send(self: Any, request: Any, call: Any, *session: Any) -> Any:
            call.deadline -= call.remaining() / 2
            return await original(self, request, call, *session)

        return send

    patch(upstream.Upstream, "send", make)


@mutant(
    "insists",
    "a create whose caller hung up is sent again in the background",
    rows="MCP-29",
    cause="transport-client-leaves",
)
def insists() -> None:
    """Its end is taken for a failure of the network."""
    again: set[asyncio.Task[Any]] = set()

    def make(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            body, answered = bytearray(), asyncio.Event()

            async def heard() -> Any:
                message = await receive()
                body.extend(message.get("body", b""))
                return message

            async def said(message: Any) -> None:
                answered.set()
                await send(message)

            async def watch() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                if not answered.is_set() and b"create_note" in body:
                    await original(self, scope, calls._replay(bytes(body), receive), _unheard)

            running = asyncio.ensure_future(original(self, scope, heard, said))
            await asyncio.wait({running}, timeout=0.2)
            if not running.done():
                again.add(asyncio.create_task(watch()))
            await running

        return call

    patch(gate.Gate, "__call__", make)


async def _unheard(message: Any) -> None:
    """An answer to nobody."""


@mutant(
    "abrupt-end",
    "SIGTERM ends the process at once",
    rows="RES-29 SES-31",
    cause="resilience-stop",
)
def abrupt_end() -> None:
    """Nothing is drained."""

    def make(original: Any) -> Any:
        def handle_exit(self: Any, number: int, frame: Any) -> None:
            if number == signal.SIGTERM:
                os._exit(0)
            original(self, number, frame)

        return handle_exit

    patch(entry.Server, "handle_exit", make)


@mutant(
    "backtracks",
    "a pattern that backtracks looks at every text argument",
    rows="LIM-07",
    cause="limits-long-words",
)
def backtracks() -> None:
    """Quadratic in the length: 100,000 letters take seconds, a thousand nothing."""
    slow = re.compile(r"a*a*!")

    def make(original: Any) -> Any:
        def validated(model: Any, arguments: dict[str, Any]) -> Any:
            for name in ("uid", "cursor", "action"):
                slow.match(str(arguments.get(name, "")))
            return original(model, arguments)

        return validated

    patch(tools, "_validated", make)


@mutant(
    "cut-lists",
    "lists stop at five hundred items without a word",
    rows="LIM-06",
    cause="limits-long-list",
)
def cut_lists() -> None:
    """Nothing says that half of a page is missing."""
    patch(upstream, "MAX_ANSWER_BYTES", lambda _: 64 * 2**20)

    def make(original: Any) -> Any:
        async def read(*given: Any) -> answers.Answer:
            answer: answers.Answer = await original(*given)
            if not answer.body.startswith(b'{"items"'):
                return answer
            page = json.loads(answer.body)
            page["items"] = page["items"][:500]
            return replace(answer, body=json.dumps(page).encode())

        return read

    patch(upstream, "_read", make)


@mutant(
    "head-crash",
    "more than five hundred headers are a server error",
    rows="LIM-10",
    cause="limits-headers",
)
def head_crash() -> None:
    """A table of fixed size overflows."""

    def make(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            if len(scope.get("headers", ())) > 500:
                start = {"type": "http.response.start", "status": 500, "headers": []}
                await send(start)
                await send({"type": "http.response.body", "body": b"too many"})
                return
            await original(self, scope, receive, send)

        return call

    patch(edge.Edge, "__call__", make)
