"""The Go API as one pure, synchronous object: a request in, an answer out."""

import itertools
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from toolbridge_contract.mock import connection, epoch
from toolbridge_contract.mock.clock import Clock
from toolbridge_contract.mock.delta import Delta
from toolbridge_contract.mock.entities import Entities, EntityCall
from toolbridge_contract.mock.jwt_gate import JwtGate
from toolbridge_contract.mock.messages import (
    CLOSE,
    Call,
    Panicked,
    Refused,
    Request,
    Response,
    connection_error,
    empty_answer,
    text_answer,
)
from toolbridge_contract.mock.rate import RateLimit
from toolbridge_contract.mock.routes import KNOWN_METHODS, Gate, Route, find
from toolbridge_contract.mock.service import Service
from toolbridge_contract.mock.sessions import Sessions
from toolbridge_contract.mock.store import Store
from toolbridge_contract.mock.tenant_gate import judge
from toolbridge_contract.mock.users import User, Users


class GoApi:
    """Answers as the real API does; see `respond`.

    `clock` returns unix ns. `tenant_scoped` keeps rows apart by tenant id, which the real API
    does not do; `rate_limit=False` never answers 429. Everything else is faithful.
    """

    def __init__(
        self,
        *,
        tenant_secret: str,
        jwt_secret: str,
        clock: Callable[[], int] = time.time_ns,
        clock_offset: float = 0.0,
        tenant_scoped: bool = False,
        rate_limit: bool = True,
    ) -> None:
        self.clock = Clock(clock, clock_offset)
        self.users = Users()
        self.sessions = Sessions(self.clock)
        self.tenant_secret = tenant_secret
        self._jwt = JwtGate(jwt_secret)
        self._rates = {
            gate: RateLimit(self.clock, enforced=rate_limit) for gate in (Gate.ENTITY, Gate.DELTA)
        }
        self._store = Store(tenant_scoped=tenant_scoped)
        self._service = Service(self.clock, self.sessions, self._store)
        self._handlers = {Gate.ENTITY: Entities(self.clock), Gate.DELTA: Delta(self.clock)}

    def trust_keys(self, keys: Sequence[Any]) -> None:
        """Accept RS256 tokens by these JSON Web Keys too, as with an issuer's set configured."""
        self._jwt.trust(keys)

    def wipe(self, subject: str) -> int:
        """Wipe a caller's data as another of their devices would; return the new epoch."""
        user = self.users.get(subject)
        self._service.wipe_user(user)
        return user.epoch

    def respond(self, request: Request) -> Response:
        """Answer one request, in the API's order of checks."""
        refused = connection.refuse(request)
        if refused is not None:
            return refused
        routed = find(request)
        if routed.path is None:
            return connection_error(400, "400 Bad Request")
        call = _call(request, routed.query)
        try:
            answer = self._route(call, routed.route)
        except Refused as refusal:
            answer = refusal.response
        except Panicked:
            answer = empty_answer(500)
        correlation_id = call.correlation_id.encode("utf-8", "surrogateescape")
        answer.headers += [*call.extra, (b"X-Correlation-Id", correlation_id)]
        if connection.closes(call):
            answer.headers.append(CLOSE)
        return answer

    def _route(self, call: Call, route: Route | None) -> Response:
        method = call.request.method
        if method not in KNOWN_METHODS:
            return empty_answer(405)
        if route is None:
            return text_answer(404, "404 page not found")
        operation = route.operations.get(method)
        if operation is None:
            return empty_answer(405, [(b"Allow", name.encode()) for name in route.operations])
        if route.gate is Gate.OPEN:
            return self._service.health() if operation == "health" else self._service.info()
        user = self._identify(call)
        if route.gate is Gate.SIGNED:
            return self._session_route(user, operation, route.parameter)
        self.sessions.admit(call, user)
        if route.gate is Gate.SESSION:
            if operation == "state":
                return self._service.state(user)
            return self._service.wipe(call, user, _tenant(call))
        return self._entity(call, user, route, operation)

    def _identify(self, call: Call) -> User:
        """Pass the JWT gate, know the user, pass the tenant gate: in this order."""
        now_ns = self.clock.now_ns()
        user = self.users.get(self._jwt.subject(call.headers.get(b"authorization"), now_ns))
        rejection = judge(call.request, self.tenant_secret, now_ns)
        if rejection is not None:
            raise Refused(text_answer(401, "Unauthorized: invalid tenant headers"))
        return user

    def _session_route(self, user: User, operation: str, session_id: str) -> Response:
        if operation == "begin_session":
            return self._service.begin_session(user)
        if operation == "get_session":
            return self._service.get_session(user, session_id)
        return self._service.end_session(user, session_id)

    def _entity(self, call: Call, user: User, route: Route, operation: str) -> Response:
        self._rates[route.gate].admit(call, user)
        epoch.admit(call, user)
        if route.entity is None:
            raise LookupError(f"route without entity: {call.request.target}")
        tables = self._store.tables(user, _tenant(call))
        ask = EntityCall(call, route.entity, tables, route.parameter)
        handler: Callable[[EntityCall], Response] = getattr(self._handlers[route.gate], operation)
        return handler(ask)


def _tenant(call: Call) -> str:
    return call.headers[b"x-tb-tenant-id"]


def _call(request: Request, query: str) -> Call:
    sent = request.values.get(b"x-correlation-id", "").strip()
    return Call(
        request, request.values, query, sent or _correlation_id(), correlation_sent=bool(sent)
    )


# Random once and counted on: a random one each time costs a system call.
_FIRST = str(uuid.uuid4())[:24]
_COUNT = itertools.count()


def _correlation_id() -> str:
    return f"{_FIRST}{next(_COUNT):012x}"
