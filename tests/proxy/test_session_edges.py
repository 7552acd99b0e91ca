"""A session's last second, its place in the cache, who waits how long, and what the log says."""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from support.captured_log import captured_log
from support.proxy_upstream import session_body
from support.scripted_upstream import a_call, a_request
from toolbridge_proxy.errors import ToolFailure
from toolbridge_proxy.sessions import Made, Session, Sessions
from toolbridge_proxy.upstream import ApiRequest, Call

NOW = 1_800_000_000.0


Sent = tuple[ApiRequest, Call]


class Upstream:
    """Makes sessions as planned, answers requests with the session's headers, or fails."""

    timeout_seconds, tenant_id = 5.0, "tenant-a"

    def __init__(self, *expiries: Any) -> None:
        self.expiries, self.failures = deque(expiries), deque[ToolFailure]()
        self.made, self.sent, self.earned = list[Sent](), list[Sent](), 0
        self.held: asyncio.Event | None = None

    def earn_retry(self) -> None:
        self.earned += 1

    async def send(self, request: ApiRequest, call: Call, session: Any = ()) -> Any:
        if session:
            self.sent.append((request, call))
            if self.failures:
                raise self.failures.popleft()
            return session[0][1]
        self.made.append((request, call))
        number = len(self.made)
        if self.held is not None:
            await self.held.wait()
        expires_at = self.expiries.popleft()
        if isinstance(expires_at, ToolFailure):
            raise expires_at
        data = Made.model_validate(session_body(number, expiresAt=expires_at))
        return type("Answered", (), {"data": data})


def sessions_of(upstream: Upstream) -> Sessions:
    return Sessions(upstream)  # type: ignore[arg-type]  # a stand-in


