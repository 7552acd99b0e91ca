"""Proxies that are wrong below or around MCP: lengths, lines, sizes, ids and other transports."""

import asyncio
import re
from typing import Any

import h11._events
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, Router

from mutants.table import mutant
from support.patching import patch
from toolbridge_proxy import app, calls, errors, gate, strict_json, upstream


@mutant(
    "last-length-wins",
    "of several lengths the last one counts, and rubbish around digits is skipped",
    rows="MCP-32",
    cause="transport-smuggling",
)
def last_length_wins() -> None:
    """As lenient parsers do."""

    def make(original: Any) -> Any:
        def normalize(headers: Any, _parsed: bool = False) -> Any:
            kept: dict[bytes, tuple[Any, Any]] = {}
            rest = []
            for name, value in headers:
                if bytes(name).lower() == b"content-length":
                    digits = re.findall(rb"\d+", bytes(value)) or [b"0"]
                    kept[b"content-length"] = (name, digits[-1])
                else:
                    rest.append((name, value))
            return original([*rest, *kept.values()], _parsed=_parsed)

        return normalize

    patch(h11._events, "normalize_and_validate", make)


@mutant(
    "old-sse",
    "the transport of 2024-11-05 is mounted beside the guarded endpoint",
    rows="MCP-27",
    cause="transport-no-old-sse",
)
def old_sse() -> None:
    """Open to everybody."""

    async def stream(_: Request) -> Response:
        async def events() -> Any:
            yield "event: endpoint\ndata: /messages/?session_id=1\n\n"
            await asyncio.sleep(1)

        return StreamingResponse(events(), media_type="text/event-stream")

    _routes(Route("/sse", stream))


def _routes(*more: Route) -> None:
    def make(original: Any) -> Any:
        def router(routes: list[Any], **options: Any) -> Router:
            made: Router = original([*routes, *more], **options)
            return made

        return router

    patch(app, "Router", make)


@mutant(
    "M-P08",
    "/docs and /metrics are served on the public port",
    rows="DEP-06",
    cause="transport-methods",
)
def docs_and_metrics() -> None:
    """As frameworks do unasked."""
    page = Response("<title>API</title>", media_type="text/html")
    _routes(Route("/docs", page), Route("/metrics", Response("up 1\n")))


@mutant(
    "metrics-exposed", "/metrics is on the public port", rows="DEP-06", cause="transport-methods"
)
def metrics_exposed() -> None:
    """Without the documentation beside it."""
    _routes(Route("/metrics", Response("up 1\n")))


@mutant(
    "ids-crossed",
    "the id of an answer is that of the request that came last",
    rows="MCP-03",
    cause="transport-ids",
)
def ids_crossed() -> None:
    """Right for as long as nobody else calls."""
    last: list[Any] = [None]

    def note(original: Any) -> Any:
        def check(message: Any) -> None:
            original(message)
            last[0] = message.get("id")

        return check

    patch(gate, "_check_envelope", note)
    patch(calls, "_answer", lambda answer: lambda _, result, end: answer(last[0], result, end))


@mutant("ids-as-text", "ids are turned into text", rows="MCP-03", cause="transport-ids")
def ids_as_text() -> None:
    """1 becomes "1"."""

    def answer(original: Any) -> Any:
        return lambda i, result, end: original(str(i), result, end)

    patch(calls, "_answer", answer)


@mutant(
    "slash-redirect",
    "a trailing slash is redirected to an address made of Host and scheme",
    rows="MCP-25",
    cause="transport-trailing-slash",
)
def slash_redirect() -> None:
    """Starlette's default."""

    def make(original: Any) -> Any:
        return lambda routes, **options: original(routes, **{**options, "redirect_slashes": True})

    patch(app, "Router", make)


@mutant(
    "split-lines",
    "data lines of event streams are split wherever Unicode sees a line end",
    rows="MCP-28",
    cause="transport-framing",
)
def split_lines() -> None:
    """str.splitlines."""

    def make(original: Any) -> Any:
        def answer(*given: Any) -> Response:
            lines = bytes(original(*given).body).decode().splitlines()
            data = "".join(f"data: {line}\n" for line in lines)
            return Response(f"{data}\n", media_type="text/event-stream")

        return answer

    patch(calls, "_answer", make)


@mutant("M-Q11", "bodies have no limit", rows="LIM-01", cause="limits-body-size")
def any_size() -> None:
    """A terabyte."""
    patch(gate, "MAX_BODY_BYTES", lambda _: 2**40)


@mutant(
    "slow-keys",
    "repeated names are looked for pairwise",
    rows="LIM-02",
    cause="limits-json-bombs",
)
def slow_keys() -> None:
    """Quadratic in the number of names."""

    def make(original: Any) -> Any:
        def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            names: list[str] = []
            for name, _ in pairs[:15_000]:  # three seconds, not an hour
                if name in names:
                    break
                names.append(name)
            value: dict[str, Any] = original(pairs)
            return value

        return unique

    patch(strict_json, "_unique", make)


@mutant(
    "hidden-waits",
    "whoever is limited waits inside the proxy, as long as the call may take",
    rows="LIM-03",
    cause="limits-rate-passed-on",
)
def hidden_waits() -> None:
    """The 429 is never seen."""

    def make(original: Any) -> Any:
        async def attempt(*given: Any) -> Any:
            while True:
                try:
                    return await original(*given)
                except errors.ToolFailure as failure:
                    if failure.code != "rate_limited":
                        raise
                await asyncio.sleep(0.5)

        return attempt

    patch(upstream.Upstream, "_attempt", make)
