"""Answers of the Go API that are odd, refused for a while, or lost on the way to a read."""

import json
from typing import Any

from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import require, require_equal

NEEDS = {Vantage.TOKENS, Vantage.UPSTREAM}
_CONTROL = ("control-token", "sessions-own")
_NOTES = "/v1/notes.*"
_JSON = ("Content-Type", "application/json")
_ERROR = json.dumps({"error": "try later", "correlation_id": "c-1"}).encode()
_PAGE = b'{"items":[]}'


@check(
    "resilience-read-attempts",
    "A read that fails on the way is tried a few times at most, and says what is wrong",
    severity=Severity.MEDIUM,
    catalogue=("RES-06", "RES-10"),
    source="RFC 9110 §9.2.2; OWASP API4:2023",
    remedy="Retry a read once or twice after a pause, within the call's deadline, and then stop.",
    why="Every further attempt is load on a Go API that has too much already.",
    needs=NEEDS,
    profile=Profile.FULL,
    explained_by=(*_CONTROL, "errors-status-codes", "resilience-amplification"),
    broken="reads that fail are repeated again and again",
    seconds=60,
)
async def reads_are_tried_a_few_times(target: Target, caller: Caller) -> None:
    """Resets two kinds of reads, or answers them with 502, 503 and 504, until they give up."""
    note = await caller.control_write()
    reads: dict[str, dict[str, Any]] = {
        "list_notes": {"limit": 1},
        "get_note": {"uid": note["uid"]},
    }
    faults: dict[str, tuple[dict[str, Any], str, int]] = {
        "a reset": ({"kind": "reset"}, "upstream_unreachable", 2),
        "502": ({"status": 502}, "upstream_unavailable", 3),
        "503": ({"status": 503}, "upstream_unavailable", 3),
        "504": ({"status": 504}, "upstream_timeout", 3),
    }
    for tool, arguments in reads.items():
        for what, (fault, code, most) in faults.items():
            seen = await caller.mark()
            await caller.inject(path=_NOTES, times=None, headers=(_JSON,), body=_ERROR, **fault)
            reply = await caller.call(tool, arguments)
            await target.mock.clear_faults(caller.sub)
            require_equal(code, reply.code, f"code of {tool} after {what}:")
            sent = len(await caller.entity_requests(seen))
            require(1 <= sent <= most, f"1 to {most} attempts of {tool} after {what}", sent)


# A number, nonsense, and dates of both sorts (RFC 9110 §10.2.3).
_RETRY_AFTER = (
    "0",
    "-1",
    "1.5",
    "1000000000",
    "9" * 400,
    "abc",
    "",
    "Wed, 21 Oct 2015 07:28:00 GMT",
    "Sat, 31 Dec 2098 23:59:59 GMT",
    "Sat, 99 Foo 2098 99:99:99 GMT",
)


@check(
    "resilience-retry-after",
    "No value of Retry-After makes the proxy wait, crash, or tell nonsense",
    severity=Severity.MEDIUM,
    catalogue="RES-12",
    source="RFC 9110 §10.2.3",
    remedy="Parse seconds and HTTP dates, leave out what is neither, and never sleep for it.",
    why="A gateway's odd header would otherwise cost every caller the whole deadline.",
    needs=NEEDS,
    profile=Profile.FULL,
    explained_by=(*_CONTROL, "errors-rate-limited", "errors-status-codes"),
    broken="an odd Retry-After makes calls hang or crash",
    seconds=60,
)
async def any_retry_after_is_survived(target: Target, caller: Caller) -> None:
    """Answers creates with 429, then 503, with ten values of Retry-After, and with two at once."""
    await caller.control_write()
    kinds: list[tuple[tuple[str, str], ...]] = [(("Retry-After", value),) for value in _RETRY_AFTER]
    kinds += [(("Retry-After", "7"), ("Retry-After", "9")), ()]
    for headers in kinds:
        for status, code in ((429, "rate_limited"), (503, "upstream_unavailable")):
            what = f"{status} with Retry-After {[value[:40] for _, value in headers]}"
            await caller.inject(
                methods=("POST",),
                path=_NOTES,
                status=status,
                headers=(_JSON, *headers),
                body=_ERROR,
            )
            reply = await caller.call("create_note", {"title": caller.text(), "content": "x"})
            require_equal(code, reply.code, f"code of a create answered {what}:")
            told = reply.tool_error.get("retry_after")
            sane = told is None or (isinstance(told, int | float) and told >= 0)
            require(sane, f"seconds or nothing in retry_after for {what}", told)
            bound = target.deployment.upstream_deadline
            took = f"{reply.seconds:.1f} s"
            require(reply.seconds < bound, f"no waiting for {what}", took)


