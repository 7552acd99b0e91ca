"""Session caches and retriers with one bug each, and the invariants that notice it."""

import asyncio
import time
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

import httpx

from support.session_machines import Machine, OutageMachine, RetryMachine, SessionMachine
from support.session_model import Subject
from support.session_plain import Headers, Held, PlainCache, PlainRetrier
from support.session_subjects import MakesSessions, MakesUpstream, Parts, parts
from toolbridge_proxy.answers import Answer
from toolbridge_proxy.errors import ToolFailure
from toolbridge_proxy.sessions import Sessions
from toolbridge_proxy.upstream import ApiRequest, Call, Upstream

FOR_EVER = 10**9
SWALLOWED = Answer(200, b"{}", "application/json", None, {})


class KeyedByTenant(PlainCache):
    def key(self, call: Call) -> Hashable:
        return "tenant-a"


class KeyedBySubject(PlainCache):
    def key(self, call: Call) -> Hashable:
        return call.caller.subject


class KeyedInLowerCase(PlainCache):
    def key(self, call: Call) -> Hashable:
        return call.caller.issuer, call.caller.subject.lower()


class KeyedByCall(PlainCache):
    def key(self, call: Call) -> Hashable:
        return call.correlation_id


class HourLong(PlainCache):
    def until(self, made: dict[str, Any]) -> float:
        return time.time() + 3600


class NoMargin(PlainCache):
    def until(self, made: dict[str, Any]) -> float:
        return super().until(made) + 30


class KeepsTheEpoch(PlainCache):
    def __init__(self, upstream: Upstream) -> None:
        super().__init__(upstream)
        self.epochs: dict[Hashable, int] = {}

    def epoch(self, call: Call, made: dict[str, Any]) -> int:
        return self.epochs.setdefault(self.key(call), made["epoch"])


class PatchesTheEpoch(PlainCache):
    def forget(self, call: Call, held: Held, failure: ToolFailure) -> None:
        if failure.code != "epoch_mismatch":
            super().forget(call, held, failure)
            return
        session, (name, epoch) = held.headers
        held.headers = (session, (name, str(int(epoch) + 1)))


class CachesFailures(PlainCache):
    def __init__(self, upstream: Upstream) -> None:
        super().__init__(upstream)
        self.failed: dict[Hashable, ToolFailure] = {}

    async def make(self, call: Call) -> Held:
        if self.key(call) in self.failed:
            raise self.failed[self.key(call)]
        try:
            return await super().make(call)
        except ToolFailure as failure:
            self.failed[self.key(call)] = failure
            raise


class AnyConflictIsAnEpoch(PlainCache):
    def lost(self, failure: ToolFailure) -> bool:
        return super().lost(failure) or failure.code == "conflict"


class ForgetsAfterAnyError(PlainCache):
    async def send(self, request: ApiRequest, call: Call) -> Answer:
        try:
            return await super().send(request, call)
        except ToolFailure:
            self.known.pop(self.key(call), None)
            raise


class NoRecovery(PlainCache):
    renewals = 0


class KeepsTheLost(PlainCache):
    def forget(self, call: Call, held: Held, failure: ToolFailure) -> None:
        pass


class RenewsForEver(PlainCache):
    renewals = FOR_EVER

    def spend(self, call: Call) -> None:
        pass


class Swallows(PlainCache):
    async def send(self, request: ApiRequest, call: Call) -> Answer:
        try:
            return await super().send(request, call)
        except ToolFailure:
            return SWALLOWED


class NoSingleFlight(PlainCache):
    async def share(self, call: Call) -> Held:
        return await self.make(call)


class OneFlightForAll(PlainCache):
    async def share(self, call: Call) -> Held:
        if "all" not in self.making:
            task = self.making["all"] = asyncio.create_task(self.make(call))
            task.add_done_callback(lambda done: self.made("all", done))
        held = self.known[self.key(call)] = await self.wait(self.making["all"], call)
        return held


class DropsTheNewForTheOld(PlainCache):
    def forget(self, call: Call, held: Held, failure: ToolFailure) -> None:
        self.known.pop(self.key(call), None)


class NotShielded(PlainCache):
    async def wait(self, task: "asyncio.Task[Held]", call: Call) -> Held:
        return await task


