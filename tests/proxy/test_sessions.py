"""One sync session per caller: made once, never shared, renewed once when lost."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from support.proxy_app import Mcp, default_token, token
from support.proxy_upstream import ITEM, UID, FakeGoApi, reply, session_body

LOST = reply(428, {"error": "Invalid or expired sync session."})
FOREIGN = reply(403, {"error": "Session does not belong to authenticated user."})
EPOCH = reply(409, {"error": "epoch_mismatch", "epoch": 7})


def presented(go_api: FakeGoApi) -> list[tuple[str, str]]:
    return [(r.headers["X-Sync-Session"], r.headers["X-Sync-Epoch"]) for r in go_api.requests]


async def test_one_session_serves_all_calls_of_a_caller(mcp: Mcp, go_api: FakeGoApi) -> None:
    """The id and the epoch of the one session are on each request."""
    for _ in range(3):
        await mcp.call("get_note", uid=UID)
    assert ([("session-1", "1")] * 3, 1) == (presented(go_api), len(go_api.sessions))


async def test_the_session_request_is_the_callers_own(mcp: Mcp, go_api: FakeGoApi) -> None:
    """It carries the caller's token, signed tenant headers, and no body."""
    mine = default_token()
    await mcp.call("get_note", token=mine, uid=UID)
    request = go_api.sessions[0]
    assert (f"Bearer {mine}", b"") == (request.headers["Authorization"], request.content)
    assert {"x-tb-tenant-id", "x-tb-timestamp", "x-tb-signature"} <= request.headers.keys()


@pytest.mark.parametrize("lost", [LOST, FOREIGN, EPOCH], ids=["428", "403", "409"])
@pytest.mark.parametrize("tool", ["get_note", "delete_note", "create_note"])
async def test_a_lost_session_is_renewed_once(
    lost: Any, tool: str, mcp: Mcp, go_api: FakeGoApi
) -> None:
    """One new session and one more attempt, signed anew; then the next call uses it."""
    arguments = {"title": "T", "content": "C"} if tool == "create_note" else {"uid": UID}
    go_api.entity.append(lost)
    await mcp.call(tool, **arguments)
    await mcp.call("get_note", uid=UID)
    assert presented(go_api) == [("session-1", "1"), ("session-2", "2"), ("session-2", "2")]


async def test_a_version_conflict_costs_no_session(mcp: Mcp, go_api: FakeGoApi) -> None:
    """409 that is not about the epoch is reported at once and the session is kept."""
    go_api.entity.append(reply(409, {"error": "version mismatch: expected 3, actual 4"}))
    error = await mcp.error("get_note", uid=UID)
    await mcp.call("get_note", uid=UID)
    assert ("conflict", 1) == (error["code"], len(go_api.sessions))


async def test_concurrent_first_calls_make_one_session(mcp: Mcp, go_api: FakeGoApi) -> None:
    """Thirty calls at once wait for the same session."""
    mine = default_token()
    await asyncio.gather(*(mcp.call("get_note", token=mine, uid=UID) for _ in range(30)))
    assert (30, 1) == (len(go_api.requests), len(go_api.sessions))


async def test_concurrent_losses_make_one_new_session(mcp: Mcp, go_api: FakeGoApi) -> None:
    """When twenty calls find the session lost, it is renewed once."""
    await mcp.call("get_note", uid=UID)
    arrived = asyncio.Barrier(20)

    async def lose_all(_: httpx.Request) -> httpx.Response:
        await arrived.wait()
        return LOST.response()

    go_api.entity += [lose_all] * 20
    await asyncio.gather(*(mcp.call("get_note", uid=UID) for _ in range(20)))
    assert (41, 2) == (len(go_api.requests), len(go_api.sessions))


