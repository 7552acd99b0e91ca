"""Proxies that misjudge when a session ends, or mint session ids that can be guessed."""

import itertools
from datetime import UTC, datetime
from typing import Any

from mutants.table import mutant
from support.changed_calls import session_header
from support.patching import patch
from toolbridge_proxy import sessions
from toolbridge_proxy.errors import ToolFailure


@mutant(
    "sessions-half-hour",
    "sessions are used for half an hour, whatever the Go API says",
    rows="SES-16",
    cause="sessions-expiry",
)
def half_hour() -> None:
    """The lifetime is a constant."""
    patch(sessions, "_lifetime", lambda _: lambda expires_at: sessions.LIFETIME_SECONDS)


@mutant(
    "sessions-strict-date",
    "an end of a session that cannot be read makes the call fail",
    rows="SES-17",
    cause="sessions-odd-expiry",
)
def strict_date() -> None:
    """A date is parsed where nothing catches what is none."""

    def lifetime(expires_at: Any) -> float:
        left = datetime.fromisoformat(expires_at) - datetime.now(UTC)
        return left.total_seconds()

    patch(sessions, "_lifetime", lambda _: lifetime)


@mutant(
    "sessions-herd",
    "each call that meets a lost session makes one of its own",
    rows="SES-23",
    cause="sessions-after-restart",
)
def herd() -> None:
    """Single flight holds for first calls, not for renewals."""

    def make(original: Any) -> Any:
        async def send(self: Any, request: Any, call: Any) -> Any:
            self._upstream.earn_retry()
            try:
                return await self._in_session(request, call)
            except ToolFailure as failure:
                if not failure.session_lost:
                    raise
            own = await self._make(sessions._principal(call), call)
            return await self._upstream.send(request, call, own.headers)

        return send

    patch(sessions.Sessions, "send", make)


@mutant(
    "M-E13",
    "MCP session ids are numbers in sequence",
    rows="SES-25",
    cause="sessions-id-entropy",
)
def ids_in_sequence() -> None:
    """A counter in the shape of a UUID."""
    numbers = itertools.count(0x5F3A_0000)
    session_header(lambda given: given or f"9b1deb4d-3b7d-4bad-9bdd-{next(numbers):012x}".encode())
