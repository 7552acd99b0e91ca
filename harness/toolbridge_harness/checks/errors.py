"""What the proxy makes of the Go API's errors: the right code, no repetition of writes."""

import asyncio
import json
import time
from dataclasses import replace
from typing import Any

from toolbridge_contract.control import Fault
from toolbridge_harness.model import Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import Untestable, Violation, require, require_equal
from toolbridge_harness.wire import Reply

NEEDS = {Vantage.TOKENS, Vantage.UPSTREAM}
_CONTROL = ("control-token", "sessions-own")
_NOTES = "/v1/notes.*"


def _body(text: str) -> bytes:
    return json.dumps({"error": text, "correlation_id": "c-1"}).encode()


# Of the error contract: what each status means for a mutation.
_CODES = {
    "invalid_argument": (400,),
    "upstream_token_rejected": (401,),
    "upstream_forbidden": (403,),
    "not_found": (404,),
    "conflict": (409,),
    "gone": (410,),
    "precondition_failed": (412,),
    "payload_too_large": (413,),
    "rate_limited": (429,),
    "upstream_rejected": (405, 415, 418, 422),
    "upstream_error": (500, 501, 599),
    "upstream_unavailable": (503,),
    "outcome_unknown": (408, 502, 504),
    "upstream_redirect": (307,),
}


@check(
    "errors-status-codes",
    "Each upstream error becomes its own machine-readable code",
    severity=Severity.HIGH,
    catalogue=("ERR-01", "ERR-09", "ERR-18"),
    source="DESIGN: error contract",
    remedy="Map status by status as the error contract's table says.",
    why="An agent can only react to an error that it can tell from the others.",
    needs=NEEDS,
    explained_by=(
        *_CONTROL,
        "tools-patch-exact",
        "sessions-conflict-not-retried",
        "tools-update-conflict",
        "limits-rate-passed-on",
    ),
    broken="upstream errors are not mapped as the error contract says",
)
async def statuses_have_codes(target: Target, caller: Caller) -> None:
    """Makes the Go API answer a PATCH with 21 different errors, one call each."""
    note = await caller.given("create_note", {"title": caller.text(), "content": "x"})
    for code, statuses in _CODES.items():
        for status in statuses:
            await caller.inject(
                kind="answer", methods=("PATCH",), status=status, body=_body("version mismatch: x")
            )
            seen = await caller.mark()
            reply = await caller.call("patch_note", {"uid": note["uid"], "updates": {"a": status}})
            require_equal(code, reply.code, f"code for {status} on a mutation:")
            sent = await caller.entity_requests(seen)
            require_equal(1, len(sent), f"requests sent for a {status} on a mutation:")


@check(
    "errors-tenant-rejection",
    "Rejected tenant headers are told from a rejected token",
    severity=Severity.HIGH,
    catalogue="ERR-02",
    source="check catalogue ERR-02; MCP 2025-11-25 authorization",
    remedy="Tell the two 401 bodies apart, and answer neither with a 401 of your own.",
    why="A client that is told its token is bad logs in again, for ever, and in vain.",
    needs=NEEDS,
    explained_by=_CONTROL,
    broken="a 401 of the Go API is passed off as the caller's bad token",
)
async def rejections_are_told_apart(target: Target, caller: Caller) -> None:
    """Makes the Go API answer with each of its two 401 texts."""
    await caller.control()
    for text, code in (
        ("Unauthorized: invalid tenant headers\n", "tenant_headers_rejected"),
        ("unauthorized\n", "upstream_token_rejected"),
    ):
        headers = (("Content-Type", "text/plain; charset=utf-8"),)
        await caller.inject(kind="answer", status=401, headers=headers, body=text.encode())
        reply = await caller.call("list_notes", {"limit": 1})
        require_equal(200, reply.status, f"HTTP status for {text.strip()!r}:")
        require_equal(code, reply.code, f"code for {text.strip()!r}:")


