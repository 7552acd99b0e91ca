"""What a token property examines: a verifier, a key set, an application; and the wall clock."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Protocol, Self
from unittest import mock

import jwt.api_jwt
from httpx import AsyncBaseTransport
from starlette.types import ASGIApp

from support.signing_subject import Subject
from toolbridge_proxy import tokens
from toolbridge_proxy.app import create_app
from toolbridge_proxy.jwks import Jwks
from toolbridge_proxy.metrics import Metrics
from toolbridge_proxy.settings import Settings
from toolbridge_proxy.tokens import Caller, Denied, TokenVerifier


class Verifies(Protocol):
    """Turns an Authorization value into a caller, or raises Denied."""

    async def caller(self, authorization: str | None) -> Caller: ...


class MakesApp(Protocol):
    """Makes the application; `transport` is its way to the Go API."""

    def __call__(
        self,
        settings: Settings,
        metrics: Metrics | None = None,
        transport: AsyncBaseTransport | None = None,
    ) -> ASGIApp: ...


@dataclass(frozen=True)
class TokenSubject(Subject):
    """An implementation of the token rules; the parts not given are the reference's."""

    verifier: Callable[[Settings, Jwks | None], Verifies] = TokenVerifier
    jwks: Callable[[str, float, Callable[[], float]], Jwks] = Jwks
    app: MakesApp = create_app


REFERENCE = TokenSubject("the reference proxy's")


async def judge(verifier: Verifies, token: str) -> Caller | Denied:
    """Return the verdict on a bearer token; whatever else is raised is the verifier's fault."""
    try:
        return await verifier.caller(f"Bearer {token}")
    except Denied as denied:
        return denied


def _stopped(now: float) -> type[datetime]:
    class Stopped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromtimestamp(now, tz)

    return Stopped


@contextmanager
def frozen(now: float) -> Iterator[None]:
    """Stop the wall clock for a verifier, whether it or PyJWT asks `time` or `datetime`."""
    clocks: list[tuple[Any, str, object, object]] = [
        (module, name, real, stopped)
        for module in (jwt.api_jwt, tokens)
        for name, real, stopped in (
            ("datetime", datetime, _stopped(now)),
            ("time", time.time, lambda: now),
        )
    ]
    with ExitStack() as stack:
        for module, name, real, stopped in clocks:
            if getattr(module, name, None) is real:
                stack.enter_context(mock.patch.object(module, name, stopped))
        stack.enter_context(mock.patch.object(time, "time", return_value=now))
        yield
