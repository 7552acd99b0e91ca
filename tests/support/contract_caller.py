"""A correct client of the mock API, in process: signed requests of one caller, a clock to turn."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

from toolbridge_contract.mock.api import GoApi
from toolbridge_contract.mock.messages import Request, Response
from toolbridge_contract.signing import tenant_headers
from toolbridge_contract.tokens import mint
from toolbridge_contract.tools import Entity

TENANT_SECRET = "tenant-secret-of-the-contract-tests"
JWT_SECRET = "jwt-secret-of-the-contract-tests-32"
TENANT = "tenant-a"
# 2026-01-01T00:00:00Z, with a fraction that shows every digit.
START_NS = 1_767_225_600_123_456_789
SECOND_NS = 1_000_000_000


class TurnedClock:
    """A clock that moves only when told, and one ms per reading when asked to tick."""

    def __init__(self) -> None:
        self.ns = START_NS

    def __call__(self) -> int:
        return self.ns

    def turn(self, seconds: float) -> None:
        self.ns += round(seconds * SECOND_NS)


def make_api(clock: TurnedClock | None = None, **options: Any) -> GoApi:
    return GoApi(
        tenant_secret=TENANT_SECRET, jwt_secret=JWT_SECRET, clock=clock or TurnedClock(), **options
    )


class Caller:
    """One caller with a token; `send` signs, adds the session once there is one, and asks."""

    def __init__(self, api: GoApi, subject: str | None = None, tenant: str = TENANT) -> None:
        self.api = api
        self.subject = subject or f"sub-{uuid.uuid4()}"
        self.tenant = tenant
        self.session: str | None = None
        self.epoch: int | None = None

    def headers(self) -> dict[str, str]:
        now_ms = self.api.clock.now_ms()
        token = mint(self.subject, self.tenant, JWT_SECRET, now=now_ms / 1000)
        headers = {"Host": "api.test", "Authorization": f"Bearer {token}"}
        headers |= tenant_headers(self.tenant, TENANT_SECRET, now_ms)
        if self.session is not None:
            headers["X-Sync-Session"] = self.session
        if self.epoch is not None:
            headers["X-Sync-Epoch"] = str(self.epoch)
        return headers

    def send(
        self,
        method: str,
        target: str,
        body: object = b"",
        change: Mapping[str, str | None] | None = None,
        extra: list[tuple[str, str]] | None = None,
    ) -> Response:
        """Ask with the correct headers, `change` put over them (None: left out), `extra` after."""
        headers = {k: v for k, v in ({**self.headers(), **(change or {})}).items() if v is not None}
        pairs = [*headers.items(), *(extra or [])]
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.api.respond(
            Request(method, target, [(n.encode(), v.encode()) for n, v in pairs], raw)
        )

    def begin(self) -> "Caller":
        answer = json.loads(self.send("POST", "/v1/sync/sessions").body)
        self.session, self.epoch = answer["id"], answer["epoch"]
        return self

    def create(self, entity: Entity, **fields: object) -> dict[str, Any]:
        answer = self.send("POST", entity.collection, self.payload(entity) | fields)
        assert answer.status == 201, answer
        return read(answer)

    def payload(self, entity: Entity) -> dict[str, object]:
        """Return a payload that the entity accepts, its parent made where it needs one."""
        if entity.plural == "comments":
            parent = read(self.send("POST", "/v1/notes", {"title": "parent"}))
            return {"content": "c", "parentType": "note", "parentUid": parent["uid"]}
        if entity.plural == "chat_messages":
            parent = read(self.send("POST", "/v1/chats", {"title": "parent"}))
            return {"content": "m", "chatUid": parent["uid"]}
        return {"title": "t"}


def read(answer: Response) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(answer.body)
    return value


def caller_with_session(**options: Any) -> Caller:
    return Caller(make_api(**options)).begin()
