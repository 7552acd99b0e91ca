"""What a misbehaving Go API can do to others: cookies, repetition, amplification, huge answers."""

import asyncio
import gzip
import json
import zlib

from toolbridge_contract.control import RecordedRequest
from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import require, require_equal

NEEDS = {Vantage.TOKENS, Vantage.UPSTREAM}
_CONTROL = ("control-token", "sessions-own")
_NOTES = "/v1/notes.*"
_SESSIONS = "/v1/sync/sessions"
_JSON = ("Content-Type", "application/json")
_EMPTY_PAGE = b'{"items":[]}'
_ERROR = json.dumps({"error": "try later", "correlation_id": "c-1"}).encode()
# Judged from 50 calls on: below that, the burst of a retry budget is all that one sees.
_CALLS = 50


@check(
    "resilience-cookies",
    "A cookie that the Go API sets for one caller never goes out with another's request",
    severity=Severity.CRITICAL,
    catalogue="RES-19",
    source="RFC 6265 §5.3; CWE-488; OWASP API10:2023",
    remedy="Give the upstream client no cookie jar: keep nothing of an answer for other requests.",
    why="A shared jar hands one user's upstream login or server affinity to everybody.",
    needs=NEEDS,
    explained_by=_CONTROL,
    broken="cookies of one caller's answers are sent with other callers' requests",
)
async def cookies_stay_apart(target: Target, caller: Caller) -> None:
    """Sets cookies on one user's good and bad answers, then calls as another user."""
    other = target.caller(unlike=caller)
    for user in (caller, other):
        await user.control()
    seen = await other.mark()
    value = f"{target.random.getrandbits(64):016x}"
    cookies = (("Set-Cookie", f"sid={value}; Path=/"), ("Set-Cookie", f"route={value}"))
    for status, body in ((200, _EMPTY_PAGE), (500, _ERROR)):
        headers = (_JSON, *cookies)
        await caller.inject(path=_NOTES, status=status, headers=headers, body=body)
        reply = await caller.call("list_notes", {"limit": 1})
        require_equal(status == 200, reply.ok, f"success of a call answered {status}:")
    for _ in range(3):
        await other.given("create_note", {"title": other.text(), "content": "x"})
    for request in await other.upstream(seen):
        carried = [name for name, text in request.headers if value in text]
        require_equal([], carried, "headers of another user with the first one's cookie:")


@check(
    "resilience-create-once",
    "A create that the Go API answers with 5xx is sent once, with the right code",
    severity=Severity.HIGH,
    catalogue="RES-09",
    source="RFC 9110 §9.2.2; DESIGN: error contract",
    remedy="Never repeat a POST after it was sent; 502 and 504 are outcome_unknown.",
    why="A gateway's 5xx may come after the note was written: repetition makes a duplicate.",
    needs=NEEDS,
    explained_by=(*_CONTROL, "errors-status-codes"),
    broken="a POST that is answered with 5xx is sent again, or its outcome misreported",
)
async def failed_posts_are_sent_once(target: Target, caller: Caller) -> None:
    """Answers creates with 500, 502, 503 and 504, with and without Retry-After."""
    await caller.control_write()
    codes = {500: "upstream_error", 502: "outcome_unknown"}
    codes |= {503: "upstream_unavailable", 504: "outcome_unknown"}
    for status, code in codes.items():
        for headers in ((_JSON,), (_JSON, ("Retry-After", "0"))):
            await caller.inject(
                methods=("POST",),
                path=_NOTES,
                times=None,
                status=status,
                headers=headers,
                body=_ERROR,
            )
            seen = await caller.mark()
            reply = await caller.call("create_note", {"title": caller.text(), "content": "x"})
            await target.mock.clear_faults(caller.sub)
            sent = len(await caller.entity_requests(seen))
            require_equal(1, sent, f"times that a create answered {status} was sent:")
            require_equal(code, reply.code, f"code of a create answered {status}:")


