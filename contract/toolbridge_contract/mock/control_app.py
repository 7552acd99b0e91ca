"""The control API of the served mock, on a port of its own."""

import hmac
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from toolbridge_contract.mock.asgi import MockApp
from toolbridge_contract.mock.faults import Fault
from toolbridge_contract.mock.messages import Refused
from toolbridge_contract.mock.recording import PAGE

Command = Callable[[MockApp, dict[str, Any]], Any]


def _requests(mock: MockApp, ask: dict[str, Any]) -> Any:
    records = mock.recorder.requests(ask.get("caller"), int(ask.get("after", 0)), PAGE)
    return [record.to_json() for record in records]


def _inject(mock: MockApp, ask: dict[str, Any]) -> None:
    mock.faults.inject(Fault.from_json(ask))


def _clear_faults(mock: MockApp, ask: dict[str, Any]) -> None:
    mock.faults.clear(ask.get("caller"))


def _drop_sessions(mock: MockApp, ask: dict[str, Any]) -> int:
    caller = ask.get("caller")
    if caller is None:
        return mock.api.sessions.drop(None)
    user = mock.api.users.known(caller)
    return mock.api.sessions.drop(user) if user is not None else 0


def _shorten_sessions(mock: MockApp, ask: dict[str, Any]) -> None:
    seconds = ask.get("seconds")
    mock.api.sessions.set_lifetime(None if seconds is None else float(seconds))


def _wipe(mock: MockApp, ask: dict[str, Any]) -> int:
    caller = str(ask["caller"])
    try:
        return mock.api.wipe(caller)
    except Refused:
        raise ValueError("the API cannot know such a caller") from None


def _set_clock_offset(mock: MockApp, ask: dict[str, Any]) -> None:
    mock.api.clock.set_offset(float(ask["seconds"]))


def _trust_keys(mock: MockApp, ask: dict[str, Any]) -> None:
    mock.api.trust_keys(ask["keys"])


async def _listen(mock: MockApp, ask: dict[str, Any]) -> None:
    await mock.door.set(opened=bool(ask["opened"]))


def _stats(mock: MockApp, _: dict[str, Any]) -> dict[str, int]:
    return {"recorded": mock.recorder.recorded, "dropped": mock.recorder.dropped}


COMMANDS: dict[str, Command] = {
    "requests": _requests,
    "inject": _inject,
    "clear_faults": _clear_faults,
    "drop_sessions": _drop_sessions,
    "shorten_sessions": _shorten_sessions,
    "wipe": _wipe,
    "set_clock_offset": _set_clock_offset,
    "trust_keys": _trust_keys,
    "listen": _listen,
    "stats": _stats,
}


def control_app(mock: MockApp, token: str) -> Starlette:
    """Return the application: `POST /{command}` with a JSON object, bearer `token`."""
    routes = [
        Route(f"/{name}", _endpoint(mock, token, command), methods=["POST"])
        for name, command in COMMANDS.items()
    ]
    return Starlette(routes=routes)


def _endpoint(
    mock: MockApp, token: str, command: Command
) -> Callable[[Request], Awaitable[Response]]:
    expected = f"Bearer {token}".encode()

    async def endpoint(request: Request) -> Response:
        sent = request.headers.get("authorization", "").encode("latin-1")
        if not hmac.compare_digest(sent, expected):
            return JSONResponse({"error": "wrong control token"}, 401)
        try:
            ask = await request.json()
            result = command(mock, ask)
            return JSONResponse({"result": await result if isawaitable(result) else result})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            return JSONResponse({"error": f"bad request: {error}"}, 400)

    return endpoint