class WaitsPastItsDeadline(PlainCache):
    async def wait(self, task: "asyncio.Task[Held]", call: Call) -> Held:
        return await asyncio.shield(task)


class TokenOfTheSession(PlainCache):
    def call_with(self, call: Call, held: Held) -> Call:
        return replace(call, caller=held.caller)


class RepeatsAfterATimeout(PlainRetrier):
    def single(self, call: Call) -> Call:
        half = call.deadline - call.remaining() / 2
        return replace(call, retries=0, deadline=half)

    def may_repeat(self, request: ApiRequest, failure: ToolFailure) -> bool:
        timed_out = failure.code == "outcome_unknown" and failure.status is None
        return timed_out or super().may_repeat(request, failure)


class RepeatsWhatIsIdempotent(PlainRetrier):
    def may_repeat(self, request: ApiRequest, failure: ToolFailure) -> bool:
        lost = failure.code == "outcome_unknown" and request.method in ("PUT", "DELETE")
        return lost or super().may_repeat(request, failure)


class RepeatsOn(PlainRetrier):
    """Repeats any request after one of these answers."""

    statuses: frozenset[int] = frozenset()

    def may_repeat(self, request: ApiRequest, failure: ToolFailure) -> bool:
        return failure.status in self.statuses or super().may_repeat(request, failure)


class RepeatsOn500(RepeatsOn):
    statuses = frozenset({500})


class RepeatsOn502(RepeatsOn):
    statuses = frozenset({502})


class RepeatsOn503(RepeatsOn):
    statuses = frozenset({503})


class RepeatsOn429(RepeatsOn):
    statuses = frozenset({429})


class RepeatsForEver(PlainRetrier):
    attempts = FOR_EVER

    def afford(self) -> bool:
        return True

    def spend(self, call: Call) -> None:
        pass


class OneRetryMore(PlainRetrier):
    attempts = 3

    def spend(self, call: Call) -> None:
        pass


class NoBudget(PlainRetrier):
    def afford(self) -> bool:
        return True


class DeadlineOfItsOwn(PlainRetrier):
    """Each attempt has the whole time."""

    def single(self, call: Call) -> Call:
        return replace(call, retries=0, deadline=time.monotonic() + self.timeout_seconds)


class SleepsPastTheDeadline(PlainRetrier):
    """As long as the Go API says, whatever is left of the call."""

    def may_repeat(self, request: ApiRequest, failure: ToolFailure) -> bool:
        return failure.retry_after is not None and request.lost is None

    def pause(self, failure: ToolFailure) -> float:
        return float(failure.retry_after or 0)

    def in_time(self, call: Call, failure: ToolFailure) -> bool:
        return True


class Untold(PlainRetrier):
    """A lost answer is told as an error like any other."""

    def tell(self, request: ApiRequest, failure: ToolFailure) -> ToolFailure:
        if failure.code != "outcome_unknown":
            return failure
        return replace(failure, code="upstream_unreachable")


class NeverKnows(PlainRetrier):
    """Every failed mutation is told as unknown."""

    def tell(self, request: ApiRequest, failure: ToolFailure) -> ToolFailure:
        return failure if request.lost is None else replace(failure, code="outcome_unknown")


class LosesRetryAfter(PlainRetrier):
    def tell(self, request: ApiRequest, failure: ToolFailure) -> ToolFailure:
        return replace(failure, retry_after=None)


class AssumesTheBest(PlainRetrier):
    """A lost answer is taken for a good one."""

    async def send(self, request: ApiRequest, call: Call, session: Headers = ()) -> Answer:
        try:
            return await super().send(request, call, session)
        except ToolFailure as failure:
            if failure.code != "outcome_unknown":
                raise
            return SWALLOWED


class FollowsRedirects(httpx.AsyncBaseTransport):
    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._transport.handle_async_request(request)
        if "Location" not in answer.headers:
            return answer
        following = httpx.Request("GET", answer.headers["Location"], headers=request.headers)
        return await self._transport.handle_async_request(following)


class NeverRepeats(PlainRetrier):
    """Conformant: a retry is allowed, not required."""

    attempts = 1


