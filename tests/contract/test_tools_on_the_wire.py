"""What the proxy's own httpx client sends for each tool, held against the contract's table.

The proxy's tests hold it against the proxy's expectations, with planned answers; here the mock Go
API is behind it, so that what was sent is also what the API accepts.
"""

import json
import time
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from support.contract_caller import TENANT, TENANT_SECRET
from support.wire_cases import DELETED, LIVE, WIRE_CASES, WireCase
from support.wire_proxy import (
    BASE_URL,
    CORRELATION_ID,
    FORGED,
    SESSIONS,
    Wire,
    json_body,
    names_and_values,
    wired,
)
from toolbridge_contract.mock.messages import Request
from toolbridge_contract.mock.violations import violations
from toolbridge_contract.signing import verify
from toolbridge_contract.tools import TOOL_NAMES

NEW_SESSION = ("POST", SESSIONS, 201)


def test_the_table_covers_every_tool() -> None:
    """At least two calls of each of the 40 tools but those that take a uid alone."""
    counts = Counter(case.tool for case in WIRE_CASES)
    alone = {name for name in TOOL_NAMES if name.startswith(("delete_", "archive_"))}

    assert set(TOOL_NAMES) == set(counts)
    assert alone == {name for name, count in counts.items() if count < 2}


def _name(case: WireCase) -> str:
    return f"{case.tool}-{len(case.arguments)}-{case.arguments.get('action', '')}".rstrip("-")


@pytest.mark.parametrize("case", WIRE_CASES, ids=_name)
async def test_a_tool_is_one_exact_request_and_its_answer(case: WireCase) -> None:
    """A session, then method, target, headers and body of the contract; the answer unchanged."""
    # A modern client sends three headers more that could leak; the other tests speak legacy.
    async with wired(modern=True) as wire:
        result = await wire.call(case.tool, case.arguments)
        session, request = wire.sent

        assert (case.method, case.target) == (request.method, request.target)
        assert _expected_headers(wire, case, request) == names_and_values(request)
        assert _exact(_expected_body(case, request)) == _exact(json_body(request))
        assert _session_headers(wire, session) == names_and_values(session)
        assert [] == [v for r in wire.sent for v in violations(r, TENANT_SECRET, time.time_ns())]
        assert result["isError"] is False
        assert wire.answered.decode().rstrip("\n") == result["content"][0]["text"]
        assert json.loads(wire.answered) == result["structuredContent"]


def _session_headers(wire: Wire, request: Request) -> dict[str, list[str]]:
    """Return all that may come with every request; raises when it is not signed right."""
    sent = request.values
    tenant, timestamp = sent[b"x-tb-tenant-id"], sent[b"x-tb-timestamp"]
    signature = sent[b"x-tb-signature"]
    assert verify(tenant, timestamp, signature, TENANT_SECRET, time.time_ns()) is None
    expected = {
        "accept": "application/json",
        "accept-encoding": "identity",
        "authorization": f"Bearer {wire.token}",
        "host": BASE_URL.removeprefix("http://"),
        "user-agent": "toolbridge-proxy",
        "x-correlation-id": CORRELATION_ID,
        "x-tb-tenant-id": TENANT,
        "x-tb-timestamp": timestamp,
        "x-tb-signature": signature,
    }
    if request.method in ("POST", "PUT", "PATCH"):
        expected["content-length"] = str(len(request.body))
    return {name: [value] for name, value in expected.items()}


def _expected_headers(wire: Wire, case: WireCase, request: Request) -> dict[str, list[str]]:
    session = json.loads(wire.router.calls[0].response.content)
    expected = {"x-sync-session": session["id"], "x-sync-epoch": str(session["epoch"])}
    if case.body is not None:
        expected["content-type"] = "application/json"
    if case.if_match is not None:
        expected["if-match"] = case.if_match
    return _session_headers(wire, request) | {n: [v] for n, v in expected.items()}


def _expected_body(case: WireCase, request: Request) -> Any:
    if not case.chooses_uid:
        return case.body
    chosen = json_body(request)["uid"]
    assert (4, str(uuid.UUID(chosen))) == (uuid.UUID(chosen).version, chosen)
    return {"uid": chosen} | (case.body or {})


def _exact(value: Any) -> str:
    """Tell 1 from 1.0 and from true, which are equal to Python."""
    return json.dumps(value, sort_keys=True)


async def test_the_forged_headers_would_have_shown() -> None:
    """The control: the same headers sent to the API directly are refused by it."""
    async with wired() as wire:
        answer = wire.caller.send("GET", "/v1/notes", change=FORGED)

        assert (401, b"Unauthorized: invalid tenant headers\n") == (answer.status, answer.body)


