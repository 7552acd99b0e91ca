"""Sync sessions that end: by time, with odd dates, or all at once when the Go API restarts."""

import asyncio
import json
import time
from typing import Any

from toolbridge_contract.control import RecordedRequest
from toolbridge_harness.model import Capability, Profile, Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import Untestable, require, require_equal

NEEDS = {Vantage.TOKENS, Vantage.UPSTREAM}
_CONTROL = ("control-token", "sessions-own", "sessions-recovered-read")
_SESSIONS = "/v1/sync/sessions"
_NOTES = "/v1/notes.*"
_LOST = json.dumps({"error": "Invalid or expired sync session.", "correlation_id": "c"}).encode()
_JSON = (("Content-Type", "application/json"),)
# Half a second of life shows within two seconds what thirty minutes would show in an hour.
_LIFETIME_SECONDS = 0.5
_USERS, _EACH = 20, 3


def _creates(requests: list[RecordedRequest]) -> list[RecordedRequest]:
    return [r for r in requests if r.method == "POST" and r.target == _SESSIONS]


@check(
    "sessions-expiry",
    "No request carries a session past the time that the Go API gave for it",
    severity=Severity.MEDIUM,
    catalogue="SES-16",
    source="check catalogue SES-16",
    remedy="Read expiresAt and renew with a margin; do not count on a lifetime of 30 minutes.",
    why="Each expired session costs a refused request and a repetition, for every user.",
    needs=NEEDS,
    capability=Capability.SESSION_CACHE,
    profile=Profile.FULL,
    alone=True,
    explained_by=_CONTROL,
    broken="sessions are presented after they have expired",
    seconds=60,
)
async def expired_sessions_are_not_presented(target: Target, caller: Caller) -> None:
    """Lets sessions live half a second, and calls before and after they have ended."""
    await target.caller().control()
    await target.mock.shorten_sessions(_LIFETIME_SECONDS)
    try:
        for _ in range(3):
            reply = await caller.call("list_notes", {"limit": 1})
            require(reply.ok, "each call to succeed", reply.brief)
            await asyncio.sleep(_LIFETIME_SECONDS * 1.2)
    finally:
        await target.mock.shorten_sessions(None)
    refused = [r for r in await caller.entity_requests() if r.status == 428]
    require_equal(0, len(refused), "requests refused for an expired session:")


def _dates() -> dict[str, object]:
    """Return values of expiresAt, by what they are; ... leaves it out."""
    local = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(time.time() + 1800))
    return {
        "nothing": ...,
        "null": None,
        "no date": "soon",
        "an empty text": "",
        "a time past": "2001-01-01T00:00:00Z",
        "a time without an offset": local,
        "a time with another offset": f"{local}+05:45",
        "the year 9999": "9999-12-31T23:59:59Z",
        "a time with nanoseconds": "2099-01-01T00:00:00.123456789Z",
        "milliseconds": int(time.time() * 1000) + 1_800_000,
        "a huge number": 10**30,
        "a list": [1],
    }


@check(
    "sessions-odd-expiry",
    "Whatever the Go API says about a session's end, calls go on",
    severity=Severity.MEDIUM,
    catalogue="SES-17",
    source="OWASP API10:2023; check catalogue SES-17",
    remedy="Treat an end that cannot be read as unknown: use the session now, and renew it soon.",
    why="A date format that changes with a version of Go must not stop every call.",
    needs=NEEDS,
    profile=Profile.FULL,
    explained_by=(*_CONTROL, "sessions-expiry"),
    broken="a session whose end cannot be read makes calls fail",
    seconds=60,
)
async def odd_ends_are_survived(target: Target, caller: Caller) -> None:
    """Answers the making of a session with a live one and a dozen odd values of expiresAt."""
    # Keeps it alive where the proxy ends a session after each call.
    ends = f"{_SESSIONS}/.+"
    kept: dict[str, Any] = {"methods": ("DELETE",), "path": ends, "times": None, "status": 204}
    await caller.inject(**kept)
    await caller.control()
    session = next(
        (i for r in await caller.entity_requests() if (i := r.header("X-Sync-Session"))), None
    )
    if session is None:
        raise Untestable("no request of the control carried a session")
    for what, date in _dates().items():
        answer = {"id": session, "epoch": 1} | ({} if date is ... else {"expiresAt": date})
        body = json.dumps(answer).encode()
        await caller.inject(path=_NOTES, status=428, headers=_JSON, body=_LOST)
        # Without end: a proxy may want a session for each of the two calls.
        await caller.inject(
            methods=("POST",), path=_SESSIONS, times=None, status=201, headers=_JSON, body=body
        )
        await caller.inject(**kept)
        for _ in range(2):
            reply = await caller.call("list_notes", {"limit": 1})
            require(reply.ok, f"a call to succeed with {what} for expiresAt", reply.brief)
        await target.mock.clear_faults(caller.sub)


@check(
    "sessions-after-restart",
    "After a restart of the Go API every user gets one new session, and no call fails",
    severity=Severity.MEDIUM,
    catalogue="SES-23",
    source="check catalogue SES-23",
    remedy="Renew a lost session once for all the calls that lost it.",
    why="A Go API that has just started is then met by a herd, and may go down again.",
    needs={*NEEDS, Vantage.MINT},
    profile=Profile.FULL,
    explained_by=(*_CONTROL, "sessions-single-flight"),
    broken="a restart of the Go API makes the proxy ask for far too many sessions",
    seconds=60,
)
async def restart_meets_no_herd(target: Target, caller: Caller) -> None:
    """Drops the sessions of twenty users, and lets each make three calls at once."""
    users = [caller, *(target.caller() for _ in range(_USERS - 1))]
    await asyncio.gather(*(user.control() for user in users))
    seen = {user.sub: await user.mark() for user in users}
    for user in users:
        await target.mock.drop_sessions(user.sub)
    replies = await asyncio.gather(
        *(user.call("list_notes", {"limit": 1}) for user in users for _ in range(_EACH))
    )
    failed = [reply.brief for reply in replies if not reply.ok]
    require_equal([], failed[:1], f"failed calls among {len(replies)} after the restart:")
    requests = [r for user in users for r in await user.upstream(seen[user.sub])]
    # Nobody met a lost session: then this proxy makes one for every call (SES-24).
    if not any(r.status == 428 for r in requests):
        return
    made, most = len(_creates(requests)), _USERS + _USERS // 4
    require(made <= most, f"at most {most} new sessions for {_USERS} users", made)
