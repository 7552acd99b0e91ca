"""The reference proxy with one bug below or around MCP: `python broken_transport.py BUG`."""

import asyncio
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h11._events
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, Router

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.patching import patch
from toolbridge_proxy import __main__ as entry
from toolbridge_proxy import app, calls, edge, errors, gate, strict_json, upstream


def last_length_wins() -> None:
    """Of several lengths the last one counts, and rubbish around digits is skipped."""

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


def old_sse() -> None:
    """The transport of 2024-11-05 is mounted beside the guarded endpoint."""

    async def stream(_: Request) -> Response:
        async def events() -> Any:
            yield "event: endpoint\ndata: /messages/?session_id=1\n\n"
            await asyncio.sleep(1)

        return StreamingResponse(events(), media_type="text/event-stream")

    def make(original: Any) -> Any:
        def router(routes: list[Any], **options: Any) -> Router:
            made: Router = original([*routes, Route("/sse", stream)], **options)
            return made

        return router

    patch(app, "Router", make)


def same_origin() -> None:
    """An Origin that names the request's own Host is taken for our page (M-P02)."""

    def make(original: Any) -> Any:
        def foreign(self: edge.Edge, host: str, origin: str | None) -> Response | None:
            if origin is not None and origin.partition("://")[2] == host:
                return None
            refusal: Response | None = original(self, host, origin)
            return refusal

        return foreign

    patch(edge.Edge, "_foreign", make)


def ids_crossed() -> None:
    """The id of the answer is that of the request that came last."""
    last: list[Any] = [None]

    def note(original: Any) -> Any:
        def check(message: Any) -> None:
            original(message)
            last[0] = message.get("id")

        return check

    patch(gate, "_check_envelope", note)
    patch(calls, "_answer", lambda answer: lambda _, result, end: answer(last[0], result, end))


def ids_as_text() -> None:
    """Ids are turned into text."""
    patch(calls, "_answer", lambda answer: lambda i, result, end: answer(str(i), result, end))


def slash_redirect() -> None:
    """Starlette's own redirect of a trailing slash, built from Host and scheme."""

    def make(original: Any) -> Any:
        return lambda routes, **options: original(routes, **{**options, "redirect_slashes": True})

    patch(app, "Router", make)


def split_lines() -> None:
    """Event streams whose data lines are split wherever Unicode sees a line end."""

    def make(original: Any) -> Any:
        def answer(*given: Any) -> Response:
            lines = bytes(original(*given).body).decode().splitlines()
            data = "".join(f"data: {line}\n" for line in lines)
            return Response(f"{data}\n", media_type="text/event-stream")

        return answer

    patch(calls, "_answer", make)


def any_size() -> None:
    """Bodies have no limit (M-Q11)."""
    patch(gate, "MAX_BODY_BYTES", lambda _: 2**40)


def slow_keys() -> None:
    """Repeated names are looked for pairwise."""

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


def hidden_waits() -> None:
    """Whoever is limited waits inside the proxy, as long as the call may take."""

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


BUGS: dict[str, Callable[[], None]] = {
    "last-length-wins": last_length_wins,
    "old-sse": old_sse,
    "same-origin": same_origin,
    "ids-crossed": ids_crossed,
    "ids-as-text": ids_as_text,
    "slash-redirect": slash_redirect,
    "split-lines": split_lines,
    "any-size": any_size,
    "slow-keys": slow_keys,
    "hidden-waits": hidden_waits,
}

if __name__ == "__main__":
    BUGS[sys.argv.pop()]()
    sys.exit(entry.main())
