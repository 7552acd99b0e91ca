"""The routes that are not about an entity: health, info, sessions, state and wipe."""

from toolbridge_contract.mock import gojson
from toolbridge_contract.mock.clock import Clock
from toolbridge_contract.mock.golang import rfc3339
from toolbridge_contract.mock.messages import (
    TEXT_TYPE,
    Call,
    Refused,
    Response,
    empty_answer,
    error_answer,
    json_answer,
    text_answer,
)
from toolbridge_contract.mock.sessions import Session, Sessions
from toolbridge_contract.mock.store import Store
from toolbridge_contract.mock.users import User
from toolbridge_contract.tools import ENTITIES

_CONFIRM = 'confirmation required: must send {"confirm":"WIPE"}'
_NS_PER_US = 1000


def _info_entities() -> str:
    limits = '{"maxLimit":1000,"push":true,"pull":true}'
    names = sorted(entity.plural for entity in ENTITIES)
    return ",".join(f'"{name}":{limits}' for name in names)


_INFO_BEFORE = '{"apiVersion":"1.1","serverTime":"'
_INFO_AFTER = (
    f'","entities":{{{_info_entities()}}},"locking":{{"supported":true,"mode":"session"}},'
    '"minClientVersion":"0.1.0",'
    '"rateLimit":{"windowSeconds":60,"maxRequests":600,"burst":120},'
    '"hints":{"recommendedBatch":500,"backoffMsOn429":1500}}'
)


class Service:
    """Handlers of the service routes."""

    def __init__(self, clock: Clock, sessions: Sessions, store: Store) -> None:
        self._clock = clock
        self._sessions = sessions
        self._store = store

    def health(self) -> Response:
        """GET /healthz: `ok` without a newline."""
        return Response(200, [TEXT_TYPE], b"ok")

    def info(self) -> Response:
        """GET /v1/sync/info, whose serverTime shows the API's clock to anyone."""
        return json_answer(200, f"{_INFO_BEFORE}{rfc3339(self._clock.now_ns())}{_INFO_AFTER}")

    def begin_session(self, user: User) -> Response:
        """POST /v1/sync/sessions; a body is not read."""
        answer = json_answer(201, self._sessions.begin(user).to_json())
        answer.headers.append((b"X-Sync-Epoch", b"%d" % user.epoch))
        return answer

    def get_session(self, user: User, session_id: str) -> Response:
        """GET /v1/sync/sessions/{id}."""
        return json_answer(200, self._own(user, session_id).to_json())

    def end_session(self, user: User, session_id: str) -> Response:
        """DELETE /v1/sync/sessions/{id}."""
        self._sessions.end(self._own(user, session_id))
        return empty_answer(204)

    def _own(self, user: User, session_id: str) -> Session:
        session = self._sessions.find(session_id)
        if session is None:
            raise Refused(text_answer(404, "session not found or expired"))
        if session.user is not user:
            raise Refused(text_answer(403, "forbidden"))
        return session

    def state(self, user: User) -> Response:
        """GET /v1/sync/state."""
        wiped = ""
        if user.wiped_ns is not None:
            at = rfc3339(user.wiped_ns // _NS_PER_US * _NS_PER_US)
            wiped = f',"lastWipeAt":"{at}","lastWipeBy":"{user.id}"'
        return json_answer(200, f'{{"epoch":{user.epoch}{wiped}}}')

    def wipe(self, call: Call, user: User, tenant: str) -> Response:
        """POST /v1/sync/wipe."""
        try:
            body = gojson.decode_struct(call.read_body(), {"confirm": str})
        except gojson.InvalidJson as error:
            raise Refused(error_answer(400, "invalid request body", call)) from error
        if body.get("confirm") != "WIPE":
            raise Refused(error_answer(400, _CONFIRM, call))
        deleted = gojson.encode(self.wipe_user(user, tenant))
        return json_answer(200, f'{{"epoch":{user.epoch},"deleted":{deleted}}}')

    def wipe_user(self, user: User, tenant: str | None = None) -> dict[str, int]:
        """Drop the rows, end every session of the user and raise the epoch; return the counts."""
        deleted = self._store.wipe(user, tenant)
        self._sessions.drop(user)
        user.epoch += 1
        user.wiped_ns = self._clock.now_ns()
        return deleted