def at(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Stop the wall clock; return what sets it."""

    def set_to(seconds: float) -> None:
        monkeypatch.setattr("toolbridge_proxy.sessions.time.time", lambda: seconds)

    set_to(NOW)
    return set_to


LATER = "2999-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("expires_at", "last"),
    [
        # The deadline of a call (5 s) and five seconds more before it ends.
        pytest.param(at(NOW + 60), 50, id="a minute"),
        # The Go API ends it after half an hour whatever it says.
        pytest.param(LATER, 1790, id="centuries"),
    ],
)
async def test_a_session_is_used_to_the_second_before_it_may_end(
    expires_at: str, last: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Just before that moment it is used, and at that moment it is not."""
    set_clock = clock(monkeypatch)
    upstream = Upstream(expires_at, LATER)
    sessions = sessions_of(upstream)
    used = list[Any]()
    for seconds in (0, last - 0.001, last):
        set_clock(NOW + seconds)
        used.append(await sessions.send(a_request(), a_call()))
    assert ["session-1", "session-1", "session-2"] == used


@pytest.mark.parametrize("expires_at", [None, "soon", 5, "2999-01-01T00:00:00"], ids=repr)
async def test_a_session_of_unknown_end_is_over_at_once(
    expires_at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its life is nothing, less the margin: ten seconds ago."""
    clock(monkeypatch)
    sessions = sessions_of(Upstream(expires_at))
    await sessions.send(a_request(), a_call())
    assert [NOW - 10] == [session.usable_until for session in sessions._known.values()]


async def test_the_session_is_asked_for_as_the_contract_says() -> None:
    """POST, its path also in the log, no body, and safe to repeat."""
    upstream, call = Upstream(LATER), a_call()
    await sessions_of(upstream).send(a_request(), call)
    ((request, maker),) = upstream.made
    assert call is maker
    path = "/v1/sync/sessions"
    assert ("POST", path, path, None, None) == (
        request.method, request.path, request.route, request.body, request.lost,
    )  # fmt: skip


@pytest.mark.parametrize(("before", "oldest"), [(9_999, 0), (10_000, 1)])
async def test_ten_thousand_sessions_are_kept(before: int, oldest: int) -> None:
    """One more pushes out the oldest, and only that."""
    sessions = sessions_of(Upstream(LATER))
    for number in range(before):
        sessions._known[None, f"user-{number}"] = Session((), 0.0)
    await sessions.send(a_request(), a_call())
    assert (10_000, (None, f"user-{oldest}")) == (len(sessions._known), next(iter(sessions._known)))


async def test_a_renewed_session_is_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not where the session was that it replaces, or it would be pushed out too early."""
    sessions = sessions_of(Upstream(LATER))
    for name in ("alice", "bob"):
        sessions._known[None, name] = Session((), 0.0)
    await sessions.send(a_request(), a_call())
    assert [(None, "bob"), (None, "alice")] == list(sessions._known)


async def test_a_session_has_its_two_headers_and_both_waits_are_timed() -> None:
    """The id as text, the epoch in decimal digits; the time of each goes into the audit line."""
    upstream, call = Upstream(LATER), a_call()
    sessions = sessions_of(upstream)
    await sessions.send(a_request(), call)
    (session,) = sessions._known.values()
    assert (("X-Sync-Session", "session-1"), ("X-Sync-Epoch", "1")) == session.headers
    assert (["session", "upstream"], 1) == (list(call.seconds), upstream.earned)


@pytest.mark.parametrize(
    ("status", "event", "retries"),
    [(403, "session_of_another_user", 3), (428, "session_lost", 1)],
)
async def test_a_lost_session_costs_a_retry_and_is_logged(
    status: int, event: str, retries: int
) -> None:
    """The same request is sent again; a session of somebody else has a line of its own."""
    upstream, call, request = Upstream(LATER, LATER), a_call(retries=retries), a_request()
    upstream.failures.append(ToolFailure("session_unavailable", status, session_lost=True))
    with captured_log() as lines:
        answered: Any = await sessions_of(upstream).send(request, call)
    expected = {"event": event, "log_level": "warning", "status": status}
    assert [expected | {"correlation_id": "the-correlation-id"}] == lines
    assert ("session-2", retries - 1) == (answered, call.retries)
    assert [(True, True)] * 2 == [(r is request, c is call) for r, c in upstream.sent]


async def test_a_session_that_is_refused_is_not_lost() -> None:
    """Making another one at once would meet the same refusal."""
    upstream = Upstream(ToolFailure("conflict", 409, session_lost=True))
    with pytest.raises(ToolFailure) as failed:
        await sessions_of(upstream).send(a_request(), a_call())
    failure = failed.value
    assert ("session_unavailable", False, 1) == (
        failure.code, failure.session_lost, len(upstream.made),
    )  # fmt: skip


async def test_who_waits_for_a_session_has_a_tenth_of_a_second_of_grace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Then it is a time-out, whoever makes the session."""
    upstream, call, delays = Upstream(LATER), a_call(), list[float | None]()
    upstream.held = asyncio.Event()
    monkeypatch.setattr(call, "remaining", lambda: 2.0)
    timeout = asyncio.timeout

    def at_once(delay: float | None) -> asyncio.Timeout:
        delays.append(delay)
        return timeout(0)

    monkeypatch.setattr("toolbridge_proxy.sessions.asyncio.timeout", at_once)
    with pytest.raises(ToolFailure) as failed:
        await sessions_of(upstream).send(a_request(), call)
    upstream.held.set()
    assert ("upstream_timeout", [2.1]) == (failed.value.code, delays)


async def together(upstream: Upstream) -> list[Any]:
    """Let one call make a session, a second one join it, and then the session's answer come."""
    sessions, upstream.held = sessions_of(upstream), asyncio.Event()
    calls = [asyncio.create_task(sessions.send(a_request(), a_call())) for _ in range(2)]
    await asyncio.sleep(0)  # both begin
    await asyncio.sleep(0)  # the session is asked for
    upstream.held.set()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert ({}, True) == (sessions._making, sessions._known.keys() <= {(None, "alice")})
    return [result.code if isinstance(result, ToolFailure) else result for result in results]


@pytest.mark.parametrize(
    ("planned", "expected"),
    [
        # Who joined had more time than who made it, and tries once more.
        ([ToolFailure("upstream_timeout"), LATER], ["upstream_timeout", "session-2"]),
        ([ToolFailure("rate_limited"), LATER], ["rate_limited", "rate_limited"]),
        ([LATER, LATER], ["session-1", "session-1"]),
    ],
    ids=["time-out", "refusal", "success"],
)
async def test_a_joined_session_is_shared_but_for_the_makers_time_out(
    planned: list[Any], expected: list[str]
) -> None:
    """What the Go API said is for both; that the first ran out of time is not."""
    assert expected == await together(Upstream(*planned))
