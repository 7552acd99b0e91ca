"""Correct proxies that start, live and are watched in another way."""

import time
from typing import Any

from starlette.responses import PlainTextResponse

from mutants.table import variant
from support.patching import patch
from toolbridge_proxy import __main__ as entry
from toolbridge_proxy import app

_START_SECONDS = 2.0
# What uvicorn does by itself.
_IDLE_SECONDS = 5


@variant("starts-late", "takes two seconds more until it listens")
def starts_late() -> None:
    """As images on small machines do."""

    def make(original: Any) -> Any:
        def serve(config: Any) -> int:
            time.sleep(_START_SECONDS)
            code: int = original(config)
            return code

        return serve

    patch(entry, "_serve", make)


@variant("idle-closed", "closes idle connections after five seconds")
def idle_closed() -> None:
    """A client must be ready for that at any time (RFC 9112 section 9.5)."""
    patch(entry, "KEEP_ALIVE_SECONDS", lambda _: _IDLE_SECONDS)


@variant("probes-as-text", "liveness and readiness answer with a word")
def probes_as_text() -> None:
    """Machines that ask look at the status alone."""

    def ready(original: Any) -> Any:
        async def answer(self: app.Readiness, request: Any) -> PlainTextResponse:
            status = (await original(self, request)).status_code
            text = "ready" if status == 200 else "waiting for the Go API"
            return PlainTextResponse(text, status)

        return answer

    def route(original: Any) -> Any:
        def made(path: str, endpoint: Any, **more: Any) -> Any:
            live = path == "/healthz"
            return original(path, PlainTextResponse("ok") if live else endpoint, **more)

        return made

    patch(app.Readiness, "__call__", ready)
    patch(app, "Route", route)
