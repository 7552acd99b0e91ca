"""Sync sessions of the Go API: one per caller, made once for all who wait, renewed when lost."""

import asyncio
import re
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from toolbridge_proxy.answers import Answer
from toolbridge_proxy.errors import ToolFailure
from toolbridge_proxy.upstream import ApiRequest, Call, Upstream

log = structlog.get_logger()

LIFETIME_SECONDS = 30 * 60  # fixed in the Go API; use does not extend it
MARGIN_SECONDS = 5  # beyond the deadline of a call: clocks and the way
MAX_SESSIONS = 10_000  # about 5 MB
_HEADER_SAFE = re.compile(r"[\x21-\x7e]{1,128}")
_MAX_EPOCH = 2**63 - 1  # an int64 in the Go API

Principal = tuple[str | None, str]


@dataclass(frozen=True)
class Session:
    """A sync session: its headers, and until when (Unix seconds) it may be presented."""

    headers: tuple[tuple[str, str], ...]
    usable_until: float


class Sessions:
    """The sessions of all callers, keyed by (issuer, subject)."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self.timeout_seconds, self.tenant_id = upstream.timeout_seconds, upstream.tenant_id
        self._known: OrderedDict[Principal, Session] = OrderedDict()
        self._making: dict[Principal, asyncio.Task[Session]] = {}

    async def send(self, request: ApiRequest, call: Call) -> Answer:
        """Send `request` in the caller's session; a lost session is renewed once."""
        self._upstream.budget.earn()
        session = await self._get(call)
        try:
            async with call.timed("upstream"):
                return await self._upstream.send(request, call, session.headers)
        except ToolFailure as failure:
            if not failure.session_lost:
                raise
            self._forget(call, session, failure)
            if call.retries < 1:
                raise
            call.retries -= 1
        session = await self._get(call)
        async with call.timed("upstream"):
            return await self._upstream.send(request, call, session.headers)

    async def _get(self, call: Call) -> Session:
        principal = _principal(call)
        session = self._known.get(principal)
        if session is not None and time.time() < session.usable_until:
            self._known.move_to_end(principal)
            return session
        async with call.timed("session"):
            return await self._wait(principal, call)

    async def _wait(self, principal: Principal, call: Call) -> Session:
        task = self._making.get(principal)
        if task is None:
            task = asyncio.create_task(self._make(principal, call))
            self._making[principal] = task
            task.add_done_callback(lambda done: self._made(principal, done))
        try:
            # Shielded: who gives up waiting must not take it from the others. The grace
            # lets the task's own, better verdict come first.
            async with asyncio.timeout(call.remaining() + 0.1):
                return await asyncio.shield(task)
        except TimeoutError:
            raise ToolFailure("upstream_timeout") from None

    def _made(self, principal: Principal, task: asyncio.Task[Session]) -> None:
        self._making.pop(principal, None)
        if not task.cancelled():
            task.exception()  # seen, even when everyone has stopped waiting

    async def _make(self, principal: Principal, call: Call) -> Session:
        request = ApiRequest("POST", "/v1/sync/sessions", "/v1/sync/sessions", accept=_is_session)
        try:
            answer = await self._upstream.send(request, call)
        except ToolFailure as failure:
            if failure.code in _ABOUT_AN_OBJECT:
                failure.code = "session_unavailable"
            raise
        session = _session(answer.data, self._upstream.timeout_seconds)
        self._known[principal] = session
        self._known.move_to_end(principal)
        if len(self._known) > MAX_SESSIONS:
            self._known.popitem(last=False)
        return session

    def _forget(self, call: Call, session: Session, failure: ToolFailure) -> None:
        """Drop `session`, unless another call has already replaced it."""
        principal = _principal(call)
        if self._known.get(principal) is session:
            del self._known[principal]
        event = "session_of_another_user" if failure.status == 403 else "session_lost"
        (log.warning if failure.status == 403 else log.info)(
            event, status=failure.status, correlation_id=call.correlation_id
        )


# Codes that would tell the caller about an object when it is the session that failed.
_ABOUT_AN_OBJECT = frozenset(
    {
        "invalid_argument",
        "not_found",
        "gone",
        "conflict",
        "precondition_failed",
        "payload_too_large",
        "upstream_rejected",
        "epoch_mismatch",
    }
)


def _principal(call: Call) -> Principal:
    return call.caller.issuer, call.caller.subject


def _is_session(data: Any) -> bool:
    if not isinstance(data, dict):
        return False
    session_id, epoch = data.get("id"), data.get("epoch")
    return (
        isinstance(session_id, str)
        and _HEADER_SAFE.fullmatch(session_id) is not None
        and type(epoch) is int
        and 0 <= epoch <= _MAX_EPOCH
    )


def _session(data: dict[str, Any], call_seconds: float) -> Session:
    headers = (("X-Sync-Session", data["id"]), ("X-Sync-Epoch", str(data["epoch"])))
    margin = call_seconds + MARGIN_SECONDS
    return Session(headers, time.time() + _lifetime(data.get("expiresAt")) - margin)


def _lifetime(expires_at: object) -> float:
    """Seconds until `expires_at` (RFC 3339); 0 when that cannot be told, so it is used once."""
    try:
        moment = datetime.fromisoformat(expires_at) if isinstance(expires_at, str) else None
        if moment is None or moment.tzinfo is None:
            return 0
        return min(moment.timestamp() - time.time(), LIFETIME_SECONDS)
    except (ValueError, OverflowError):
        return 0