@check(
    "resilience-odd-answers",
    "An answer that is legal but unusual is handled, or is an error without a crash",
    severity=Severity.LOW,
    catalogue="RES-25",
    source="RFC 9110 §15.3; RFC 9112",
    remedy="Take any 2xx with the expected JSON; bound headers where the HTTP library does.",
    why="Gateways add headers by the dozen, and change one success for another.",
    needs=NEEDS,
    profile=Profile.FULL,
    explained_by=_CONTROL,
    broken="legal but unusual answers of the Go API crash the proxy",
    seconds=60,
)
async def odd_answers_are_survived(target: Target, caller: Caller) -> None:
    """Answers reads with odd successes, many headers, long headers, and odd header values."""
    await caller.control()
    odd = {
        "201 to a read": (201, (_JSON,)),
        "203 to a read": (203, (_JSON,)),
        "JSON with parameters": (200, (("Content-Type", 'application/json; a="b"; charset=x'),)),
        "500 headers": (200, (_JSON, *((f"X-Many-{n}", "x" * 20) for n in range(500)))),
        "a header of 60 KB": (200, (_JSON, ("X-Long", "x" * 60_000))),
        "a header of bytes above ASCII": (200, (_JSON, ("X-Bytes", "\xff\xfe\x80"))),
        "an empty header": (200, (_JSON, ("X-Empty", ""))),
        "a hundred cookies": (200, (_JSON, *(("Set-Cookie", f"a{n}=b") for n in range(100)))),
        "two content types": (200, (_JSON, ("content-type", "text/html"))),
    }
    codes = {"upstream_bad_response", "upstream_unreachable", "response_too_large"}
    for what, (status, headers) in odd.items():
        # Twice: a proxy may try a read again.
        await caller.inject(path=_NOTES, times=2, status=status, headers=headers, body=_PAGE)
        reply = await caller.call("list_notes", {"limit": 1})
        await target.mock.clear_faults(caller.sub)
        good = reply.ok and reply.data.get("items") == []
        require(good or reply.code in codes, f"a page or a definite error for {what}", reply.brief)
    await caller.control()


# What arrives of an answer that promises more: the shapes of a whole page, of half of one, and of
# a text that ends in the middle of a letter.
_CUT = {
    "a whole page": _PAGE,
    "half of a page": b'{"items":[{"uid":',
    "half of a letter": '{"items":[],"nextCursor":"ä'.encode()[:-1],
}


@check(
    "resilience-cut-answer",
    "An answer that ends early is an error, however whole it looks",
    severity=Severity.HIGH,
    catalogue="RES-15",
    source="RFC 9112 §8; check catalogue RES-15",
    remedy="Believe a body only when all of its Content-Length came: else upstream_bad_response.",
    why="Half of a list passes for all of it, and an agent makes again what it does not see.",
    needs=NEEDS,
    explained_by=(*_CONTROL, "errors-not-json", "errors-lost-answer"),
    broken="answers of the Go API that are cut short are taken for whole",
)
async def cut_answers_are_errors(target: Target, caller: Caller) -> None:
    """Closes the connection in the middle of answers to a read, and to a patch that was written."""
    note = await caller.control_write()
    cut: dict[str, Any] = {"kind": "truncate", "status": 200, "headers": (_JSON,), "path": _NOTES}
    for what, body in _CUT.items():
        await caller.inject(times=None, body=body, **cut)
        reply = await caller.call("list_notes", {"limit": 1})
        await target.mock.clear_faults(caller.sub)
        require_equal("upstream_bad_response", reply.code, f"code of a read that got {what}:")
    written = json.dumps(note).encode()
    await caller.inject(methods=("PATCH",), commit=True, body=written, **cut)
    reply = await caller.call("patch_note", {"uid": note["uid"], "updates": {"title": "x"}})
    require_equal("outcome_unknown", reply.code, "code of a patch whose answer was cut:")
    await caller.control()
