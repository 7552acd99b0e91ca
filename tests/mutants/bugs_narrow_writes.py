"""Proxies that say the wrong thing about writes whose answer is lost, one way of losing it."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from mutants.table import mutant
from support.wrapping import in_place_of
from toolbridge_proxy import upstream
from toolbridge_proxy.errors import ToolFailure


def _doubted(change: Callable[[ToolFailure, bool, bool], ToolFailure]) -> None:
    """Let `change(told, timed_out, answered)` tell otherwise of writes whose answer is lost."""

    @in_place_of(upstream, "_transport_failure")
    def failure(original: Any, error: Exception, answered: bool, lost: str | None) -> ToolFailure:
        told: ToolFailure = original(error, answered, lost)
        doubted = told.code == "outcome_unknown"
        return change(told, isinstance(error, TimeoutError), answered) if doubted else told


@mutant(
    "reset-is-definite",
    "a write whose connection was reset is said to have failed",
    rows="RES-07",
    cause="errors-lost-answer",
)
def reset_is_definite() -> None:
    """Nothing came back, so nothing happened, it was thought; an answer that is cut is doubted."""

    def change(told: ToolFailure, timed_out: bool, answered: bool) -> ToolFailure:
        return told if timed_out or answered else ToolFailure("upstream_unreachable")

    _doubted(change)


@mutant(
    "reset-says-retry",
    "who writes and loses the answer to a reset is told to retry",
    rows="RES-32",
    cause="errors-lost-answer",
)
def reset_says_retry() -> None:
    """The text is the one for reads."""
    text = "The connection to the Go API was lost, please retry."
    _doubted(lambda told, timed_out, _: told if timed_out else replace(told, message=text))


@mutant(
    "timeout-says-retry",
    "who writes and gets no answer in time is told to retry",
    rows="RES-32",
    cause="errors-write-timeout",
)
def timeout_says_retry() -> None:
    """As a framework words it: the agent then makes the duplicate that the proxy avoided."""
    text = "Upstream request timed out, please retry."
    _doubted(lambda told, timed_out, _: replace(told, message=text) if timed_out else told)


@mutant(
    "create-again-on-502",
    "a create that a gateway answers with 502, 503 or 504 is sent again",
    rows="RES-09",
    cause="resilience-create-once",
)
def create_again() -> None:
    """Patches are known to be no good for that; a create has a uid, which was thought to help."""

    @in_place_of(upstream.Upstream, "_attempt")
    async def attempt(original: Any, self: Any, request: Any, *rest: Any) -> Any:
        try:
            return await original(self, request, *rest)
        except ToolFailure as failure:
            create = request.method == "POST" and request.path == request.route
            if not create or "/sync/" in request.path or (failure.status or 0) <= 500:
                raise
        return await original(self, request, *rest)


@mutant(
    "patch-again-after-resets",
    "after three patches whose connection was reset, further ones are sent again",
    rows="RES-30 RES-07",
    cause="resilience-soak",
)
def patch_again_after_resets() -> None:
    """By then the connections that are kept are thought to be stale."""
    reset = ContextVar("reset", default=False)
    resets: list[str] = []

    @in_place_of(upstream, "_transport_failure")
    def failure(original: Any, error: Exception, answered: bool, lost: str | None) -> Any:
        reset.set(not answered and not isinstance(error, TimeoutError))
        return original(error, answered, lost)

    @in_place_of(upstream.Upstream, "_exchange")
    async def exchange(original: Any, self: Any, request: Any, call: Any, session: Any) -> Any:
        reset.set(False)
        try:
            return await original(self, request, call, session)
        except ToolFailure:
            if request.method != "PATCH" or not reset.get() or call.remaining() < 0.1:
                raise
            resets.append(request.path)
            if len(resets) <= 3:
                raise
        return await original(self, request, call, session)