async def test_a_late_loss_does_not_drop_the_new_session(mcp: Mcp, go_api: FakeGoApi) -> None:
    """A request that was still out with the old session does not undo its renewal."""
    await mcp.call("get_note", uid=UID)
    late = asyncio.Event()

    async def lose_late(_: httpx.Request) -> httpx.Response:
        await late.wait()
        return LOST.response()

    go_api.entity += [lose_late, LOST]
    slow = asyncio.create_task(mcp.call("get_note", uid=UID))
    while len(go_api.requests) < 2:
        await asyncio.sleep(0)
    await mcp.call("get_note", uid=UID)
    late.set()
    await slow
    assert len(go_api.sessions) == 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"subject": "u"}, {"subject": "U"}),
        ({"subject": "u"}, {"subject": "u "}),
        ({"subject": "é"}, {"subject": "e\u0301"}),
        ({"subject": "x" * 300 + "a"}, {"subject": "x" * 300 + "b"}),
        ({"subject": "b:c", "iss": "a"}, {"subject": "c", "iss": "a:b"}),
        ({"subject": "u", "iss": "a"}, {"subject": "u", "iss": "b"}),
        ({"subject": "u", "iss": "a"}, {"subject": "u"}),
    ],
    ids=repr,
)
async def test_two_callers_never_share_a_session(
    first: dict[str, Any], second: dict[str, Any], mcp: Mcp, go_api: FakeGoApi
) -> None:
    """Issuer and subject, compared exactly, name the caller."""
    await mcp.call("get_note", token=token(**first), uid=UID)
    await mcp.call("get_note", token=token(**second), uid=UID)
    assert [("session-1", "1"), ("session-2", "2")] == presented(go_api)


async def test_interleaved_callers_keep_their_own_session_and_token(
    mcp: Mcp, go_api: FakeGoApi
) -> None:
    """In a hundred interleaved calls each session goes with one caller's token."""
    tokens = [token(f"user-{n}") for n in range(5)]
    await asyncio.gather(*(mcp.call("get_note", token=tokens[n % 5], uid=UID) for n in range(100)))
    pairs = {(r.headers["X-Sync-Session"], r.headers["Authorization"]) for r in go_api.requests}
    assert (5, 5) == (len(pairs), len({session for session, _ in pairs}))


async def test_a_new_token_of_the_same_caller_is_the_one_sent(mcp: Mcp, go_api: FakeGoApi) -> None:
    """The session is kept, the token is that of each request."""
    tokens = [token("alice"), token("alice", jti="another")]
    for value in tokens:
        await mcp.call("get_note", token=value, uid=UID)
    assert [f"Bearer {value}" for value in tokens] == [
        r.headers["Authorization"] for r in go_api.requests
    ]
    assert len(go_api.sessions) == 1


async def test_a_cancelled_first_caller_does_not_fail_the_others() -> None:
    """The session is made on; who waits for it gets it."""
    from toolbridge_proxy.sessions import Made, Sessions
    from toolbridge_proxy.tokens import Caller
    from toolbridge_proxy.upstream import ApiRequest, Call

    release, created = asyncio.Event(), 0

    class Upstream:
        timeout_seconds, tenant_id = 5.0, "t"

        def earn_retry(self) -> None: ...

        async def send(self, request: ApiRequest, call: Call, session: Any = ()) -> Any:
            nonlocal created
            if session:
                return session
            created += 1
            await release.wait()
            return type("A", (), {"data": Made.model_validate(session_body(1))})

    sessions = Sessions(Upstream())  # type: ignore[arg-type]
    request = ApiRequest("GET", "/x", "/x", lambda _: True)

    def start() -> "asyncio.Task[Any]":
        call = Call(Caller(None, "alice", "t"), time.monotonic() + 5, "c")
        return asyncio.ensure_future(sessions.send(request, call))

    first, *others = [start() for _ in range(5)]
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    release.set()
    results = await asyncio.gather(first, *others, return_exceptions=True)
    expected = (("X-Sync-Session", "session-1"), ("X-Sync-Epoch", "1"))
    assert ([expected] * 4, 1) == (results[1:], created)
    assert isinstance(results[0], asyncio.CancelledError)