@check(
    "errors-rate-limited",
    "A 429 reaches the caller with its Retry-After, and is not retried at once",
    severity=Severity.HIGH,
    catalogue="RES-11",
    source="RFC 6585 §4; RFC 9110 §10.2.3",
    remedy="Answer rate_limited with retry_after; let the caller decide when to come back.",
    why="Retrying a 429 at once keeps the bucket empty for everybody.",
    needs=NEEDS,
    explained_by=(*_CONTROL, "resilience-create-once", "limits-rate-passed-on"),
    broken="429 of the Go API is retried, or its Retry-After is lost",
)
async def rate_limit_is_passed_on(target: Target, caller: Caller) -> None:
    """Makes the Go API answer 429 with Retry-After 7 to a read and to a create."""
    await caller.control()
    await caller.control_write()
    calls: tuple[tuple[str, dict[str, Any]], ...] = (
        ("list_notes", {"limit": 1}),
        ("create_note", {"title": caller.text(), "content": "x"}),
    )
    for tool, arguments in calls:
        headers = (("Content-Type", "application/json"), ("Retry-After", "7"))
        await caller.inject(
            kind="answer",
            path=_NOTES,
            status=429,
            headers=headers,
            body=_body("Rate limit"),
            times=2,
        )
        seen = await caller.mark()
        reply = await caller.call(tool, arguments)
        require_equal("rate_limited", reply.code, f"{tool}: code")
        require_equal(7, reply.tool_error.get("retry_after"), f"{tool}: retry_after")
        sent = await caller.entity_requests(seen)
        require_equal(1, len(sent), f"{tool}: requests sent")
        await target.mock.clear_faults(caller.sub)


def _says_outcome_unknown(reply: Reply, what: str) -> None:
    require_equal("outcome_unknown", reply.code, f"{what}: code")
    text = str(reply.tool_error.get("message", "")).lower()
    # "do not retry" is good advice; an invitation is not.
    told = text.replace("do not retry", "").replace("don't retry", "").replace("never retry", "")
    require("retry" not in told, f"{what}: a message that does not invite to retry", text)


@check(
    "errors-lost-answer",
    "A write whose answer is lost is not repeated, and said to be of unknown outcome",
    severity=Severity.CRITICAL,
    catalogue=("RES-07", "RES-15", "RES-32"),
    source="RFC 9110 §9.2.2",
    remedy="After a write was sent, retry nothing: answer outcome_unknown with the uid.",
    why="A repeated create is a duplicate; an agent that is told to retry makes it itself.",
    needs=NEEDS,
    explained_by=_CONTROL,
    broken="writes whose answer is lost are repeated, or reported as something definite",
)
async def lost_answer_is_unknown(target: Target, caller: Caller) -> None:
    """Lets the Go API write, then resets the connection or cuts the answer short."""
    await caller.control()
    note = await caller.control_write()
    for kind in ("reset", "truncate"):
        title = caller.text(kind)
        await caller.inject(kind=kind, methods=("POST",), path="/v1/notes", commit=True)
        seen = await caller.mark()
        reply = await caller.call("create_note", {"title": title, "content": "x"})
        _says_outcome_unknown(reply, kind)
        sent = [r for r in await caller.entity_requests(seen) if r.method == "POST"]
        require_equal(1, len(sent), f"{kind}: requests sent")
        items = (await caller.given("list_notes", {"limit": 1000}))["items"]
        titles = [i["payload"].get("title") for i in items]
        require_equal(1, titles.count(title), f"{kind}: notes with this title")
    # HTTP clients repeat PUT and DELETE by themselves: RFC 9110 calls them idempotent.
    for tool, arguments in _changes(note["uid"]).items():
        # A proxy may read before it writes: the fault is for the write.
        writes = ("PUT", "PATCH", "POST", "DELETE")
        await caller.inject(kind="reset", methods=writes, path="/v1/notes/.+", commit=True)
        seen = await caller.mark()
        _says_outcome_unknown(await caller.call(tool, arguments), tool)
        sent = [r for r in await caller.entity_requests(seen) if r.method in writes]
        require_equal(1, len(sent), f"{tool}: requests sent")


def _changes(uid: str) -> dict[str, dict[str, Any]]:
    """Return a call of each tool that changes a note, in an order in which all succeed."""
    return {
        "update_note": {"uid": uid, "title": "changed", "content": "x"},
        "patch_note": {"uid": uid, "updates": {"title": "changed"}},
        "archive_note": {"uid": uid},
        "process_note": {"uid": uid, "action": "pin"},
        "delete_note": {"uid": uid},
    }


