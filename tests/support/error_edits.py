"""Faults in the proxy's answers, as applications around the proxy's own."""

import json
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from support.error_verdicts import MUTATIONS
from support.proxy_app import GO_API
from toolbridge_contract.tools import NOTE

Told = dict[str, Any]


class _InTheAnswer:
    """Edits the messages of the answers of tools."""

    def __init__(self, app: ASGIApp, edit: Callable[[Told, Told], int | None]) -> None:
        self._app, self._edit = app, edit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked, body = bytearray(), bytearray()
        start: dict[str, Any] = {}

        async def heard() -> Message:
            message = await receive()
            asked.extend(message.get("body", b""))
            return message

        async def edited(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body", False):
                await self._send(json.loads(asked), start, json.loads(body), send)

        await self._app(scope, heard, edited)

    async def _send(self, asked: Told, start: dict[str, Any], told: Told, send: Send) -> None:
        status = self._edit(asked["params"], told["result"])
        content = json.dumps(told).encode()
        kept = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
        headers = [*kept, (b"content-length", str(len(content)).encode())]
        await send(start | {"headers": headers, "status": status or start["status"]})
        await send({"type": "http.response.body", "body": content})


def down(edit: Callable[[Told, Told], int | None]) -> Callable[[ASGIApp], ASGIApp]:
    return lambda inner: _InTheAnswer(inner, edit)


def in_error(edit: Callable[[Told], object]) -> Callable[[ASGIApp], ASGIApp]:
    """Edit the error object, and the text along with its message."""

    def both(_: Told, result: Told) -> None:
        error = result["structuredContent"]["error"]
        edit(error)
        result["content"][0]["text"] = error["message"]

    return down(both)


def sets(**values: Any) -> Callable[[ASGIApp], ASGIApp]:
    return in_error(lambda error: error.update(values))


def says(change: Callable[[str], str]) -> Callable[[ASGIApp], ASGIApp]:
    return in_error(lambda error: error.update(message=change(error["message"])))


def unknown_if(code: str) -> Callable[[ASGIApp], ASGIApp]:
    """Tell of every mutation that failed by `code` that nobody knows."""
    tools = {NOTE.tool(operation) for operation in MUTATIONS}

    def edit(params: Told, result: Told) -> None:
        error = result["structuredContent"]["error"]
        if params["name"] in tools and error["code"] == code:
            error["code"] = "outcome_unknown"

    return down(edit)


def result(edit: Callable[[Told], object]) -> Callable[[ASGIApp], ASGIApp]:
    def whole(_: Told, result: Told) -> None:
        edit(result)

    return down(whole)


def http_401(_: Told, result: Told) -> int | None:
    return 401 if result["structuredContent"]["error"]["status"] == 401 else None


def tells_the_host(error: Told) -> None:
    error["message"] += f" ({GO_API}/v1/notes)"
