"""Proxies that are correct on one machine, before one Go API."""

from typing import Any

from starlette.types import Message

from mutants.built_protocol import event_streams_and_sessions
from mutants.table import mutant
from support.patching import patch
from toolbridge_proxy import calls, sessions
from toolbridge_proxy.answers import Answer
from toolbridge_proxy.errors import ToolFailure

MACHINES = "sessions-two-machines"
_STORM = 20


@mutant(
    "M-E14",
    "MCP sessions live on one machine, and another one calls them a bad request",
    rows="SES-29 DEP-08",
    cause=MACHINES,
)
def stateful() -> None:
    """400 where 404 would let the client begin again."""
    event_streams_and_sessions()

    def make(original: Any) -> Any:
        async def serve(self: Any, message: Any, body: bytes, scope: Any, *rest: Any) -> None:
            receive, send = rest

            async def bad(sent: Message) -> None:
                if sent["type"] == "http.response.start" and sent["status"] == 404:
                    sent = {**sent, "status": 400}
                await send(sent)

            await original(self, message, body, scope, receive, bad)

        return serve

    patch(calls.Calls, "serve", make)


@mutant(
    "machine-cache",
    "objects are read from the memory of the machine that read them first",
    rows="SES-29 DEP-08",
    cause=MACHINES,
)
def machine_cache() -> None:
    """Its own writes empty the memory; those of other machines do not."""
    kept: dict[Any, Answer] = {}

    def make(original: Any) -> Any:
        async def send(self: Any, request: Any, call: Any) -> Answer:
            key = (call.caller.subject, request.path)
            if request.method != "GET" or request.query:
                kept.clear()
            elif key in kept:
                return kept[key]
            answer: Answer = await original(self, request, call)
            if request.method == "GET" and not request.query:
                kept[key] = answer
            return answer

        return send

    patch(sessions.Sessions, "send", make)


@mutant(
    "session-storm",
    "the Go API's advice to begin a new session is followed without end",
    rows="SES-22",
    cause="sessions-upstream-replicas",
)
def session_storm() -> None:
    """As long as the answer gives that advice."""

    def make(original: Any) -> Any:
        async def send(self: Any, request: Any, call: Any) -> Answer:
            for _ in range(_STORM):
                try:
                    answer: Answer = await original(self, request, call)
                except ToolFailure as failure:
                    if "begin a new session" not in str(failure.detail):
                        raise
                else:
                    return answer
            raise ToolFailure("session_unavailable")

        return send

    patch(sessions.Sessions, "send", make)


@mutant(
    "replica-as-bad-token",
    "a session that this replica does not know is called a rejected token",
    rows="SES-22",
    cause="sessions-upstream-replicas",
)
def replica_as_bad_token() -> None:
    """The user would be sent to log in again."""

    def make(original: Any) -> Any:
        async def send(self: Any, request: Any, call: Any) -> Answer:
            try:
                answer: Answer = await original(self, request, call)
            except ToolFailure as failure:
                if "begin a new session" in str(failure.detail):
                    raise ToolFailure("upstream_token_rejected", 401) from None
                raise
            return answer

        return send

    patch(sessions.Sessions, "send", make)
