"""Property 41: how often a call is sent, and how long it may take, whatever goes wrong when."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import httpx
from hypothesis import strategies as st

from support.body_break import WHOLE, Break
from support.body_proxy import Outcome, Proxy, running_proxy, well
from support.body_values import named_arguments
from support.proxy_app import make_settings
from support.proxy_upstream import SESSIONS, UID, reply
from support.signing_property import Properties
from toolbridge_contract.tools import ENTITIES, OPERATIONS, Entity, Operation

PROPERTIES = Properties()

DEADLINE_SECONDS = 5
# Who waits for a session that another call makes may hear its verdict just after the deadline.
GRACE_SECONDS = 0.5
MAX_ATTEMPTS = 2
READS = ("list", "get")

Happens = Callable[[httpx.Request], httpx.Response]


@dataclass(frozen=True)
class Fault:
    """Something that happens to a request.

    `unsent`: the request did not take place, or its session did not count; anybody may send it
    again. `passing`: it may have taken place, and another attempt may help. Else it is final.
    """

    name: str
    happens: Happens
    unsent: bool = False
    passing: bool = False

    def __repr__(self) -> str:
        return self.name


def _fails(make: Callable[[], Exception], cause: Exception | None = None) -> Happens:
    def happens(_: httpx.Request) -> httpx.Response:
        raise make() from cause

    return happens


def _answers(status: int, error: str = "", **headers: str) -> Happens:
    return lambda _: reply(status, {"error": error}, **headers).response()


class _Cut(httpx.AsyncByteStream):
    async def __aiter__(self) -> Any:
        yield b'{"uid":'
        raise httpx.RemoteProtocolError("peer closed connection")


def _truncated(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, headers={"Content-Type": "application/json"}, stream=_Cut())


OK = Fault("ok", well)
FAULTS = (
    OK,
    Fault("refused", _fails(lambda: httpx.ConnectError("refused")), unsent=True),
    Fault("dns", _fails(lambda: httpx.ConnectError("x"), socket.gaierror(-2, "x")), unsent=True),
    Fault("tls", _fails(lambda: httpx.ConnectError("x"), ssl.SSLError("x")), unsent=True),
    Fault("no connection", _fails(lambda: httpx.ConnectTimeout("slow")), unsent=True),
    Fault("428", _answers(428, "Invalid or expired sync session."), unsent=True),
    Fault("403 session", _answers(403, "Session does not belong to user."), unsent=True),
    Fault("409 epoch", _answers(409, "epoch_mismatch"), unsent=True),
    Fault("503", _answers(503, Retry_After="1"), passing=True),
    Fault("502", _answers(502), passing=True),
    Fault("504", _answers(504), passing=True),
    Fault("408", _answers(408), passing=True),
    Fault("reset", _fails(lambda: httpx.ReadError("reset")), passing=True),
    Fault("write failed", _fails(lambda: httpx.WriteError("broken pipe")), passing=True),
    Fault(
        "closed",
        _fails(lambda: httpx.RemoteProtocolError("Server disconnected without a response.")),
        passing=True,
    ),
    Fault("truncated", _truncated, passing=True),
    *(Fault(str(s), _answers(s)) for s in (302, 400, 404, 410, 412, 413, 422, 500, 501)),
    Fault("409 version", _answers(409, "version mismatch")),
    Fault("429", _answers(429, Retry_After="1")),
    Fault("HTML", lambda _: httpx.Response(200, stream=httpx.ByteStream(b"<p>"))),
)
# Denser in those that might be sent again.
faults = st.one_of(
    st.sampled_from([fault for fault in FAULTS if fault.passing or fault.unsent]),
    st.sampled_from(FAULTS),
)
# At once, soon, near the deadline, and long after it.
delays = st.sampled_from([0.0, 0.0, 0.0, 0.0, 0.3, 2.4, 4.9, 60.0])
steps = st.tuples(faults, delays)


@dataclass
class Schedule:
    """A Go API that does what is planned, then what is planned last.

    `seen` holds what happened to requests about objects, and whether it was waited for."""

    planned: Sequence[tuple[Fault, float]]
    session_planned: Sequence[tuple[Fault, float]] = ((OK, 0.0),)
    seen: list[tuple[Fault, bool]] = field(default_factory=list)
    sessions_seen: int = 0
    busy: float = 0.0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == SESSIONS:
            at, self.sessions_seen = self.sessions_seen, self.sessions_seen + 1
            fault, seconds = self.session_planned[min(at, len(self.session_planned) - 1)]
            await self._pass(seconds)
            return fault.happens(request)
        at = len(self.seen)
        fault, seconds = self.planned[min(at, len(self.planned) - 1)]
        self.seen.append((fault, False))
        await self._pass(seconds)
        self.seen[at] = (fault, True)
        return fault.happens(request)

    async def _pass(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            await asyncio.sleep(seconds)
        finally:
            self.busy += loop.time() - started


MakesProxy = Callable[[], AbstractContextManager[Proxy]]


def fresh(break_: Break = WHOLE) -> MakesProxy:
    """Return what makes a new proxy: an earlier example has spent nothing of its budget."""
    settings = make_settings(upstream_timeout_seconds=DEADLINE_SECONDS)
    return lambda: running_proxy(break_, settings, virtual=True)


def _call(proxy: Proxy, entity: Entity, operation: Operation, go_api: Schedule) -> Outcome:
    given = named_arguments(entity, operation)
    given |= {} if operation in ("list", "create") else {"uid": UID}
    return proxy.call(entity.tool(operation), given, go_api=go_api)


operations: st.SearchStrategy[Operation] = st.sampled_from(OPERATIONS)
entities = st.sampled_from(ENTITIES)
a_call = st.tuples(
    entities,
    operations,
    st.lists(steps, min_size=1, max_size=3),
    st.one_of(st.just([(OK, 0.0)]), st.just([(OK, 0.0)]), st.lists(steps, min_size=1, max_size=3)),
)


def _may_follow(fault: Fault, finished: bool, is_read: bool) -> bool:
    """Say whether another attempt may follow: not after what a mutation may have survived."""
    if not finished:
        return is_read
    return fault.unsent or (fault.passing and is_read)


@PROPERTIES.add(41, calls=st.lists(a_call, min_size=1, max_size=3))
def attempts_are_bounded(make: MakesProxy, calls: list[tuple[Entity, Operation, Any, Any]]) -> None:
    """Property 41: two attempts and one deadline; none after what may have been carried out."""
    with make() as proxy:
        for entity, operation, planned, session_planned in calls:
            go_api, started = Schedule(planned, session_planned), proxy.now()
            outcome = _call(proxy, entity, operation, go_api)
            elapsed, is_read = proxy.now() - started, operation in READS

            assert len(go_api.seen) <= MAX_ATTEMPTS
            assert go_api.sessions_seen <= MAX_ATTEMPTS
            assert elapsed <= DEADLINE_SECONDS + GRACE_SECONDS
            assert elapsed - go_api.busy <= DEADLINE_SECONDS
            assert all(_may_follow(*step, is_read) for step in go_api.seen[:-1])
            _is_told_truly(outcome, go_api, is_read)


def _is_told_truly(outcome: Outcome, go_api: Schedule, is_read: bool) -> None:
    """Success is the last attempt's; a mutation that may have run is neither done nor undone."""
    if not go_api.seen:
        assert outcome.code not in (None, "outcome_unknown")
        return
    fault, finished = go_api.seen[-1]
    assert (outcome.code is None) == (finished and fault is OK)
    if not is_read and not (finished and fault is OK):
        lost = not finished or (fault.passing and fault.name != "503") or fault.name == "HTML"
        assert (outcome.code == "outcome_unknown") == lost


