"""Proxies that mix up whose sync session is whose, or whose token goes with it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mutants.table import mutant
from support import changed_calls
from support.patching import patch
from toolbridge_proxy import sessions, upstream
from toolbridge_proxy.errors import ToolFailure


@mutant(
    "M-E01",
    "the current session is a global variable",
    rows="SES-03 TEN-19",
    cause="sessions-own",
)
def current_session() -> None:
    """Set when a call begins, and read when its request is made: between, another's may begin."""
    current: dict[str, sessions.Session] = {}

    def make(original: Any) -> Any:
        async def get(self: sessions.Sessions, call: Any) -> sessions.Session:
            current["session"] = await original(self, call)
            await asyncio.sleep(0.002)
            return current["session"]

        return get

    patch(sessions.Sessions, "_get", make)


@mutant(
    "shared-session",
    "all callers share one session",
    rows="SES-03 SES-04 TEN-19 AUTH-00",
    cause="sessions-own",
)
def shared_session() -> None:
    """The cache has one key: the proxy serves one tenant, after all."""
    patch(sessions, "_principal", lambda _: lambda call: (None, "everybody"))


def _keyed(change: Callable[[str], str]) -> None:
    """Key the cache by what `change` makes of the subject."""

    def principal(call: upstream.Call) -> sessions.Principal:
        return call.caller.issuer, change(call.caller.subject)

    patch(sessions, "_principal", lambda _: principal)


@mutant(
    "key-cut",
    "sessions are kept by the first 128 characters of the user's name",
    rows="SES-04",
    cause="sessions-own",
)
def key_cut() -> None:
    """As a column of a table cuts it."""
    _keyed(lambda subject: subject[:128])


@mutant(
    "key-stripped",
    "sessions are kept by the user's name without blanks around it",
    rows="SES-04",
    cause="sessions-own",
)
def key_stripped() -> None:
    """The Go API does not strip it."""
    _keyed(str.strip)


@mutant(
    "key-folded",
    "sessions are kept by the user's name in lower case",
    rows="SES-04",
    cause="sessions-own",
)
def key_folded() -> None:
    """As for a mail address."""
    _keyed(str.casefold)


@mutant(
    "key-until-colon",
    "sessions are kept by what stands before a colon in the user's name",
    rows="SES-04",
    cause="sessions-own",
)
def key_until_colon() -> None:
    """A key that is split where it was joined."""
    _keyed(lambda subject: subject.partition(":")[0])


@mutant(
    "M-E02",
    "the shared client keeps the Authorization of its first caller",
    rows="SES-20 TEN-19",
    cause="run-strays",
)
def first_token() -> None:
    """Set as a default header when the client is made."""
    first: dict[str, str] = {}

    def change(pairs: changed_calls.Pairs, _: Any) -> changed_calls.Pairs:
        kept = first.setdefault("token", dict(pairs)["Authorization"])
        return [(n, kept if n == "Authorization" else v) for n, v in pairs]

    changed_calls.headers(change)


@mutant(
    "first-token-of-user",
    "each user's first token is used for ever, whatever comes later",
    rows="SES-20",
    cause="control-one-request",
)
def first_token_of_user() -> None:
    """A client for each user, made with the token that was at hand."""
    first: dict[Any, str] = {}

    def change(pairs: changed_calls.Pairs, call: Any) -> changed_calls.Pairs:
        principal = sessions._principal(call)
        kept = first.setdefault(principal, dict(pairs)["Authorization"])
        return [(n, kept if n == "Authorization" else v) for n, v in pairs]

    changed_calls.headers(change)


@mutant(
    "first-token-renews",
    "sessions are renewed with the token that the user came with first",
    rows="SES-02 SES-20",
    cause="control-one-request",
)
def first_token_renews() -> None:
    """What renews sessions was made once for each user; the token in it expires."""
    first: dict[Any, Any] = {}

    def make(original: Any) -> Any:
        async def made(self: Any, principal: Any, call: upstream.Call) -> sessions.Session:
            caller = first.setdefault(principal, call.caller)
            session: sessions.Session = await original(
                self, principal, replace(call, caller=caller)
            )
            return session

        return made

    patch(sessions.Sessions, "_make", make)


@mutant(
    "M-E07",
    "who waits while a session is made for somebody else is given that one",
    rows="SES-03 TEN-19",
    cause="sessions-own",
)
def global_flight() -> None:
    """Single flight has one place for all users."""

    async def wait(self: Any, principal: Any, call: Any) -> sessions.Session:
        task = self._making.get("all")
        if task is None:
            task = asyncio.create_task(self._make(principal, call))
            self._making["all"] = task
            task.add_done_callback(lambda _: self._making.pop("all"))
        session: sessions.Session = await asyncio.shield(task)
        self._known[principal] = session
        return session

    patch(sessions.Sessions, "_wait", lambda _: wait)


@mutant(
    "M-E09",
    "the caller's own X-Sync-Session and X-Sync-Epoch go upstream",
    rows="SES-19",
    cause="isolation-client-headers",
)
def forwarded_session() -> None:
    """Headers of the request at hand win over those of the cache."""
    said = changed_calls.heard()
    names = {"X-Sync-Session": "x-sync-session", "X-Sync-Epoch": "x-sync-epoch"}

    def make(original: Any) -> Any:
        async def exchange(self: Any, request: Any, call: Any, session: Any) -> Any:
            came = said.get({})
            pairs = tuple((name, came.get(names[name], value)) for name, value in session)
            return await original(self, request, call, pairs)

        return exchange

    changed_calls.exchanges(make)


@mutant(
    "no-single-flight",
    "each of several first calls makes a session of its own",
    rows="SES-05",
    cause="sessions-single-flight",
)
def no_single_flight() -> None:
    """Looks into the cache, and makes what is not there."""
    patch(
        sessions.Sessions,
        "_wait",
        lambda _: lambda self, principal, call: self._make(principal, call),
    )


@mutant(
    "M-E08",
    "a caller who hangs up cancels the session that others wait for",
    rows="SES-06",
    cause="sessions-first-hangs-up",
)
def unshielded() -> None:
    """The shared task belongs to the call that began it."""
    changed_calls.cancelled_by_hang_up()

    async def wait(self: Any, principal: Any, call: Any) -> sessions.Session:
        task = self._making.get(principal)
        if task is None:
            task = asyncio.create_task(self._make(principal, call))
            self._making[principal] = task
            task.add_done_callback(lambda _: self._making.pop(principal))
        try:
            session: sessions.Session = await task
        except asyncio.CancelledError:
            raise ToolFailure("internal") from None
        return session

    patch(sessions.Sessions, "_wait", lambda _: wait)
