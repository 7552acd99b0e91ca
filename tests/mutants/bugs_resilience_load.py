"""Proxies that do not bear many calls, many users, or minutes of faults."""

import asyncio
import os
from typing import Any

from mutants.table import mutant
from support.patching import patch
from toolbridge_proxy import sessions, tools, upstream
from toolbridge_proxy.errors import ToolFailure


def _exchange(make: Any) -> None:
    patch(upstream.Upstream, "_exchange", make)


@mutant(
    "soak-patch-twice",
    "a patch whose connection is reset is sent again",
    rows="RES-30 RES-07",
    cause="errors-lost-answer",
)
def patch_twice() -> None:
    """Of all the writes only this one, and only after a reset."""

    def make(original: Any) -> Any:
        async def exchange(self: Any, request: Any, call: Any, session: Any) -> Any:
            try:
                return await original(self, request, call, session)
            except ToolFailure as failure:
                reset = failure.code == "outcome_unknown" and failure.status is None
                if request.method != "PATCH" or not reset or call.remaining() < 0.1:
                    raise
            return await original(self, request, call, session)

        return exchange

    _exchange(make)


_KEPT: list[bytes] = []


@mutant(
    "leak-per-call",
    "20 KB are kept of every call",
    rows="LIM-08",
    cause="limits-soak-calls",
)
def leak_per_call() -> None:
    """A list of answers for debugging that nobody empties."""

    def make(original: Any) -> Any:
        async def call(self: Any, *given: Any) -> Any:
            _KEPT.append(b"x" * 20_000)
            return await original(self, *given)

        return call

    patch(tools.Operate, "__call__", make)


@mutant(
    "M-E11",
    "what is kept for each user is never let go",
    rows="SES-21",
    cause="sessions-soak-users",
)
def unbounded_cache() -> None:
    """A buffer of 16 KB beside each session, and no bound on either."""
    known: dict[Any, bytes] = {}
    patch(sessions, "MAX_SESSIONS", lambda _: 10**9)

    def make(original: Any) -> Any:
        async def made(self: Any, principal: Any, call: Any) -> Any:
            known[principal] = b"x" * 16_384
            return await original(self, principal, call)

        return made

    patch(sessions.Sessions, "_make", make)


@mutant(
    "leak-per-leaver",
    "a call that ends at the deadline leaves a file open",
    rows="RES-24",
    cause="resilience-soak-disconnects",
)
def leak_per_leaver() -> None:
    """A response that is not closed when nobody waits for it."""

    def make(original: Any) -> Any:
        async def exchange(self: Any, *given: Any) -> Any:
            try:
                return await original(self, *given)
            except (ToolFailure, asyncio.CancelledError) as error:
                if getattr(error, "code", "upstream_timeout") == "upstream_timeout":
                    os.open(os.devnull, os.O_RDONLY)
                raise

        return exchange

    _exchange(make)