class WaitsAsTold(PlainRetrier):
    """Conformant: repeats after a 429 once its time has come, within the deadline."""

    def may_repeat(self, request: ApiRequest, failure: ToolFailure) -> bool:
        told = failure.code == "rate_limited" and request.lost is None
        return told or super().may_repeat(request, failure)

    def pause(self, failure: ToolFailure) -> float:
        return float(failure.retry_after or 0) if failure.code == "rate_limited" else 0.1


@dataclass(frozen=True)
class Break:
    """A broken proxy: which machine is to notice it, and by which invariants, each alone.

    `only` says that no other invariant can.
    """

    name: str
    subject: Subject
    machine: type[Machine]
    letters: tuple[str, ...]
    only: bool = False

    def __str__(self) -> str:
        return self.name


def _cache(name: str, sessions: MakesSessions, *letters: str, only: bool = False) -> Break:
    return Break(name, parts(sessions), SessionMachine, letters, only)


def _retries(
    name: str,
    upstream: MakesUpstream,
    *letters: str,
    machine: type[Machine] = RetryMachine,
    only: bool = False,
) -> Break:
    return Break(name, parts(Sessions, upstream), machine, letters, only)


BREAKS = (
    _cache("key by tenant", KeyedByTenant, "a"),
    _cache("key by subject only", KeyedBySubject, "a"),
    _cache("key lower-cased", KeyedInLowerCase, "a"),
    _cache("session per call", KeyedByCall, "e"),
    _cache("hard TTL of an hour", HourLong, "b", only=True),
    _cache("no margin before the expiry", NoMargin, "b", only=True),
    _cache("keeps the old epoch", KeepsTheEpoch, "h", "d"),
    _cache("patches only the epoch", PatchesTheEpoch, "h", only=True),
    _cache("caches a failure", CachesFailures, "d"),
    _cache("any 409 is an epoch", AnyConflictIsAnEpoch, "g"),
    _cache("a conflict costs the session", ForgetsAfterAnyError, "g"),
    _cache("no recovery", NoRecovery, "d"),
    _cache("keeps the lost session", KeepsTheLost, "d"),
    _cache("renews for ever", RenewsForEver, "c"),
    _cache("swallows errors", Swallows, "f", "contract", "g"),
    _cache("no single flight", NoSingleFlight, "e", only=True),
    _cache("one flight for all", OneFlightForAll, "a"),
    _cache("a late loss drops the new session", DropsTheNewForTheOld, "e"),
    _cache("who leaves cancels the others", NotShielded, "d"),
    _cache("the token of the session", TokenOfTheSession, "i", only=True),
    Break(
        "waits past its deadline",
        parts(WaitsPastItsDeadline),
        RetryMachine,
        ("deadline",),
        only=True,
    ),
    _retries("repeats after a timeout", RepeatsAfterATimeout, "f"),
    _retries("repeats what is idempotent", RepeatsWhatIsIdempotent, "f"),
    _retries("repeats on 500", RepeatsOn500, "f", only=True),
    _retries("repeats on 502", RepeatsOn502, "f", only=True),
    _retries("repeats on 503", RepeatsOn503, "f", only=True),
    _retries("repeats on 429 at once", RepeatsOn429, "f", "contract"),
    _retries("repeats for ever", RepeatsForEver, "c"),
    _retries("one retry more", OneRetryMore, "c", only=True),
    _retries("no retry budget", NoBudget, "amplification", machine=OutageMachine, only=True),
    _retries("a deadline for each attempt", DeadlineOfItsOwn, "deadline"),
    _retries("sleeps past the deadline", SleepsPastTheDeadline, "deadline"),
    _retries("a lost answer is a definite error", Untold, "f", "contract"),
    _retries("every failed write is unknown", NeverKnows, "contract"),
    _retries("a lost answer is a good one", AssumesTheBest, "f", "contract"),
    _retries("loses Retry-After", LosesRetryAfter, "contract", only=True),
    Break(
        "follows redirects",
        lambda transport: Parts(FollowsRedirects(transport)),
        RetryMachine,
        ("contract",),
    ),
)
CONFORMANT: dict[str, Subject] = {
    "another cache": parts(PlainCache),
    "another cache, another retrier": parts(PlainCache, PlainRetrier),
    "never repeats": parts(Sessions, NeverRepeats),
    "waits as told": parts(Sessions, WaitsAsTold),
}
