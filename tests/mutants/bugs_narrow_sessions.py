"""Proxies with one thing wrong about sessions, which shows in one way of losing or naming them."""

import itertools
from collections.abc import Callable
from typing import Any

from mutants.table import mutant
from support.changed_calls import session_header
from support.wrapping import in_place_of
from toolbridge_proxy import sessions
from toolbridge_proxy.errors import ToolFailure
from toolbridge_proxy.upstream import ApiRequest, Call


@mutant(
    "mcp-ids-counted",
    "MCP session ids are a counter, written as long as a random one",
    rows="SES-25",
    cause="sessions-id-entropy",
)
def mcp_ids_counted() -> None:
    """None that a client sends is taken over: these are the proxy's own."""
    numbers = itertools.count(0x5EED_0000_0000)
    session_header(lambda given: None if given else b"%032x" % next(numbers))


@mutant(
    "renewal-without-end",
    "a session that is lost is renewed again and again until the deadline; a refused one, once",
    rows="SES-10",
    cause="sessions-bounded-recovery",
)
def renewal_without_end() -> None:
    """428 says to make a session, so one is made."""

    @in_place_of(sessions.Sessions, "send")
    async def send(original: Any, self: Any, request: Any, call: Any) -> Any:
        while True:
            try:
                return await original(self, request, call)
            except ToolFailure as failure:
                if failure.status != 428 or call.remaining() < 0.5:
                    raise
            call.retries = 1


def _renewed(unless: Callable[[ApiRequest, ToolFailure], bool]) -> None:
    """Renew a session as ever, `unless` says that the failure of this request is final."""

    @in_place_of(sessions.Sessions, "_in_session")
    async def attempt(original: Any, self: Any, request: ApiRequest, call: Call) -> Any:
        try:
            return await original(self, request, call)
        except ToolFailure as failure:
            if unless(request, failure):
                failure.session_lost = False
            raise


@mutant(
    "lost-write-given-up",
    "a write whose session the Go API has lost fails; one whose session it refuses is repeated",
    rows="SES-09",
    cause="sessions-recovered-write",
)
def lost_write_given_up() -> None:
    """Only the refusal was tried, with two users and one session."""
    _renewed(lambda request, failure: failure.status == 428 and request.method != "GET")


@mutant(
    "lost-read-given-up",
    "a read whose session the Go API has lost fails, and the next one finds a new session",
    rows="SES-08",
    cause="sessions-recovered-read",
)
def lost_read_given_up() -> None:
    """A read, it was thought, can be made again by whoever wants to know."""
    _renewed(lambda request, failure: failure.status == 428 and request.method == "GET")