async def _calls(caller: Caller, at_once: int) -> list[str]:
    """Make the calls, `at_once` at a time, and return their codes."""
    codes: list[str] = []
    for _ in range(_CALLS // at_once):
        batch = (caller.call("list_notes", {"limit": 1}) for _ in range(at_once))
        codes += [reply.code for reply in await asyncio.gather(*batch)]
    return codes


@check(
    "resilience-amplification",
    "An outage of the Go API is not multiplied by retries",
    severity=Severity.HIGH,
    catalogue="RES-13",
    source="OWASP API4:2023; RFC 6585 §4",
    remedy="Keep one retry budget for the process, at a tenth of its calls; retry no 429.",
    why="A proxy that retries every call doubles the load just when the Go API has too much.",
    needs=NEEDS,
    profile=Profile.FULL,
    alone=True,
    explained_by=_CONTROL,
    broken="the proxy multiplies the load on a Go API that is in trouble",
)
async def outage_is_not_amplified(target: Target, caller: Caller) -> None:
    """Makes 50 reads against a permanent 503, a permanent 429, and sessions that fail."""
    most = 1.2 * _CALLS + 5
    for status, path in ((503, _NOTES), (429, _NOTES), (503, _SESSIONS)):
        user = target.caller()
        if path != _SESSIONS:
            await user.control()
        await user.inject(path=path, times=None, status=status, headers=(_JSON,), body=_ERROR)
        last = max((r.seq for r in await user.upstream()), default=0)
        # One by one: calls that wait for the same session ask for it once.
        codes = await _calls(user, 1 if path == _SESSIONS else 10)
        await target.mock.clear_faults(user.sub)
        require("" not in codes, f"an error for each call during {status}", "a call without one")
        sent = [r for r in await user.upstream(last) if (path == _SESSIONS) == _is_session(r)]
        what = f"{status} of {'sessions' if path == _SESSIONS else 'notes'}"
        require(sent, f"a request that met the {what}", "none")
        bound = f"at most {most:g} requests for {_CALLS} calls during {what}"
        require(len(sent) <= most, bound, len(sent))


def _is_session(request: RecordedRequest) -> bool:
    # The end of a session too, by a proxy that has one for each call.
    return request.target.startswith(_SESSIONS)


def _bombs() -> tuple[tuple[str, str, bytes], ...]:
    """Return (what, Content-Encoding, body) of answers above 20 MB, the catalogue's cap."""
    huge = b'{"items":[],"x":"' + b"0" * (24 * 1024 * 1024) + b'"}'
    packed = gzip.compress(huge, 6)
    return (
        ("24 MB in gzip", "gzip", packed),
        ("24 MB in deflate", "deflate", zlib.compress(huge, 6)),
        ("24 MB in gzip, twice", "gzip, gzip", gzip.compress(packed)),
        ("24 MB as they are", "identity", huge),
    )


@check(
    "resilience-huge-answers",
    "An answer too large to relay, plain or unpacked, is a short error, and the proxy lives on",
    severity=Severity.HIGH,
    catalogue="RES-18",
    source="CWE-409; OWASP API4:2023, API10:2023",
    remedy="Ask for identity, read in pieces, and stop at a cap on the decoded bytes.",
    why="One compressed answer of 25 KB can fill the memory of a small machine and end it.",
    needs=NEEDS,
    profile=Profile.FULL,
    alone=True,
    explained_by=_CONTROL,
    broken="answers of the Go API are read and unpacked without a limit",
)
async def huge_answers_are_cut(target: Target, caller: Caller) -> None:
    """Answers a read with 24 MB of valid JSON, packed in three ways and plain, and a create."""
    await caller.control_write()
    codes = {"upstream_bad_response", "response_too_large"}
    # In a thread: packing takes a second, in which nothing else would run here.
    bombs = await asyncio.to_thread(_bombs)
    for what, encoding, body in bombs:
        headers = (_JSON, ("Content-Encoding", encoding))
        await caller.inject(path=_NOTES, status=200, headers=headers, body=body)
        reply = await caller.call("list_notes", {"limit": 1})
        require(reply.code in codes, f"one of {sorted(codes)} for {what}", reply.brief)
        require(len(reply.text) < 4000, f"a short error for {what}", f"{len(reply.text)} bytes")
        await caller.control()
    what, encoding, body = bombs[0]
    headers = (_JSON, ("Content-Encoding", encoding))
    await caller.inject(methods=("POST",), path=_NOTES, status=201, headers=headers, body=body)
    reply = await caller.call("create_note", {"title": caller.text(), "content": "x"})
    require_equal("outcome_unknown", reply.code, f"code of a create answered with {what}:")
    await caller.control()