@check(
    "errors-upstream-silent",
    "A Go API that does not answer costs one deadline, and nobody else waits",
    severity=Severity.HIGH,
    catalogue="RES-04",
    source="OWASP API4:2023; check catalogue RES-04",
    remedy="One total deadline per call; no blocking calls and no locks around the upstream.",
    why="One slow query must not stop everybody else's calls.",
    needs=NEEDS,
    explained_by=_CONTROL,
    broken="a silent Go API is waited for without end, or blocks other callers",
)
async def silence_is_bounded(target: Target, caller: Caller) -> None:
    """Makes a read of one user hang, while another user and health_check go on."""
    await caller.control()
    other = target.caller()
    await other.control()
    usual = time.monotonic()
    await other.call("health_check", token=None)
    await other.call("list_notes", {"limit": 1})
    usual = time.monotonic() - usual
    deadline = target.deployment.upstream_deadline
    await caller.inject(kind="hang", path=_NOTES, times=None)
    started = time.monotonic()
    slow = asyncio.create_task(caller.call("list_notes", {"limit": 1}))
    await asyncio.sleep(deadline / 4)
    health = await other.call("health_check", token=None)
    reply = await other.call("list_notes", {"limit": 1})
    waited = time.monotonic() - started
    read = await slow
    total = time.monotonic() - started
    await target.mock.clear_faults(caller.sub)
    require(health.ok and reply.ok, "other callers to be served meanwhile", reply.brief)
    # Well before the silence ends; on a busy machine as much later as these calls were slow before.
    allowed = max(deadline * 0.75, deadline / 4 + 4 * usual)
    require(waited < allowed, f"other callers served within {allowed:.1f} s", f"{waited:.1f} s")
    require_equal("upstream_timeout", read.code, "code of the read:")
    # Half a deadline and a second of grace: both cores may be busy.
    late = f"{total:.1f} s"
    require(total < deadline * 1.5 + 1, f"an end at the deadline of {deadline:g} s", late)


@check(
    "errors-write-timeout",
    "A write that is not answered in time is sent once, and said to be of unknown outcome",
    severity=Severity.CRITICAL,
    catalogue=("RES-08", "RES-32"),
    source="RFC 9110 §9.2.2; check catalogue RES-08",
    remedy="After a write was sent, retry nothing, not even on a time-out: answer outcome_unknown.",
    why="A time-out is the commonest way to lose an answer, and to write twice.",
    needs=NEEDS,
    explained_by=(*_CONTROL, "tools-note-life-cycle", "errors-upstream-silent"),
    broken="a write that times out is sent again, or reported as something definite",
)
async def write_timeout_is_unknown(target: Target, caller: Caller) -> None:
    """Lets the Go API write a note and never answer, then counts requests and notes."""
    await caller.control()
    await caller.control_write()
    title, seen = caller.text("slow"), await caller.mark()
    await caller.inject(kind="hang", methods=("POST",), path=_NOTES, times=None, commit=True)
    reply = await caller.call("create_note", {"title": title, "content": "x"})
    await target.mock.clear_faults(caller.sub)
    _says_outcome_unknown(reply, "the create")
    posts = [r for r in await caller.entity_requests(seen) if r.method == "POST"]
    require_equal(1, len(posts), "times that the create was sent:")
    items = (await caller.given("list_notes", {"limit": 1000}))["items"]
    titles = [item["payload"].get("title") for item in items]
    require_equal(1, titles.count(title), "notes that the create made:")


@check(
    "errors-redirect",
    "A redirect of the Go API is not followed",
    severity=Severity.CRITICAL,
    catalogue=("RES-17", "SIG-07"),
    source="OWASP API10:2023; RFC 9110 §15.4",
    remedy="Set follow_redirects=False and answer upstream_redirect.",
    why="Followed, it sends the token, the session and fresh signatures to another host.",
    needs=NEEDS,
    explained_by=(*_CONTROL, "resilience-create-once"),
    broken="the proxy follows redirects of the Go API with its credentials",
)
async def redirects_are_not_followed(target: Target, caller: Caller) -> None:
    """Redirects a read and a create to another path of the recorder."""
    await caller.control()
    await caller.control_write()
    calls: tuple[tuple[str, dict[str, Any]], ...] = (
        ("list_notes", {"limit": 1}),
        ("create_note", {"title": caller.text(), "content": "x"}),
    )
    for tool, arguments in calls:
        for status in (302, 307):
            headers = (("Location", "/v1/tasks?stolen=1"),)
            await caller.inject(kind="answer", path="/v1/notes", status=status, headers=headers)
            seen = await caller.mark()
            reply = await caller.call(tool, arguments)
            require_equal("upstream_redirect", reply.code, f"{tool} after {status}: code")
            sent = await caller.entity_requests(seen)
            require_equal(1, len(sent), f"{tool} after {status}: requests sent")


