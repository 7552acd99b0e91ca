"""Sync sessions: fixed lifetime, several per user, gone after a wipe or a restart."""

import uuid
from dataclasses import dataclass

from toolbridge_contract.mock.clock import Clock
from toolbridge_contract.mock.golang import rfc3339
from toolbridge_contract.mock.messages import Call, Refused, error_answer
from toolbridge_contract.mock.users import User

# Used at 18 min, gone when tried at 31 min 2 s: use does not extend it.
LIFETIME_SECONDS = 30 * 60.0

_REQUIRED = "X-Sync-Session header required. Please call POST /v1/sync/sessions to begin a session."
_INVALID = (
    "Invalid or expired sync session. Please call POST /v1/sync/sessions to begin a new session."
)
_FOREIGN = "Session does not belong to authenticated user."


@dataclass(slots=True)
class Session:
    """One sync session; times are unix ns."""

    id: str
    user: User
    created_ns: int
    expires_ns: int

    def to_json(self) -> str:
        """Return the session as the API prints it."""
        return (
            f'{{"id":"{self.id}","userId":"{self.user.id}","createdAt":"{rfc3339(self.created_ns)}",'
            f'"expiresAt":"{rfc3339(self.expires_ns)}","epoch":{self.user.epoch}}}'
        )


class Sessions:
    """The sessions in memory, and the gate that asks for one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lifetime = LIFETIME_SECONDS
        self._by_id: dict[str, Session] = {}
        self._by_user: dict[User, dict[str, Session]] = {}

    def set_lifetime(self, seconds: float | None) -> None:
        """Let sessions made from now on live this long; None is the real 30 minutes."""
        self._lifetime = LIFETIME_SECONDS if seconds is None else seconds

    def begin(self, user: User) -> Session:
        """Make a session; the user's expired ones are forgotten."""
        for session in list(self._by_user.get(user, {}).values()):
            if session.expires_ns <= self._clock.now_ns():
                self.end(session)
        created = self._clock.now_ns()
        expires = self._clock.now_ns() + int(self._lifetime * 1e9)
        session = Session(str(uuid.uuid4()), user, created, expires)
        self._by_id[session.id] = session
        self._by_user.setdefault(user, {})[session.id] = session
        return session

    def find(self, session_id: str) -> Session | None:
        """Return a live session by its exact id."""
        session = self._by_id.get(session_id)
        if session is None or session.expires_ns <= self._clock.now_ns():
            return None
        return session

    def end(self, session: Session) -> None:
        """Forget one session."""
        self._by_id.pop(session.id, None)
        mine = self._by_user.get(session.user, {})
        mine.pop(session.id, None)
        if not mine:
            self._by_user.pop(session.user, None)

    def drop(self, user: User | None) -> int:
        """Forget every session of a user (None: of everybody); return how many."""
        if user is None:
            count = len(self._by_id)
            self._by_id.clear()
            self._by_user.clear()
            return count
        mine = self._by_user.pop(user, {})
        for session_id in mine:
            del self._by_id[session_id]
        return len(mine)

    def admit(self, call: Call, user: User) -> None:
        """Let a call with a live session of `user` pass; raises Refused with 428 or 403."""
        session_id = call.headers.get(b"x-sync-session")
        if not session_id:
            raise Refused(error_answer(428, _REQUIRED, call))
        session = self.find(session_id)
        if session is None:
            raise Refused(error_answer(428, _INVALID, call))
        if session.user is not user:
            raise Refused(error_answer(403, _FOREIGN, call))