@pytest.mark.parametrize(
    ("planned", "code"),
    [
        (reply(500, {"error": "x"}), "upstream_error"),
        (reply(429, {"error": "x"}, retry_after="3"), "rate_limited"),
        (reply(401, None), "upstream_token_rejected"),
        (reply(403, None), "upstream_forbidden"),
        (reply(404, {"error": "x"}), "session_unavailable"),
        (reply(201, {}), "upstream_bad_response"),
        (reply(201, []), "upstream_bad_response"),
        (reply(302, None, location="http://evil/"), "upstream_redirect"),
        (httpx.ReadError("reset"), "upstream_unreachable"),
        (reply(503, None), "upstream_unavailable"),
        (reply(504, None), "upstream_timeout"),
    ],
)
@pytest.mark.parametrize("tool", ["get_note", "delete_note"])
async def test_a_failed_session_is_definite_and_not_remembered(
    planned: Any, code: str, tool: str, mcp: Mcp, go_api: FakeGoApi
) -> None:
    """Nothing was mutated, so nothing is unknown; the next call tries again."""
    go_api.session += [planned, planned]
    error = await mcp.error(tool, uid=UID)
    assert (code, []) == (error["code"], go_api.requests)
    attempts = len(go_api.sessions)
    assert attempts <= 2
    go_api.session.clear()
    await mcp.call(tool, uid=UID)
    assert attempts + 1 == len(go_api.sessions)


BAD_SESSIONS: list[dict[str, Any]] = [
    {"id": bad} for bad in (None, 5, "", "a\r\nX-Evil: 1", "a b", "x" * 10_000, "é")
] + [{"epoch": bad} for bad in ("1", 1.0, -1, 2**63, None, True)]


@pytest.mark.parametrize("changes", BAD_SESSIONS, ids=lambda c: repr(c)[:30])
async def test_a_malformed_session_reaches_no_header(
    changes: dict[str, Any], mcp: Mcp, go_api: FakeGoApi
) -> None:
    """An id or epoch of the wrong kind is a bad answer, and nothing is sent with it."""
    go_api.session.append(reply(201, session_body(1, **changes)))
    error = await mcp.error("get_note", uid=UID)
    assert ("upstream_bad_response", []) == (error["code"], go_api.requests)


def after(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


@pytest.mark.parametrize(
    ("expires_at", "sessions"),
    [
        pytest.param(lambda: after(3600), 1, id="an hour"),
        pytest.param(lambda: "9999-12-31T23:59:59Z", 1, id="year 9999"),
        pytest.param(lambda: after(3600).replace("+00:00", "Z"), 1, id="an hour, Z"),
        # Within the margin of a 5 s deadline and 5 s.
        pytest.param(lambda: after(9), 2, id="nine seconds"),
        pytest.param(lambda: after(-60), 2, id="past"),
        pytest.param(lambda: None, 2, id="null"),
        pytest.param(lambda: "soon", 2, id="a word"),
        pytest.param(lambda: 1732000000123, 2, id="milliseconds"),
        pytest.param(lambda: "2999-01-01T00:00:00", 2, id="no offset"),
    ],
)
async def test_a_session_is_kept_only_while_it_surely_lives(
    expires_at: Callable[[], Any], sessions: int, mcp: Mcp, go_api: FakeGoApi
) -> None:
    """An expiry that is near, past or unreadable makes the session good for one call."""
    for number in (1, 2):
        go_api.session.append(reply(201, session_body(number, expiresAt=expires_at())))
    await mcp.call("get_note", uid=UID)
    await mcp.call("get_note", uid=UID)
    assert sessions == len(go_api.sessions)


async def test_the_number_of_sessions_is_bounded(
    mcp: Mcp, go_api: FakeGoApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller seen longest ago is forgotten first."""
    monkeypatch.setattr("toolbridge_proxy.sessions.MAX_SESSIONS", 2)
    for name in ("a", "b", "a", "c", "a", "b"):
        await mcp.call("get_note", token=token(name), uid=UID)
    ids = [session for session, _ in presented(go_api)]
    assert ids == ["session-1", "session-2", "session-1", "session-3", "session-1", "session-4"]


@pytest.mark.parametrize(
    ("planned", "code"),
    [
        ([reply(503), LOST], "session_unavailable"),
        ([LOST, reply(503)], "upstream_unavailable"),
        ([LOST, EPOCH], "epoch_mismatch"),
    ],
)
async def test_a_retry_and_a_renewal_do_not_add_up(
    planned: list[Any], code: str, mcp: Mcp, go_api: FakeGoApi
) -> None:
    """At most one more attempt per call, whatever the causes."""
    go_api.entity += [*planned, reply(200, ITEM)]
    error = await mcp.error("get_note", uid=UID)
    assert (code, 2) == (error["code"], len(go_api.requests))