@check(
    "errors-not-json",
    "A success that is not the expected JSON is an error without the page in it",
    severity=Severity.MEDIUM,
    catalogue=("RES-16", "ERR-05", "ERR-10"),
    source="OWASP API10:2023; check catalogue RES-16",
    remedy="Check content type and shape before relaying; quote at most a line.",
    why="An ingress's error page is not data, and its text is not for an agent to obey.",
    needs=NEEDS,
    explained_by=_CONTROL,
    broken="answers of the Go API that are not the expected JSON are relayed",
)
async def odd_success_is_an_error(target: Target, caller: Caller) -> None:
    """Answers a read with HTML, broken JSON, NaN, a list, nothing, and pages of an ingress."""
    await caller.control()
    page = b"<html><script>alert(1)</script>" + b"x" * 5000 + b"</html>"
    odd = (
        (200, "text/html", page, "upstream_bad_response"),
        (200, "application/json", b'{"items":', "upstream_bad_response"),
        (200, "application/json", b"[]", "upstream_bad_response"),
        (200, "application/json", b'{"items":[NaN]}', "upstream_bad_response"),
        (200, "application/json", b"", "upstream_bad_response"),
        (400, "text/html", page, "invalid_argument"),
        (503, "text/html", page, "upstream_unavailable"),
        (503, "application/json", page, "upstream_unavailable"),
    )
    for status, kind, body, code in odd:
        headers = (("Content-Type", kind),)
        answer = {"path": "/v1/notes", "status": status, "headers": headers, "body": body}
        await caller.inject(times=None, **answer)
        reply = await caller.call("list_notes", {"limit": 1})
        await target.mock.clear_faults(caller.sub)
        require_equal(code, reply.code, f"code for {status} with {body[:20]!r}:")
        if "<script>" in reply.text or len(reply.text) > 4000:
            raise Violation("a short error without the upstream's page", f"{len(reply.text)} bytes")


@check(
    "errors-session-failure",
    "A failure to make a session is reported as what it is, and not remembered",
    severity=Severity.HIGH,
    catalogue=("SES-07", "RES-14"),
    source="check catalogue SES-07",
    remedy="Cache sessions, never failures; before a write was sent the outcome is known.",
    why="A cached failure locks a user out after the Go API has long recovered.",
    needs=NEEDS,
    explained_by=_CONTROL,
    broken="a failed session creation is cached or misreported",
)
async def session_failure_is_not_cached(target: Target, caller: Caller) -> None:
    """Makes session creation fail with 500 during a user's first call, then calls again."""
    await target.caller().control_write()
    # Trying again within the call is as right as not.
    await caller.inject(path="/v1/sync/sessions", times=None, status=500, body=_body("no"))
    first = await caller.call("create_note", {"title": caller.text(), "content": "x"})
    await target.mock.clear_faults(caller.sub)
    require_equal("upstream_error", first.code, "code while sessions cannot be made:")
    second = replace(caller.request("list_notes", {"limit": 1}))
    reply = await target.send(second)
    require(reply.ok, "the next call to succeed", reply.brief)
    require_equal([], reply.data["items"], "notes after a create that never was sent:")


@check(
    "errors-health-alone",
    "health_check answers at once while the Go API hangs for everybody",
    severity=Severity.HIGH,
    catalogue="ERR-14",
    source="Fly.io health checks; check catalogue ERR-14",
    remedy="Answer liveness from the process alone; ask the Go API in readiness, with a bound.",
    why="A health check that waits for the Go API takes every machine out with it.",
    needs=NEEDS,
    alone=True,
    broken="health_check waits for the Go API",
)
async def health_needs_no_upstream(target: Target, caller: Caller) -> None:
    """Makes every upstream request hang, whoever's it is, and times health_check."""
    before = await caller.call("health_check", token=None)
    if not before.ok:
        raise Untestable(f"health_check did not succeed beforehand: {before.brief}")
    await target.mock.inject(Fault(kind="hang"))
    try:
        meanwhile = await caller.call("health_check", token=None)
    finally:
        await target.mock.clear_faults()
    require(meanwhile.ok, "health_check to succeed meanwhile", meanwhile.brief)
    # 1 s is the catalogue's bound; a busy machine gets ten times what it took beforehand.
    bound = max(1.0, 10 * before.seconds)
    require(
        meanwhile.seconds < bound, f"an answer within {bound:.1f} s", f"{meanwhile.seconds:.1f} s"
    )
