"""What SM-1 and SM-2 hold a proxy to: calls over a virtual Go API, and the invariants judged."""

import asyncio
import itertools
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import httpx

from support.proxy_app import JWT_SECRET, TENANT
from support.session_faults import CONFLICT, OK, Fault
from support.session_upstream import Exchange, Operation, Principal, Tracked, Upstream
from support.virtual_time import START_NS, VirtualTime
from toolbridge_contract.tokens import mint

# (a) to (i) are the check catalogue's letters for SM-1; "contract" is DESIGN's error contract.
LETTERS = frozenset("abcdefghi")
ALL = LETTERS | {"contract", "deadline", "amplification"}
TEN_YEARS = 10 * 365 * 86400.0
# The deadline counts from where the tool call begins, a hair inside what is measured here; who
# waits for a session that another call is making hears of the deadline 0.1 s late.
SLACK_SECONDS = 0.11
# A pause before a retry may be as long, so within it of the deadline there is none.
PAUSE_SECONDS = 0.25
# Four requests at this pace, both ways, are made within the deadline.
QUICK_SECONDS = 2.0

_TITLE = b'{"title":"t"}'
LIST = Operation("list", "GET", about_one=False)
GET = Operation("get", "GET")
CREATE = Operation("create", "POST", about_one=False)
DELETE = Operation("delete", "DELETE")
OPERATIONS = (
    LIST,
    GET,
    CREATE,
    DELETE,
    Operation("update", "PUT", body=_TITLE),
    Operation("patch", "PATCH", body=_TITLE),
    Operation("archive", "POST", "/archive"),
)
Outcome = tuple[str, int | None]


class Port(Protocol):
    """A proxy as the machines use it: one tool call in, its code ("ok") and retry_after out."""

    timeout_seconds: float

    async def __call__(self, call: Tracked) -> Outcome: ...

    async def close(self) -> None: ...


Subject = Callable[[httpx.AsyncBaseTransport], Port]


class Violation(AssertionError):
    """An invariant that does not hold, by its letter."""


@dataclass(frozen=True)
class Plan:
    """What happens on the way of one call; latencies are used in turn, two per request."""

    operation: Operation = LIST
    faults: tuple[Fault, ...] = ()
    session_faults: tuple[Fault, ...] = ()
    latencies: tuple[float, ...] = (0.013,)
    after: float = 0.0
    cancelled_after: float | None = None

    @property
    def faulty(self) -> bool:
        spoilt = any(fault is not OK for fault in (*self.faults, *self.session_faults))
        return spoilt or max(self.latencies) > QUICK_SECONDS


