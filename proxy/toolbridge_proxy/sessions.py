"""Sync sessions of the Go API: one per caller, made once for all who wait, renewed when lost."""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from toolbridge_proxy.answers import OBJECT_CODES, Answer
from toolbridge_proxy.errors import ToolFailure
from toolbridge_proxy.logs import log
from toolbridge_proxy.upstream import ApiRequest, Call, Upstream

PATH = "/v1/sync/sessions"
LIFETIME_SECONDS = 30 * 60  # fixed in the Go API; use does not extend it
MARGIN_SECONDS = 5  # beyond the deadline of a call: clocks and the way
MAX_SESSIONS = 10_000  # about 5 MB

Principal = tuple[str | None, str]


class Made(BaseModel):
    """The answer to POST /v1/sync/sessions; both go into headers."""

    model_config = ConfigDict(strict=True)
    id: Annotated[str, Field(pattern=r"\A[\x21-\x7e]{1,128}\z")]
    epoch: Annotated[int, Field(ge=0, lt=2**63)]  # an int64 in the Go API
    expiresAt: Any = None  # noqa: N815 - as on the wire


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
        self._upstream.earn_retry()
        try:
            return await self._in_session(request, call)
        except ToolFailure as failure:
            if not failure.session_lost or call.retries < 1:
                raise
        call.retries -= 1
        return await self._in_session(request, call)

    async def _in_session(self, request: ApiRequest, call: Call) -> Answer:
        with call.timed("session"):
            session = await self._get(call)
        try:
            with call.timed("upstream"):
                return await self._upstream.send(request, call, session.headers)
        except ToolFailure as failure:
            if failure.session_lost:
                self._forget(call, session, failure)
            raise

    async def _get(self, call: Call) -> Session:
        principal = _principal(call)
        session = self._known.get(principal)
        if session is None or time.time() >= session.usable_until:
            return await self._wait(principal, call)
        self._known.move_to_end(principal)
        return session

    async def _wait(self, principal: Principal, call: Call) -> Session:
        task = joined = self._making.get(principal)
        if task is None:
            task = asyncio.create_task(self._make(principal, call))
            self._making[principal] = task
            task.add_done_callback(lambda _: self._making.pop(principal))
        try:
            # Shielded: who gives up waiting must not take it from the others. The grace
            # lets the task's own, better verdict come first.
            async with asyncio.timeout(call.remaining() + 0.1):
                return await asyncio.shield(task)
        except TimeoutError:
            raise ToolFailure("upstream_timeout") from None
        except ToolFailure as failure:
            if joined is None or failure.code != "upstream_timeout":
                raise
        return await self._wait(principal, call)

    async def _make(self, principal: Principal, call: Call) -> Session:
        request = ApiRequest("POST", PATH, PATH, accept=Made.model_validate)
        try:
            answer = await self._upstream.send(request, call)
        except ToolFailure as failure:
            if failure.code in OBJECT_CODES:  # it is the session that failed, not the object
                failure.code = "session_unavailable"
            failure.session_lost = False
            raise
        made: Made = answer.data
        margin = self._upstream.timeout_seconds + MARGIN_SECONDS
        headers = (("X-Sync-Session", made.id), ("X-Sync-Epoch", str(made.epoch)))
        session = Session(headers, time.time() + _lifetime(made.expiresAt) - margin)
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
        log.warning(event, status=failure.status, correlation_id=call.correlation_id)


def _principal(call: Call) -> Principal:
    return call.caller.issuer, call.caller.subject


def _lifetime(expires_at: Any) -> float:
    """Seconds until `expires_at` (RFC 3339); 0 when that cannot be told, so it is used once."""
    try:
        now = datetime.fromtimestamp(time.time(), UTC)
        return min((datetime.fromisoformat(expires_at) - now).total_seconds(), LIFETIME_SECONDS)
    except (TypeError, ValueError):  # no text, no date, or a date without an offset
        return 0
