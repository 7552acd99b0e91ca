"""Proxies that keep users apart until much comes at once, or over one connection."""

import asyncio
from collections import Counter
from contextvars import ContextVar
from typing import Any

from mutants.table import mutant
from support.wrapping import in_place_of
from toolbridge_proxy import edge, tools
from toolbridge_proxy.errors import Result

# Pages of so many objects are thought to be worth keeping.
_LARGE_PAGE = 500
_OFTEN = 3
# Callers at once with one question: more than any few users ask, fewer than a crowd does.
_FEW, _BUSY = 3, 8
_COLLECTED_SECONDS = 0.1


def _is_large(tool: str, given: dict[str, Any]) -> bool:
    limit = given.get("limit")
    return tool == "list_notes" and isinstance(limit, int) and limit >= _LARGE_PAGE


@mutant(
    "connection-keeps-pages",
    "a large page that a user asks for again and again is kept for the connection, not the user",
    rows="SES-30",
    cause="isolation-connection",
)
def connection_keeps_pages() -> None:
    """A connection, it was thought, is somebody's own."""
    peer: ContextVar[Any] = ContextVar("peer")
    asked: Counter[Any] = Counter()
    kept: dict[Any, Result] = {}

    @in_place_of(edge.Edge, "__call__")
    async def call(original: Any, self: Any, scope: Any, receive: Any, send: Any) -> None:
        peer.set(scope.get("client"))
        await original(self, scope, receive, send)

    @in_place_of(tools.Operate, "__call__")
    async def operate(original: Any, self: Any, given: Any, scope: Any) -> Result:
        if not _is_large(self.model.__name__, given):
            return await _result(original(self, given, scope))
        question = peer.get(), given["limit"]
        who = scope["toolbridge.caller"].subject
        asked[question, who] += 1
        if question in kept and asked[question, who] >= _OFTEN:
            return kept[question]
        result = await _result(original(self, given, scope))
        if asked[question, who] >= _OFTEN:
            kept[question] = result
        return result


@mutant(
    "busy-shares-pages",
    "under load, callers who ask for the same page at the same time are given one answer",
    rows="TEN-19",
    cause="isolation-interleaved",
)
def busy_shares_pages() -> None:
    """A busy proxy waits a moment for others with the same question; whose it is was forgotten."""
    asking: Counter[int] = Counter()
    answers: dict[int, asyncio.Future[Result]] = {}

    @in_place_of(tools.Operate, "__call__")
    async def operate(original: Any, self: Any, given: Any, scope: Any) -> Result:
        if not _is_large(self.model.__name__, given):
            return await _result(original(self, given, scope))
        limit = given["limit"]
        asking[limit] += 1
        try:
            if asking[limit] > _FEW:
                await asyncio.sleep(_COLLECTED_SECONDS)
            if asking[limit] <= _BUSY:
                return await _result(original(self, given, scope))
            if limit not in answers:
                answers[limit] = asyncio.ensure_future(_result(original(self, given, scope)))
            return await asyncio.shield(answers[limit])
        finally:
            asking[limit] -= 1
            if not asking[limit]:
                answers.pop(limit, None)


async def _result(work: Any) -> Result:
    answer: Result = await work
    return answer