class World:
    """A proxy, its Go API, and callers. `enforced` letters are raised, all are collected."""

    def __init__(self, subject: Subject, enforced: frozenset[str] = ALL) -> None:
        self.time = VirtualTime()
        self.upstream = Upstream(self.time, self.note)
        self.port = subject(self.upstream)
        self.violations: list[tuple[str, str]] = []
        self._enforced = enforced
        self._tokens: dict[Principal, str] = {}

    def note(self, letter: str, what: str) -> None:
        """Keep a violation; the machine raises it when the proxy can't swallow it."""
        self.violations.append((letter, what))

    def raise_enforced(self) -> None:
        """Fail with the first violation of an enforced letter."""
        for letter, what in self.violations:
            if letter in self._enforced:
                raise Violation(f"({letter}) {what}")

    def close(self) -> None:
        self.time.run(self.port.close())
        self.time.close()

    def rotate(self, principal: Principal) -> None:
        """Give the caller another token."""
        subject, issuer = principal
        claims = {} if issuer is None else {"iss": issuer}
        self._tokens[principal] = mint(
            subject, TENANT, JWT_SECRET, lifetime=TEN_YEARS, now=START_NS / 1e9, **claims
        )

    def run(self, plans: Sequence[tuple[Principal, Plan]]) -> list[Tracked]:
        """Make the calls at the same time, judge each, and return them."""
        calls = [self._tracked(principal, plan) for principal, plan in plans]
        self.time.run(self._together([plan for _, plan in plans], calls))
        for (_, plan), call in zip(plans, calls, strict=True):
            faulty = {c.principal[0] for c in calls if c.planned}
            self._judge(call, alone=len(calls) == 1, excused=call.principal[0] in faulty)
            if plan.cancelled_after is None and len(calls) == 1:
                self._judge_code(call)
        self.raise_enforced()
        return calls

    def _tracked(self, principal: Principal, plan: Plan) -> Tracked:
        if principal not in self._tokens:
            self.rotate(principal)
        call = Tracked(
            uuid.uuid4().hex,
            principal,
            self._tokens[principal],
            plan.operation,
            str(uuid.uuid4()),
            deque(plan.faults),
            deque(plan.session_faults),
            itertools.cycle(plan.latencies),
            plan.faulty,
        )
        self.upstream.calls[call.id] = call
        if plan.operation.about_one:
            self.upstream.place(principal[0], call.token, call.uid)
        return call

    async def _together(self, plans: Sequence[Plan], calls: Sequence[Tracked]) -> None:
        tasks = [
            asyncio.create_task(self._one(plan, call))
            for plan, call in zip(plans, calls, strict=True)
        ]
        loop = asyncio.get_running_loop()
        for plan, task in zip(plans, tasks, strict=True):
            if plan.cancelled_after is not None:
                loop.call_later(plan.after + plan.cancelled_after, task.cancel)
        await asyncio.wait(tasks)
        for plan, call, task in zip(plans, calls, tasks, strict=True):
            if task.cancelled():
                call.code = "cancelled" if plan.cancelled_after is not None else "killed"
            elif task.exception() is not None:
                call.code = f"crashed: {task.exception()!r}"

    async def _one(self, plan: Plan, call: Tracked) -> None:
        await asyncio.sleep(plan.after)
        call.started = call.ended = self.time.monotonic()
        try:
            async with asyncio.timeout(4 * self.port.timeout_seconds):
                call.code, call.retry_after = await self.port(call)
        except TimeoutError:
            call.code = "hung"
        finally:
            call.ended = self.time.monotonic()

    def _judge(self, call: Tracked, *, alone: bool, excused: bool) -> None:
        attempts, creates = len(call.attempts), len(call.creates)
        if attempts > 2 or creates > 2:
            self.note("c", f"{attempts} attempts and {creates} sessions: {call}")
        if not excused and call.code not in ("ok", "cancelled"):
            self.note("d", f"nothing was planned to fail: {call}")
        if call.ended - call.started > self.port.timeout_seconds + (
            0.001 if alone else SLACK_SECONDS
        ):
            self.note("deadline", f"{call.ended - call.started:.3f} s: {call}")
        if call.operation.write:
            self._judge_write(call)
        for exchange in call.attempts[:-1]:
            if exchange.saw is CONFLICT:
                self.note("g", f"sent again after a version conflict: {call}")
        self._judge_waiting(call)

    def _judge_write(self, call: Tracked) -> None:
        if call.commits > 1:
            self.note("f", f"carried out {call.commits} times: {call}")
        if call.code == "ok" and call.commits != 1:
            self.note("f", f"ok, and carried out {call.commits} times: {call}")
        if call.commits and call.code not in ("ok", "outcome_unknown", "cancelled"):
            self.note("f", f"carried out, and a definite error: {call}")
        for exchange in call.attempts[:-1]:
            if exchange.saw.open or exchange.cut:
                self.note("f", f"sent again when it may have been carried out: {call}")

    def _judge_waiting(self, call: Tracked) -> None:
        """After Retry-After, not before (RFC 6585 section 4), or not at all."""
        for one, following in itertools.pairwise(call.exchanges):
            if one.saw.status == 429 and one.answered is not None:
                waited = following.sent - one.answered + 1e-6  # of rounding
                if one.is_session == following.is_session and waited < (one.saw.retry_after or 0):
                    self.note("contract", f"Retry-After not waited for: {call}")

    def _judge_code(self, call: Tracked) -> None:
        last = call.exchanges[-1] if call.exchanges else None
        allowed = {"upstream_timeout"} if last is None else self._codes(call, last)
        if call.code not in allowed:
            self.note("contract", f"{call.code} is not {sorted(allowed)}: {call}")
        if call.code == "rate_limited" and last and call.retry_after != last.saw.retry_after:
            self.note("contract", f"retry_after is {call.retry_after}: {call}")
        if last and last.saw is CONFLICT and not last.cut and call.code != "conflict":
            self.note("g", f"the conflict is not told: {call}")

    def _codes(self, call: Tracked, last: Exchange) -> set[str]:
        """Return the codes that tell the truth about what happened last."""
        write = call.operation.write and not last.is_session
        if last.cut:
            return {"outcome_unknown" if write else "upstream_timeout"}
        codes = {last.saw.write if write else last.saw.read}
        if last.is_session:
            # That a session was made is no end: what followed was never sent.
            codes -= {"ok"}
        late = call.started + self.port.timeout_seconds - PAUSE_SECONDS
        if call.ended >= late and not (write and last.saw.open):
            codes.add("upstream_timeout")
        return codes
