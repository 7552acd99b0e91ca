"""Proxies that take the loss of a sync session, or a failure to make one, the wrong way."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mutants.table import mutant
from support.patching import patch
from toolbridge_proxy import answers, sessions
from toolbridge_proxy.errors import ToolFailure
from toolbridge_proxy.upstream import ApiRequest, Call


def _lost(change: Callable[[Any], Callable[[int, str | None], bool]]) -> None:
    """Change which answers mean that the session is lost, by status and message."""
    patch(answers, "_is_session_loss", change)


def _sent(method: str, after: Callable[[ToolFailure], bool]) -> None:
    """Send requests of that method again after failures that `after` names, without end."""

    def make(original: Any) -> Any:
        async def send(self: sessions.Sessions, request: ApiRequest, call: Call) -> Any:
            while True:
                try:
                    return await original(self, request, call)
                except ToolFailure as failure:
                    if request.method != method or not after(failure) or call.remaining() < 0.5:
                        raise
                call.retries = 1

        return send

    patch(sessions.Sessions, "send", make)


def _made(change: Callable[[Any, sessions.Session], sessions.Session]) -> None:
    """Let `change` see each session that was made, and for whom."""

    def make(original: Any) -> Any:
        async def made(self: sessions.Sessions, principal: Any, call: Call) -> sessions.Session:
            fresh = change(principal, await original(self, principal, call))
            self._known[principal] = fresh
            return fresh

        return made

    patch(sessions.Sessions, "_make", make)


@mutant(
    "M-E03",
    "a lost session is renewed again and again until the call's deadline",
    rows="SES-10",
    cause="sessions-bounded-recovery",
)
def unbounded_renewal() -> None:
    """A loop without a count."""
    _sent("GET", lambda failure: failure.session_lost)


@mutant(
    "M-E04",
    "a new session is presented with the epoch of the first one",
    rows="SES-12 SES-13",
    cause="sessions-epoch",
)
def old_epoch() -> None:
    """Session and epoch are kept in two places, and one of them is renewed."""
    epochs: dict[Any, tuple[str, str]] = {}

    def change(principal: Any, fresh: sessions.Session) -> sessions.Session:
        session, epoch = fresh.headers
        kept = epochs.setdefault(principal, epoch)
        return replace(fresh, headers=(session, kept))

    _made(change)


@mutant(
    "M-E05",
    "any 409 is taken for a stale epoch, and the write is repeated",
    rows="SES-14 INP-12",
    cause="sessions-conflict-not-retried",
)
def any_conflict() -> None:
    """The status is read, the message is not."""
    _lost(lambda original: lambda status, detail: status == 409 or original(status, detail))


@mutant(
    "M-E06",
    "a user whose session could not be made is refused from then on",
    rows="SES-07 RES-14",
    cause="errors-session-failure",
)
def failure_is_kept() -> None:
    """Failures go into the cache like sessions."""
    failed: dict[Any, ToolFailure] = {}

    def make(original: Any) -> Any:
        async def made(self: Any, principal: Any, call: Call) -> sessions.Session:
            if principal in failed:
                raise failed[principal]
            try:
                session: sessions.Session = await original(self, principal, call)
            except ToolFailure as failure:
                failed[principal] = failure
                raise
            return session

        return made

    patch(sessions.Sessions, "_make", make)


@mutant(
    "M-E10",
    "the epoch is written with a fraction",
    rows="SES-01 AUTH-00 SIG-17",
    cause="sessions-headers",
)
def epoch_with_fraction() -> None:
    """A number that was a float somewhere."""

    def change(_: Any, fresh: sessions.Session) -> sessions.Session:
        session, (name, epoch) = fresh.headers
        return replace(fresh, headers=(session, (name, f"{epoch}.0")))

    _made(change)


@mutant(
    "epoch-missing",
    "no epoch is sent",
    rows="SES-01 AUTH-00 SIG-17",
    cause="sessions-headers",
)
def no_epoch() -> None:
    """The Go API reads 0 then, which is older than any."""
    _made(lambda _, fresh: replace(fresh, headers=fresh.headers[:1]))


@mutant(
    "lost-is-final",
    "a lost session makes every call of its user fail",
    rows="SES-08 SES-09",
    cause="sessions-recovered-read",
)
def lost_is_final() -> None:
    """428 is an error like any other."""
    _lost(lambda original: lambda status, detail: status != 428 and original(status, detail))


@mutant(
    "lost-writes-given-up",
    "only reads are repeated after a lost session",
    rows="SES-09",
    cause="sessions-recovered-write",
)
def writes_given_up() -> None:
    """Writes are never repeated, not even where the Go API says that nothing was written."""

    def make(original: Any) -> Any:
        async def send(self: sessions.Sessions, request: ApiRequest, call: Call) -> Any:
            if request.method != "GET":
                call.retries = 0
            return await original(self, request, call)

        return send

    patch(sessions.Sessions, "send", make)


@mutant(
    "lost-writes-twice",
    "a write that met a lost session is repeated twice, by two layers",
    rows="SES-09",
    cause="sessions-recovered-write",
)
def writes_twice() -> None:
    """The second repetition overwrites what the first has written: nobody sees two objects."""

    def make(original: Any) -> Any:
        async def send(self: sessions.Sessions, request: ApiRequest, call: Call) -> Any:
            answer = await original(self, request, call)
            if call.retries < 1 and request.method == "POST":
                answer = await self._in_session(request, call)
            return answer

        return send

    patch(sessions.Sessions, "send", make)


@mutant(
    "keep-forbidden",
    "the 403 about a session is passed on, and the session kept",
    rows="SES-11",
    cause="sessions-forbidden",
)
def keep_forbidden() -> None:
    """403 is about rights, and a session is none."""
    _lost(lambda original: lambda status, detail: status != 403 and original(status, detail))


@mutant(
    "epoch-stays",
    "a stale epoch is reported for ever: the session that has it stays",
    rows="SES-12",
    cause="sessions-stale-epoch",
)
def epoch_stays() -> None:
    """409 is a conflict like any other, also in a session that outlived a wipe."""
    _lost(lambda original: lambda status, detail: status != 409 and original(status, detail))


class _Loose:
    """A session answer as it came."""

    def __init__(self, data: Any) -> None:
        self.id, self.epoch = data["id"], data["epoch"]
        self.expiresAt = data.get("expiresAt")

    @classmethod
    def model_validate(cls, data: Any) -> "_Loose":
        """Take whatever has these names."""
        return cls(data)


@mutant(
    "unchecked-session",
    "whatever the answer about a session holds goes into headers",
    rows="SES-18",
    cause="sessions-hostile-answers",
)
def unchecked_session() -> None:
    """The Go API is trusted with what it says."""
    patch(sessions, "Made", lambda _: _Loose)


@mutant(
    "epoch-patched",
    "after a stale epoch the one in the error is taken, and the session kept",
    rows="SES-12",
    cause="sessions-stale-epoch",
)
def epoch_patched() -> None:
    """The error says which epoch is right, and nothing of the session."""

    def make(original: Any) -> Any:
        def forget(self: sessions.Sessions, call: Call, kept: Any, failure: ToolFailure) -> None:
            if failure.status != 409:
                original(self, call, kept, failure)

        return forget

    patch(sessions.Sessions, "_forget", make)