async def test_one_session_serves_all_calls_and_each_is_signed_anew() -> None:
    """Forty calls: one session, forty requests, no timestamp older than its request."""
    async with wired() as wire:
        for _ in range(40):
            await wire.call("get_note", {"uid": LIVE})
        stamps = [int(request.values[b"x-tb-timestamp"]) for request in wire.sent]

        assert [NEW_SESSION, *[("GET", f"/v1/notes/{LIVE}", 200)] * 40] == wire.exchanges
        assert sorted(stamps) == stamps
        assert len(set(stamps)) > 1


Disturbance = Callable[[Wire], object]


def _end_sessions(wire: Wire) -> None:
    wire.api.sessions.drop(wire.api.users.get(wire.caller.subject))


def _raise_epoch(wire: Wire) -> None:
    wire.api.users.get(wire.caller.subject).epoch += 1


def _wipe(wire: Wire) -> None:
    wire.api.wipe(wire.caller.subject)


NOTE = f"/v1/notes/{LIVE}"
RECOVERIES: list[tuple[Disturbance, list[tuple[str, str, int]]]] = [
    (_end_sessions, [("PATCH", NOTE, 428), NEW_SESSION, ("PATCH", NOTE, 200)]),
    (_raise_epoch, [("PATCH", NOTE, 409), NEW_SESSION, ("PATCH", NOTE, 200)]),
    (_wipe, [("PATCH", NOTE, 428), NEW_SESSION, ("PATCH", NOTE, 404)]),
]


@pytest.mark.parametrize(("disturb", "then"), RECOVERIES)
async def test_a_lost_session_is_made_anew_and_the_call_repeated_once(
    disturb: Disturbance, then: list[tuple[str, str, int]]
) -> None:
    """Ended, behind the epoch or wiped elsewhere: the new session's id and epoch are sent."""
    async with wired() as wire:
        await wire.call("get_note", {"uid": LIVE})
        before = len(wire.exchanges)
        disturb(wire)
        await wire.call("patch_note", {"uid": LIVE, "updates": {"a": 1}})
        made = json.loads(wire.router.calls[before + 1].response.content)
        last = wire.sent[-1].values

        assert then == wire.exchanges[before:]
        assert made["id"] == last[b"x-sync-session"]
        assert str(made["epoch"]) == last[b"x-sync-epoch"]


UNKNOWN = str(uuid.UUID(int=5, version=4))
REFUSALS: list[tuple[str, dict[str, Any], str, int]] = [
    ("get_note", {"uid": UNKNOWN}, "not_found", 404),
    ("get_note", {"uid": DELETED}, "gone", 410),
    ("delete_note", {"uid": DELETED}, "gone", 410),
    ("patch_note", {"uid": LIVE, "updates": {"a": 1}, "if_match": 9}, "precondition_failed", 412),
    ("patch_note", {"uid": LIVE, "updates": {"a": "\x00"}}, "upstream_error", 500),
    (
        "create_comment",
        {"content": "C", "parent_type": "note", "parent_uid": DELETED},
        "upstream_error",
        500,
    ),
    ("create_chat_message", {"content": "C", "chat_uid": UNKNOWN}, "upstream_error", 500),
]


@pytest.mark.parametrize(("tool", "arguments", "code", "status"), REFUSALS)
async def test_a_refusal_is_relayed_after_one_request(
    tool: str, arguments: dict[str, Any], code: str, status: int
) -> None:
    """The Go API's own refusals, each asked for once and told by its code and message."""
    async with wired() as wire:
        error = (await wire.call(tool, arguments))["structuredContent"]["error"]

        assert (code, status, CORRELATION_ID) == (
            error["code"],
            error["status"],
            error["correlation_id"],
        )
        assert json.loads(wire.answered)["error"] in error["message"]
        assert [201, status] == [seen for _, _, seen in wire.exchanges]


async def test_a_throttled_caller_is_told_when_to_come_back() -> None:
    """The API's 429 reaches the caller at once, with its Retry-After, and is not retried."""
    now = time.time_ns()  # stands still: the bucket must not fill while the call is made
    async with wired(clock=lambda: now) as wire:
        while wire.caller.send("GET", "/v1/tasks").status != httpx.codes.TOO_MANY_REQUESTS:
            pass
        error = (await wire.call("list_notes", {}))["structuredContent"]["error"]

        assert ("rate_limited", 429, 1) == (error["code"], error["status"], error["retry_after"])
        assert [201, 429] == [status for _, _, status in wire.exchanges]