# 50: fewer calls say nothing about a ratio. Session renewals are recovery, not amplification.
_OUTAGES = [fault for fault in FAULTS if not (fault.unsent and fault.name[0].isdigit())]
CALLS = 50


@PROPERTIES.add(41, share=0.1, outage=st.sampled_from(_OUTAGES), operation=operations)
def an_outage_is_not_amplified(make: MakesProxy, outage: Fault, operation: Operation) -> None:
    """Property 41: under any lasting fault, 50 calls are at most 1.2 times as many, and 5."""
    sent = 0
    with make() as proxy:
        for _ in range(CALLS):
            go_api = Schedule([(outage, 0.0)])
            _call(proxy, ENTITIES[0], operation, go_api)
            sent += len(go_api.seen)
            assert len(go_api.seen) <= MAX_ATTEMPTS

    assert CALLS <= sent <= 1.2 * CALLS + 5


@PROPERTIES.add(41, share=0.06, entity=entities, operation=operations)
def each_fault_has_its_attempts(make: MakesProxy, entity: Entity, operation: Operation) -> None:
    """Property 41: what may be sent again is, exactly once, and then succeeds; the rest is not."""
    for fault in FAULTS:
        with make() as proxy:
            go_api = Schedule([(fault, 0.0), (OK, 0.0)])
            outcome = _call(proxy, entity, operation, go_api)
        again = _may_follow(fault, finished=True, is_read=operation in READS)

        assert 1 + again == len(go_api.seen), fault
        assert (outcome.code is None) == (again or fault is OK), fault
