"""Servers that are no proxies: `python dumb_server.py KIND`, on TOOLBRIDGE_PORT.

They stand for what a deploy can leave behind, and for suites that can't fail.
"""

import asyncio
import json
import os
import sys

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

# More than the first conversation needs, fewer than a run makes.
REQUESTS_BEFORE_DEATH = 40


async def refuse_everything(scope: Scope, receive: Receive, send: Send) -> None:
    """401 to everything."""
    headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    await PlainTextResponse("unauthorized", 401, headers)(scope, receive, send)


async def find_nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """404 to everything."""
    await PlainTextResponse("Not Found", 404)(scope, receive, send)


async def canned_success(scope: Scope, receive: Receive, send: Send) -> None:
    """The same success to everything, with the right id: as a stub would."""
    try:
        identity = json.loads(await Request(scope, receive).body()).get("id")
    except ValueError:
        identity = None
    result = {"content": [{"type": "text", "text": "ok"}], "isError": False}
    answer: Response = JSONResponse({"jsonrpc": "2.0", "id": identity, "result": result})
    await answer(scope, receive, send)


async def hang(scope: Scope, receive: Receive, send: Send) -> None:
    """Accept, and answer nothing."""
    await asyncio.Event().wait()


def dying_proxy() -> ASGIApp:
    """The reference proxy, until it has served some requests."""
    from toolbridge_proxy import settings
    from toolbridge_proxy.app import create_app
    from toolbridge_proxy.metrics import Metrics

    app = create_app(settings.load(), Metrics())
    served = 0

    async def dying(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal served
        served += scope["type"] == "http"
        if served > REQUESTS_BEFORE_DEATH:
            sys.stderr.write("out of memory\n")
            os._exit(137)
        await app(scope, receive, send)

    return dying


def main(kind: str) -> int:
    """Serve `kind` until a signal."""
    if kind == "never-starts":
        sys.stderr.write("cannot import name 'nothing'\n")
        return 1
    apps = {
        "401": refuse_everything,
        "404": find_nothing,
        "canned": canned_success,
        "hangs": hang,
    }
    app = dying_proxy() if kind == "dies" else apps[kind]
    port = int(os.environ["TOOLBRIDGE_PORT"])
    config = uvicorn.Config(
        app,
        port=port,
        log_level="error",
        lifespan="on" if kind == "dies" else "off",
        timeout_graceful_shutdown=1,
    )
    uvicorn.Server(config).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
