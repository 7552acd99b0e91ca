"""Every row of the error contract, for a read and for a mutation."""

import gzip
import json
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from support.proxy_app import Mcp
from support.proxy_upstream import ITEM, UID, FakeGoApi, Planned, Reply, reply

REQUEST = httpx.Request("GET", "http://go-api.internal:8081")


def answer(status: int, error: str | None = None, **headers: str) -> Reply:
    return reply(status, {"error": error, "correlation_id": "c"} if error else None, **headers)


def text(status: int, body: str, kind: str = "text/plain") -> Reply:
    return Reply(status, body.encode(), (("Content-Type", kind),))


@dataclass(frozen=True)
class Row:
    """What the Go API does each time, and what a read and a mutation then say, and how often
    each is sent."""

    name: str
    planned: Planned
    read: str
    mutation: str
    reads: int = 1
    writes: int = 1
    status: int | None = None
    extra: dict[str, Any] = field(default_factory=dict)


def same(name: str, planned: Planned, code: str, attempts: int = 1, **rest: Any) -> Row:
    return Row(name, planned, code, code, attempts, attempts, **rest)


ROWS = [
    same("400", answer(400, "invalid JSON"), "invalid_argument", status=400),
    same("401 jwt", text(401, "unauthorized\n"), "upstream_token_rejected", status=401),
    same(
        "401 tenant",
        text(401, "Unauthorized: invalid tenant headers\n"),
        "tenant_headers_rejected",
        status=401,
    ),
    same(
        "403 session",
        answer(403, "Session does not belong to authenticated user."),
        "session_unavailable",
        2,
        status=403,
    ),
    same("428", answer(428, "Invalid or expired sync session."), "session_unavailable", 2),
    same("403 other", text(403, "forbidden\n"), "upstream_forbidden", status=403),
    *(same(str(s), answer(s), "upstream_rejected", status=s) for s in (405, 406, 415, 418, 422)),
    same("404", answer(404, "note not found"), "not_found", status=404),
    same("410", answer(410, "note deleted"), "gone", status=410),
    same("412", answer(412, "version mismatch"), "precondition_failed", status=412),
    same("413", answer(413), "payload_too_large", status=413),
    same("409 epoch", answer(409, "epoch_mismatch"), "epoch_mismatch", 2, status=409),
    same("409 version", answer(409, "version mismatch: expected 3"), "conflict", status=409),
    same(
        "429",
        answer(429, "Rate limit exceeded.", retry_after="7"),
        "rate_limited",
        status=429,
        extra={"retry_after": 7},
    ),
    *(same(str(s), answer(s, "failed"), "upstream_error", status=s) for s in (500, 501, 599)),
    Row("503", answer(503), "upstream_unavailable", "upstream_unavailable", 2, 1, 503),
    Row("502", answer(502), "upstream_unavailable", "outcome_unknown", 2, 1, 502),
    Row("504", answer(504), "upstream_timeout", "outcome_unknown", 2, 1, 504),
    Row("408", answer(408), "upstream_timeout", "outcome_unknown", 2, 1, 408),
    same("refused", httpx.ConnectError("refused", request=REQUEST), "upstream_unreachable", 2),
    same(
        "connect time-out",
        httpx.ConnectTimeout("slow", request=REQUEST),
        "upstream_connect_timeout",
        2,
    ),
    Row("reset", httpx.ReadError("reset"), "upstream_unreachable", "outcome_unknown", 2, 1),
    Row(
        "closed unanswered",
        httpx.RemoteProtocolError("Server disconnected without sending a response."),
        "upstream_unreachable",
        "outcome_unknown",
        2,
        1,
    ),
    Row(
        "not HTTP",
        httpx.RemoteProtocolError("illegal status line"),
        "upstream_bad_response",
        "outcome_unknown",
        2,
        1,
    ),
    *(
        same(str(s), answer(s, location="https://evil.example/"), "upstream_redirect", status=s)
        for s in (301, 302, 303, 307, 308)
    ),
    *(
        Row(f"200 {name}", planned, "upstream_bad_response", "outcome_unknown", status=200)
        for name, planned in {
            "html": text(200, "<p>hello</p>", "text/html"),
            "JSON called html": text(200, json.dumps(ITEM), "text/html"),
            "empty": reply(200),
            "list": reply(200, []),
            "number": reply(200, 5),
            "no uid": reply(200, {"version": 1, "updatedAt": "", "payload": {}}),
            "text version": reply(200, ITEM | {"version": "3"}),
            "null payload": reply(200, ITEM | {"payload": None}),
            "compressed": Reply(
                200,
                gzip.compress(json.dumps(ITEM).encode()),
                (("Content-Type", "application/json"), ("Content-Encoding", "gzip")),
            ),
        }.items()
    ),
    Row("204", reply(204), "upstream_bad_response", "outcome_unknown", status=204),
    *(
        Row(
            f"200 {name}",
            Reply(200, body),
            "upstream_bad_response",
            "outcome_unknown",
        )
        for name, body in {
            "truncated": b'{"uid":',
            "NaN": b'{"uid":"a","version":1,"updatedAt":"","payload":{"n":NaN}}',
            "two uids": b'{"uid":"a","uid":"b","version":1,"updatedAt":"","payload":{}}',
            "byte order mark": b'\xef\xbb\xbf{"uid":"a"}',
            "not UTF-8": b'{"uid":"\xff","version":1,"updatedAt":"","payload":{}}',
        }.items()
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_a_read_reports_the_code_of_the_contract(
    row: Row, mcp: Mcp, go_api: FakeGoApi
) -> None:
    """get_note gives the read column's code after the allowed number of attempts."""
    go_api.entity += [row.planned] * 5
    error = await mcp.error("get_note", uid=UID)
    assert (row.read, row.reads) == (error["code"], len(go_api.requests))
    _has_the_shape(error, row)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_a_mutation_reports_the_code_of_the_contract(
    row: Row, mcp: Mcp, go_api: FakeGoApi
) -> None:
    """patch_note gives the mutation column's code, and is never sent again blindly."""
    go_api.entity += [row.planned] * 5
    error = await mcp.error("patch_note", uid=UID, updates={"a": 1})
    assert (row.mutation, row.writes) == (error["code"], len(go_api.requests))
    _has_the_shape(error, row)


def _has_the_shape(error: dict[str, Any], row: Row) -> None:
    keys = {"code", "message", "status", "retry_after", "uid", "correlation_id"}
    assert keys == error.keys()
    assert error["uid"] == UID
    assert error["correlation_id"]
    if row.status is not None:
        assert row.status == error["status"]
    for name, value in row.extra.items():
        assert value == error[name]
