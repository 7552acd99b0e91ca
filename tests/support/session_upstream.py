"""The Go API as the way to it: a transport that carries out, spoils and records each request."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import httpx

from support.proxy_app import JWT_SECRET, TENANT, TENANT_SECRET
from support.session_faults import BY_NAME, ELSEWHERE, OK, Fault
from support.virtual_time import VirtualTime
from toolbridge_contract.mock.api import GoApi
from toolbridge_contract.mock.messages import Request, Response
from toolbridge_contract.respx_mount import as_received
from toolbridge_contract.signing import tenant_headers

SESSIONS = "/v1/sync/sessions"
# A call that sends more is stuck in a loop: it gets no further answer.
RUNAWAY = 12
REFUSAL_SECONDS = 0.003
DRIP_SECONDS = 1.0

Principal = tuple[str, str | None]
Note = Callable[[str, str], None]


@dataclass(frozen=True)
class Operation:
    """One kind of tool call: the request that it becomes, and the tool."""

    name: str
    method: str
    suffix: str = ""
    about_one: bool = True
    body: bytes | None = None

    @property
    def write(self) -> bool:
        return self.method != "GET"

    def __repr__(self) -> str:
        return self.name


@dataclass(eq=False)
class Exchange:
    """One request on its way; `saw` is what the proxy could see of it, `cut` that it left."""

    fault: Fault
    is_session: bool
    sent: float
    presented: str | None
    saw: Fault = OK
    answered: float | None = None
    committed: bool = False
    cut: bool = False

    def __repr__(self) -> str:
        kind = "session" if self.is_session else "entity"
        return f"{kind}:{self.saw}{'/cut' if self.cut else ''}@{self.sent:.3f}"


@dataclass(eq=False)
class Tracked:
    """One tool call: what is planned for it, and what came of it."""

    id: str
    principal: Principal
    token: str
    operation: Operation
    uid: str
    faults: deque[Fault]
    session_faults: deque[Fault]
    latencies: Iterator[float]
    planned: bool
    exchanges: list[Exchange] = field(default_factory=list)
    started: float = 0.0
    ended: float = 0.0
    code: str = "unfinished"
    retry_after: int | None = None

    @property
    def attempts(self) -> list[Exchange]:
        return [e for e in self.exchanges if not e.is_session]

    @property
    def creates(self) -> list[Exchange]:
        return [e for e in self.exchanges if e.is_session]

    @property
    def commits(self) -> int:
        return sum(e.committed for e in self.exchanges)

    def __repr__(self) -> str:
        return f"{self.operation} by {self.principal}: {self.code} after {self.exchanges}"


@dataclass(frozen=True)
class Issued:
    """A session as its create response told it; `expires` is unix seconds."""

    owner: Principal
    epoch: str
    expires: float


class Upstream(httpx.AsyncBaseTransport):
    """The transport. `note` is told (letter, what happened) of what no request may look like."""

    def __init__(self, time: VirtualTime, note: Note) -> None:
        self._time, self._note = time, note
        self.api = GoApi(
            tenant_secret=TENANT_SECRET,
            jwt_secret=JWT_SECRET,
            clock=time.time_ns,
            rate_limit=False,
        )
        self.calls: dict[str, Tracked] = {}
        self.issued: dict[str, Issued] = {}
        # The session of a version conflict, which is no reason to make another.
        self.kept: dict[Principal, str] = {}
        self._rejected: set[str | None] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        call = self.calls.get(request.headers.get("X-Correlation-ID", ""))
        if call is None or str(request.url).startswith(ELSEWHERE):
            self._note("contract", f"a request to {request.url.host} for no call")
            raise httpx.ConnectError("nobody there")
        exchange = self._arrive(request, call)
        if len(call.exchanges) > RUNAWAY:
            await asyncio.Event().wait()
        try:
            return await self._carry_out(request, call, exchange)
        except asyncio.CancelledError:
            exchange.cut = True
            raise
        finally:
            exchange.answered = self._time.monotonic()

    def _arrive(self, request: httpx.Request, call: Tracked) -> Exchange:
        is_session = request.url.path == SESSIONS
        plan = call.session_faults if is_session else call.faults
        fault = plan.popleft() if plan else OK
        presented = request.headers.get("X-Sync-Session")
        exchange = Exchange(fault, is_session, self._time.monotonic(), presented, saw=fault)
        call.exchanges.append(exchange)
        if request.headers.get("Authorization") != f"Bearer {call.token}":
            self._note("i", f"the token is not that of {call}")
        if is_session:
            self._check_need(call)
        else:
            self._check_session(request, call)
        return exchange

    def _check_need(self, call: Tracked) -> None:
        kept = self.kept.get(call.principal)
        if kept is None or kept in self._rejected:
            return
        if self.api.sessions.find(kept) and self._left(kept) > 60:
            self._note("g", f"a new session after a version conflict: {call}")

    def _left(self, session: str) -> float:
        return self.issued[session].expires - self._time.time()

    def _check_session(self, request: httpx.Request, call: Tracked) -> None:
        issued = self.issued.get(request.headers.get("X-Sync-Session", ""))
        if issued is None:
            self._note("a", f"a session that was never made: {call}")
            return
        if issued.owner != call.principal:
            self._note("a", f"the session of {issued.owner} presented: {call}")
        epoch = request.headers.get("X-Sync-Epoch")
        if epoch != issued.epoch:
            self._note("h", f"epoch {epoch}, the session was made with {issued.epoch}: {call}")

    async def _carry_out(
        self, request: httpx.Request, call: Tracked, exchange: Exchange
    ) -> httpx.Response:
        fault = exchange.fault
        if fault.end == "refuse":
            await asyncio.sleep(REFUSAL_SECONDS)
            raise httpx.ConnectError("connection refused")
        await asyncio.sleep(next(call.latencies))
        if exchange.presented in self.issued and self._left(exchange.presented) <= 0:
            self._note("b", f"an expired session is presented: {call}")
        answer = self._answer(request, call, exchange)
        if fault.end == "silence":
            await asyncio.Event().wait()
        await asyncio.sleep(next(call.latencies))
        if fault.end == "reset":
            raise httpx.ReadError("connection reset")
        return httpx.Response(
            answer.status, headers=answer.headers, stream=STREAMS[fault.end](answer.body)
        )

    def _answer(self, request: httpx.Request, call: Tracked, exchange: Exchange) -> Response:
        fault = exchange.fault
        headers = [(n.encode(), v.encode()) for n, v in fault.headers]
        canned = Response(fault.status, headers, fault.body)
        if not fault.commits and not fault.gate:
            if fault.name == "409v" and exchange.presented:
                self.kept[call.principal] = exchange.presented
            return canned
        answer = self._respond(self._provoked(request, call, fault), call, exchange)
        if exchange.presented and answer.status in (428, 403, 409):
            self._rejected.add(exchange.presented)
        if fault is OK and answer.status >= 400:
            exchange.saw = BY_NAME["409e" if answer.status == 409 else str(answer.status)]
        return canned if fault.status else answer

    def _provoked(self, request: httpx.Request, call: Tracked, fault: Fault) -> Request:
        """Bring about the state that the gate refuses."""
        received, user = as_received(request), self.api.users.get(call.principal[0])
        # Signatures are other properties' business, and the signer's clock is the real one.
        own = tenant_headers(TENANT, TENANT_SECRET, self.api.clock.now_ms())
        pairs = [(n.encode(), v.encode()) for n, v in own.items()]
        pairs += [(n, v) for n, v in received.headers if not n.lower().startswith(b"x-tb-")]
        if fault.name == "428":
            session = self.api.sessions.find(request.headers.get("X-Sync-Session", ""))
            if session is not None:
                self.api.sessions.end(session)
        elif fault.name == "403":
            stranger = self.api.sessions.begin(self.api.users.get("a stranger"))
            pairs.insert(0, (b"X-Sync-Session", stranger.id.encode()))
        elif fault.name == "409e":
            user.epoch += 1
        return Request(received.method, received.target, pairs, received.body)

    def _respond(self, received: Request, call: Tracked, exchange: Exchange) -> Response:
        answer = self.api.respond(received)
        if answer.status < 300 and exchange.is_session:
            made = json.loads(answer.body)
            expires = datetime.fromisoformat(made["expiresAt"]).timestamp()
            self.issued[made["id"]] = Issued(call.principal, str(made["epoch"]), expires)
        exchange.committed = answer.status < 300 and received.method != "GET"
        exchange.committed &= not exchange.is_session
        return answer

    def place(self, subject: str, token: str, uid: str) -> None:
        """Put a note of the user there, as another of their devices would."""

        def ask(method: str, target: str, body: bytes, **headers: str) -> Response:
            sent = tenant_headers(TENANT, TENANT_SECRET, self.api.clock.now_ms()) | headers
            sent |= {"Host": "go-api.internal:8081", "Authorization": f"Bearer {token}"}
            pairs = [(n.replace("_", "-").encode(), v.encode()) for n, v in sent.items()]
            return self.api.respond(Request(method, target, pairs, body))

        session = json.loads(ask("POST", SESSIONS, b"").body)
        body = json.dumps({"uid": uid, "title": "t"}).encode()
        epoch = str(session["epoch"])
        placed = ask("POST", "/v1/notes", body, X_Sync_Session=session["id"], X_Sync_Epoch=epoch)
        assert placed.status == 201, placed


class _Truncated(httpx.AsyncByteStream):
    """Half of the body, and then the end of the connection."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body[: len(self._body) // 2]
        raise httpx.RemoteProtocolError("peer closed connection without sending complete body")


class _Drip(httpx.AsyncByteStream):
    """A byte a second, for ever: no pause that a time-out per read would notice."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(DRIP_SECONDS)
            yield b" "


STREAMS: dict[str, Callable[[bytes], httpx.AsyncByteStream]] = {
    "answer": httpx.ByteStream,
    "truncate": _Truncated,
    "drip": _Drip,
}
