"""Proxies whose log tells too much, or nothing."""

import sys
import traceback
from types import SimpleNamespace
from typing import Any

from mutants.table import mutant
from support.patching import patch
from toolbridge_proxy import edge, gate, upstream
from toolbridge_proxy.errors import ToolFailure


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


@mutant(
    "access-log",
    "an access log shows every request's query",
    rows="LOG-03",
    cause="hygiene-query-not-logged",
)
def access_log() -> None:
    """One line per request, as uvicorn writes it by default."""

    def make(original: Any) -> Any:
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                target = f"{scope['path']}?{scope['query_string'].decode()}"
                _write(f'INFO: "{scope["method"]} {target} HTTP/1.1"\n')
            await original(self, scope, receive, send)

        return call

    patch(edge.Edge, "__call__", make)


@mutant(
    "denial-traces",
    "each bad token leaves a trace of the code in the log",
    rows="LOG-08",
    cause="hygiene-log-bounded",
)
def denial_traces() -> None:
    """log.exception where a warning would do."""

    def make(original: Any) -> Any:
        def denial(self: Any, *given: Any) -> Any:
            _write("Traceback (most recent call last):\n" + "".join(traceback.format_stack()))
            return original(self, *given)

        return denial

    patch(gate.Gate, "_denial", make)


@mutant(
    "M-L03",
    "failures are logged with the values of the variables in the failing line",
    rows="LOG-05",
    cause="hygiene-failures-logged",
)
def values_in_traces() -> None:
    """As loguru does by default (diagnose=True): here the innermost of its lines."""

    def make(original: Any) -> Any:
        async def attempt(self: Any, request: Any, call: Any, session: Any) -> Any:
            try:
                return await original(self, request, call, session)
            except ToolFailure as failure:
                if failure.code in ("upstream_bad_response", "outcome_unknown"):
                    _write(f"judged = judge(answer, request)\n        └ {request!r}\n")
                raise

        return attempt

    patch(upstream.Upstream, "_attempt", make)


@mutant(
    "silent-denials",
    "denials are not logged",
    rows="LOG-11",
    cause="hygiene-denials-logged",
)
def silent_denials() -> None:
    """Nobody sees an attack."""
    silent = SimpleNamespace(warning=lambda *_, **__: None)
    patch(gate, "log", lambda _: silent)
