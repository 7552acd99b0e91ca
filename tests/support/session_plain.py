"""A session cache and a retrier of the plainest kind, correct as they stand; each step a method.

They rest on the proxy's `Upstream.send` alone, so what breaks one of their steps goes on breaking
it when the proxy's own cache and retries are written anew.
"""

import asyncio
import time
from collections.abc import Hashable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from support.session_subjects import json_object
from toolbridge_proxy.answers import Answer
from toolbridge_proxy.errors import ToolFailure
from toolbridge_proxy.upstream import ApiRequest, Call, Upstream

ROUTE = "/v1/sync/sessions"
MARGIN_SECONDS = 30.0
PAUSE_SECONDS = 0.1
GRACE_SECONDS = 0.05
Headers = tuple[tuple[str, str], ...]


@dataclass
class Held:
    """A session that is kept: its headers, until when, and whose token it was made with."""

    headers: Headers
    until: float
    caller: Any


class PlainCache:
    """One session per caller, made once for all who wait, renewed once when lost."""

    renewals = 1

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.known: dict[Hashable, Held] = {}
        self.making: dict[Hashable, asyncio.Task[Held]] = {}

    def key(self, call: Call) -> Hashable:
        return call.caller.issuer, call.caller.subject

    def until(self, made: dict[str, Any]) -> float:
        return datetime.fromisoformat(made["expiresAt"]).timestamp() - MARGIN_SECONDS

    def epoch(self, call: Call, made: dict[str, Any]) -> int:
        epoch: int = made["epoch"]
        return epoch

    def lost(self, failure: ToolFailure) -> bool:
        return failure.code in ("session_unavailable", "epoch_mismatch")

    def call_with(self, call: Call, held: Held) -> Call:
        return call

    async def send(self, request: ApiRequest, call: Call) -> Answer:
        for renewal in range(self.renewals + 1):
            held = await self.get(call)
            try:
                return await self.upstream.send(request, self.call_with(call, held), held.headers)
            except ToolFailure as failure:
                if not self.lost(failure):
                    raise
                self.forget(call, held, failure)
                if renewal == self.renewals or call.retries < 1:
                    raise
                self.spend(call)
        raise AssertionError("unreachable")

    def spend(self, call: Call) -> None:
        call.retries -= 1

    def forget(self, call: Call, held: Held, failure: ToolFailure) -> None:
        if self.known.get(self.key(call)) is held:
            del self.known[self.key(call)]

    async def get(self, call: Call) -> Held:
        held = self.known.get(self.key(call))
        if held is not None and time.time() < held.until:
            return held
        return await self.share(call)

    async def share(self, call: Call) -> Held:
        key = self.key(call)
        if key not in self.making:
            task = self.making[key] = asyncio.create_task(self.make(call))
            task.add_done_callback(lambda done: self.made(key, done))
        return await self.wait(self.making[key], call)

    async def wait(self, task: "asyncio.Task[Held]", call: Call) -> Held:
        try:
            # The grace lets the task's own, better verdict come first.
            async with asyncio.timeout(call.remaining() + GRACE_SECONDS):
                return await asyncio.shield(task)
        except TimeoutError:
            raise ToolFailure("upstream_timeout") from None

    def made(self, key: Hashable, task: "asyncio.Task[Held]") -> None:
        del self.making[key]
        if not task.cancelled():
            task.exception()

    async def make(self, call: Call) -> Held:
        request = ApiRequest("POST", ROUTE, ROUTE, json_object)
        made = (await self.upstream.send(request, call)).data
        epoch = str(self.epoch(call, made))
        headers = (("X-Sync-Session", made["id"]), ("X-Sync-Epoch", epoch))
        held = self.known[self.key(call)] = Held(headers, self.until(made), call.caller)
        return held


class PlainRetrier(Upstream):
    """At most one more attempt, for what is safe to repeat; a tenth of the calls at most."""

    attempts = 2
    repeatable = frozenset(
        {"upstream_unreachable", "upstream_unavailable", "upstream_bad_response"}
    )
    # Nothing was sent, so a mutation may be.
    unsent = frozenset({"upstream_unreachable"})

    _earned = 5.0

    def may_repeat(self, request: ApiRequest, failure: ToolFailure) -> bool:
        if request.lost is not None:
            return failure.code in self.unsent and failure.status is None
        # A page of another kind comes again; an answer cut short may not.
        return failure.code in self.repeatable and failure.status != 200

    def afford(self) -> bool:
        if self._earned < 1:
            return False
        self._earned -= 1
        return True

    def pause(self, failure: ToolFailure) -> float:
        return PAUSE_SECONDS

    def single(self, call: Call) -> Call:
        return replace(call, retries=0)

    def tell(self, request: ApiRequest, failure: ToolFailure) -> ToolFailure:
        return failure

    async def send(self, request: ApiRequest, call: Call, session: Headers = ()) -> Answer:
        self._earned = min(5.0, self._earned + 0.1 * bool(session))
        for attempt in range(1, self.attempts + 1):
            try:
                return await self.try_once(request, call, session)
            except ToolFailure as failure:
                last = attempt == self.attempts or call.retries < 1
                if last or not self.may_repeat(request, failure) or not self.in_time(call, failure):
                    raise self.tell(request, failure) from None
                if not self.afford():
                    raise self.tell(request, failure) from None
                self.spend(call)
                await asyncio.sleep(self.pause(failure))
        raise AssertionError("unreachable")

    def spend(self, call: Call) -> None:
        call.retries -= 1

    def in_time(self, call: Call, failure: ToolFailure) -> bool:
        return call.remaining() > self.pause(failure)

    async def try_once(self, request: ApiRequest, call: Call, session: Headers) -> Answer:
        return await super().send(request, self.single(call), session)
