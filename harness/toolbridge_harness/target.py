"""The thing under test as a check sees it, and the callers that a check acts as."""

import contextlib
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any, Self

import httpx

from toolbridge_contract.control import Fault, MockControl, RecordedRequest
from toolbridge_harness.deployment import Deployment
from toolbridge_harness.model import Ask, Exchange
from toolbridge_harness.restarts import Attempt, Settings, attempt
from toolbridge_harness.stack import Mock, Stack, running_mock
from toolbridge_harness.tokens import NoTokens
from toolbridge_harness.verdicts import (
    ControlFailed,
    NotApplicable,
    Unreachable,
    Untestable,
    Violation,
)
from toolbridge_harness.wire import (
    Call,
    Reply,
    fault,
    identified,
    initialize,
    parse,
    tool_call,
)

# A correct proxy answers within its own deadline (25 s by default); a check that waits for a
# slow one waits no longer than this.
REQUEST_SECONDS = 10.0
NOTHING_UPSTREAM = "nothing reached the Go API under this caller"
# The report keeps the last exchanges of a check: the ones that led to its verdict.
KEPT_EXCHANGES = 6


@dataclass
class Target:
    """The deployment, as one check uses it: keeps that check's exchanges and randomness."""

    deployment: Deployment
    check: str
    random: random.Random
    exchanges: list[Exchange] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    """This check's share of the pool of users, once it has one."""
    _acted_as: int = 0

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return self.deployment.origin

    @property
    def mcp_url(self) -> str:
        """The MCP endpoint."""
        return self.deployment.origin + self.deployment.mcp_path

    @property
    def mock(self) -> MockControl:
        """The mock Go API behind the proxy; only for checks that need the upstream vantage."""
        if self.deployment.mock is None:
            raise NotApplicable("the harness is not the proxy's upstream")
        return self.deployment.mock

    @property
    def has_upstream(self) -> bool:
        """Whether upstream traffic can be seen."""
        return self.deployment.mock is not None

    def sample(self, full: int, *, live: int) -> int:
        """Return how many samples to take: `full`, or `live` of them of a live deployment."""
        return live if self.deployment.courtesy.live else full

    def may(self, ask: Ask) -> bool:
        """Whether the run may do this to the target: `--allow`, or no live deployment."""
        return ask in self.deployment.courtesy.allowed

    def caller(self, *, unlike: "Caller | None" = None, unseen: bool = False) -> "Caller":
        """Return a new caller: fresh subject where tokens are minted, fresh marker always.

        A live deployment knows the subject and what it owns, unless `unseen` asks for one that
        it never saw. Where tokens were given, callers share the users; `unlike` asks for
        another one's.
        """
        number = self.random.getrandbits(32)
        name = f"verify-{self.deployment.run_id}-{self.check}-{number:08x}"
        name = self._pooled() or name if not unseen else name
        identity = self.deployment.tokens.identity(name, unlike.sub if unlike else "")
        sub, token = identity or (name, None)
        marker = f"mark-{self.deployment.run_id}-{number:08x}"
        self.deployment.callers[sub] = marker
        return Caller(self, sub, self.deployment.tenant, marker, token)

    @property
    def stack(self) -> Stack:
        """What the harness runs itself; only for checks that need the restart vantage."""
        if self.deployment.stack is None:
            raise NotApplicable("the proxy cannot be started again from here")
        return self.deployment.stack

    @contextlib.asynccontextmanager
    async def attempted(
        self, settings: Settings, mock: Mock | None = None
    ) -> AsyncIterator[Attempt]:
        """Start the proxy once more with changed settings, whatever comes of it."""
        async with attempt(self.deployment, self.stack, settings, mock) as started:
            yield started

    @contextlib.asynccontextmanager
    async def another_mock(
        self,
        *,
        jwt_secret: str | None = None,
        tenant_secret: str | None = None,
        tenant_scoped: bool = False,
    ) -> AsyncIterator[Mock]:
        """Start one more mock Go API, with random secrets unless given: its troubles are its own.

        `tenant_scoped` separates rows by tenant, which the real one does not.
        """
        host = self.stack.starter.launch.mock_host
        async with running_mock(host, jwt_secret, tenant_secret, tenant_scoped) as mock:
            for secret in (mock.jwt_secret, mock.tenant_secret):
                self.deployment.redactor.add(secret)
            yield mock

    @contextlib.asynccontextmanager
    async def restarted(self, settings: Settings, mock: Mock | None = None) -> AsyncIterator[Self]:
        """Yield this check's view of the proxy started with changed settings that are valid.

        `mock` is another mock to put behind it. A proxy that does not come up is a Violation.
        """
        async with self.attempted(settings, mock) as attempt:
            if not await attempt.comes_up():
                changed = ", ".join(settings)
                said = self.deployment.redactor.clean(attempt.started.process.last_words)
                raise Violation(f"the proxy to start with other settings ({changed})", said)
            yield replace(self, deployment=attempt.deployment)

    @property
    def pooled(self) -> bool:
        """Whether callers are users of the pool, who may own what another check or run made."""
        return self.deployment.courtesy.users is not None

    def _pooled(self) -> str:
        """Return the next user of this check's share of the pool; "" where there is no pool."""
        pool = self.deployment.courtesy.users
        if pool is None:
            return ""
        self.users = self.users or pool.lease()
        self._acted_as += 1
        if self._acted_as > len(self.users):
            raise RuntimeError(f"a check acts as {len(self.users)} users at most on a live target")
        return self.users[self._acted_as - 1]

    def close(self) -> None:
        """Let other checks act as the users of this one."""
        pool = self.deployment.courtesy.users
        if pool is not None and self.users:
            pool.release(self.users)
            self.users = []

    async def admitted(self, reserve: int = 0) -> None:
        """Wait until the next request may leave. Raises BudgetSpent when it may not.

        `reserve` is how many more it makes necessary at the end of the run.
        """
        self.deployment.courtesy.budget.spend(reserve)
        if self.deployment.pace is not None:
            await self.deployment.pace.acquire()

    async def send(self, call: Call) -> Reply:
        """Send one MCP request to the MCP endpoint."""
        return await self.http("POST", self.mcp_url, call.header_list(), call.body())

    async def http(
        self,
        method: str,
        url: str,
        headers: list[tuple[str, str]] | None = None,
        body: bytes = b"",
        *,
        seconds: float = REQUEST_SECONDS,
    ) -> Reply:
        """Send any HTTP request. No answer in time is a Violation; no connection, Untestable."""
        created = self.deployment.courtesy.created
        headers = identified(headers or [], self.deployment.run_id)
        writes = created.read(headers, body)
        await self.admitted(reserve=sum(write.creates for write in writes))
        started = time.monotonic()
        request = self.deployment.http.build_request(
            method,
            url,
            headers=headers,
            content=body or None,
            timeout=httpx.Timeout(seconds),
        )
        created.sending(writes)
        try:
            response = await self.deployment.http.send(request)
        except httpx.HTTPError as error:
            elapsed = time.monotonic() - started
            self._keep(request, body, f"no answer: {type(error).__name__}", elapsed)
            problem = fault(error, elapsed)
            if isinstance(problem, Unreachable):
                created.unsent(writes)
            raise problem from error
        elapsed = time.monotonic() - started
        reply = parse(response, elapsed)
        created.answered(writes, reply)
        lines = [f"HTTP {reply.status}", *(f"{k}: {v}" for k, v in reply.headers.items())]
        self._keep(request, body, "\n".join([*lines, "", reply.text[:2000]]), elapsed)
        return reply

    def _keep(self, request: httpx.Request, body: bytes, answer: str, seconds: float) -> None:
        lines = [f"{request.method} {request.url.raw_path.decode()}"]
        lines += [f"{k}: {v}" for k, v in request.headers.items()]
        text = "\n".join([*lines, "", body.decode(errors="replace")[:2000]])
        clean = self.deployment.redactor.clean
        self.exchanges.append(Exchange(clean(text), clean(answer), seconds))
        del self.exchanges[:-KEPT_EXCHANGES]


@dataclass
class Caller:
    """One user of the target in one check: nobody else acts under this subject."""

    target: Target
    sub: str
    tenant: str
    marker: str
    token: str | None
    session: str | None = None

    def text(self, what: str = "") -> str:
        """Return random text that carries this caller's marker."""
        return f"{what} {self.marker} {self.target.random.getrandbits(64):016x}".strip()

    def request(self, name: str, arguments: dict[str, Any] | None = None) -> Call:
        """Return this caller's call of a tool, to be sent as it is or with one thing changed."""
        return tool_call(name, arguments, token=self.token, session=self.session)

    async def call(
        self, name: str, arguments: dict[str, Any] | None = None, **changes: Any
    ) -> Reply:
        """Call a tool; `changes` replace fields of the Call."""
        await self._handshake()
        return await self.target.send(replace(self.request(name, arguments), **changes))

    async def send(self, call: Call, **changes: Any) -> Reply:
        """Send any MCP request as this caller, after the handshake where the target wants one."""
        await self._handshake()
        return await self.target.send(replace(call, session=self.session, **changes))

    async def prepared(self, call: Call) -> Call:
        """Return `call` ready for raw sending: in this caller's MCP session, if there is one."""
        await self._handshake()
        return replace(call, session=self.session)

    async def ok(self, name: str, arguments: dict[str, Any] | None = None) -> Any:
        """Make the call that the claim is about and return its data; otherwise a Violation."""
        reply = await self.call(name, arguments)
        if not reply.ok:
            raise Violation(f"{name} to succeed", reply.brief)
        return reply.data

    async def given(self, name: str, arguments: dict[str, Any] | None = None) -> Any:
        """Make a call that only prepares or reads back, and return its data.

        Where it fails, the claim was not looked at: the tool's own check is the one to be red.
        """
        reply = await self.call(name, arguments)
        if not reply.ok:
            raise ControlFailed(f"the precondition {name} did not succeed: {reply.brief}")
        return reply.data

    async def mark(self) -> int:
        """Return the number of this caller's last upstream request: what comes after is new.

        0 where upstream traffic cannot be seen.
        """
        if not self.target.has_upstream:
            return 0
        requests = await self.upstream()
        if not requests:
            raise Untestable(NOTHING_UPSTREAM)
        return requests[-1].seq

    async def control(self) -> Reply:
        """Make the call that must succeed, so that a refusal beside it means something."""
        reply = await self.call("list_notes", {"limit": 1})
        if not reply.ok:
            raise ControlFailed(
                f"the control, a valid call of list_notes, did not succeed: {reply.brief}"
            )
        return reply

    async def control_write(self) -> dict[str, Any]:
        """Make the write that must succeed before writes are made to fail; return the note."""
        note: dict[str, Any] = await self.given(
            "create_note", {"title": self.text("control"), "content": "x"}
        )
        return note

    async def upstream(self, after: int = 0) -> list[RecordedRequest]:
        """Return what reached the Go API for this caller, oldest first."""
        return await self.target.mock.requests(self.sub, after)

    async def entity_requests(self, after: int = 0) -> list[RecordedRequest]:
        """Return what reached the entity routes of the Go API for this caller."""
        return [r for r in await self.upstream(after) if "/v1/sync/" not in r.target]

    async def inject(self, *, times: int | None = 1, **fields: Any) -> None:
        """Make the Go API misbehave towards this caller alone; fields are those of Fault."""
        await self.target.mock.inject(Fault(caller=self.sub, times=times, **fields))

    async def _handshake(self) -> None:
        if not self.target.deployment.stateful or self.session is not None:
            return
        hello = replace(initialize(), token=self.token)
        reply = await self.target.send(hello)
        self.session = reply.headers.get("mcp-session-id")
        await self.target.send(
            Call("notifications/initialized", token=self.token, session=self.session)
        )


def nobody(target: Target) -> Caller:
    """Return a caller without a token."""
    name = f"verify-{target.deployment.run_id}-nobody"
    return Caller(target, name, target.deployment.tenant, "", None)


__all__ = ["Caller", "Deployment", "NoTokens", "Target", "nobody"]
