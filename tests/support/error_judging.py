"""Whether one failed call is told as the error contract says, aspect by aspect."""

import re
import uuid
from collections.abc import Callable, Container
from dataclasses import dataclass

from support.error_bodies import CANARY, UPSTREAM_ID
from support.error_stage import Seen
from support.error_verdicts import MUTATIONS, Row, Verdict, while_making_the_session
from support.proxy_app import JWT_SECRET, TENANT_SECRET
from support.proxy_upstream import UID
from toolbridge_contract.tools import Operation

KEYS = {"code", "message", "status", "retry_after", "uid", "correlation_id"}
NEVER_TOLD = (
    CANARY,
    UPSTREAM_ID,
    TENANT_SECRET,
    JWT_SECRET,
    "go-api.internal",
    "elsewhere.example",
    "10.244.",
    "http://",
    "https://",
    "session-",  # how the ids of sessions begin here
    "<html",
    "Traceback",
    "httpx",
)
MAX_MESSAGE = 600  # 200 characters of the Go API's words, and the proxy's own sentence
_TELLING = 60  # characters of a token, which words that were cut may hold as well
_READ_BACK = re.compile(r"\bread\b.*\bback\b", re.IGNORECASE)
_AGAIN = re.compile(r"retr(y|ies)|again|re-?send|repeat|once more", re.IGNORECASE)


@dataclass(frozen=True)
class Expected:
    """What one operation must say, and how much it may send for it."""

    code: str
    attempts: int
    sessions: int
    status: Container[int | None]
    retry_after: Container[int | None]


def expected(row: Row, operation: Operation, verdict: Verdict | None = None) -> Expected:
    """What `operation` must say when its own request fails like `row`."""
    said = verdict or row.verdict
    writes = operation in MUTATIONS
    return Expected(
        said.mutation if writes else said.read,
        said.writes if writes else said.reads,
        1 + said.renewals,
        row.status,
        row.retry_after,
    )


def expected_of_session(row: Row) -> Expected:
    """What any operation must say when making its session fails like `row`."""
    said = while_making_the_session(row)
    return Expected(said.read, 0, said.reads, row.status, row.retry_after)


def _is_uid(want: Expected, seen: Seen) -> bool:
    told = seen.error.get("uid")
    if seen.operation == "list":
        return told is None
    if seen.operation != "create":
        return bool(told == UID)
    if not want.attempts:
        return told is None or _is_uuid4(told)
    return _is_uuid4(told) and all(f'"uid":"{told}"' in _compact(r.content) for r in seen.sent)


def _compact(content: bytes) -> str:
    return content.decode().replace(" ", "")


def _is_uuid4(text: object) -> bool:
    try:
        return (
            isinstance(text, str) and str(uuid.UUID(text)) == text and uuid.UUID(text).version == 4
        )
    except ValueError:
        return False


def _is_sealed(_: Expected, seen: Seen) -> bool:
    told = seen.response.text + repr(seen.response.headers.multi_items())
    signatures = [r.headers["X-TB-Signature"] for r in (*seen.sent, *seen.sessions)]
    secrets = (*NEVER_TOLD, seen.token[:_TELLING], *signatures)
    return not any(secret in told for secret in secrets)


def _sends_to_a_reading_back(_: Expected, seen: Seen) -> bool:
    """Only what is unknown has such words to say; what the Go API said is not among them."""
    error = seen.error
    if error.get("code") != "outcome_unknown":
        return True
    text = error["message"]
    names = str(error["uid"]) in text and re.search(rf"\bget_{seen.entity.singular}\b", text)
    return bool(names and _READ_BACK.search(text) and not _AGAIN.search(text))


def _is_one_block(_: Expected, seen: Seen) -> bool:
    return [{"type": "text", "text": seen.error.get("message")}] == seen.result.get("content")


def _is_sent_alike(_: Expected, seen: Seen) -> bool:
    return len({(r.method, str(r.url), r.content) for r in seen.sent}) <= 1


def _is_in_new_sessions(want: Expected, seen: Seen) -> bool:
    presented = {request.headers["X-Sync-Session"] for request in seen.sent}
    return len(presented) == (want.sessions if want.attempts else 0)


def _short(_: Expected, seen: Seen) -> bool:
    return len(str(seen.error.get("message"))) <= MAX_MESSAGE


Holds = Callable[[Expected, Seen], bool]

ASPECTS: dict[str, Holds] = {
    "HTTP 200": lambda _, seen: seen.response.status_code == 200,
    "isError": lambda _, seen: seen.result.get("isError") is True,
    "keys": lambda _, seen: seen.error.keys() == KEYS,
    "code": lambda want, seen: seen.error.get("code") == want.code,
    "status": lambda want, seen: seen.error.get("status", "") in want.status,
    "retry_after": lambda want, seen: seen.error.get("retry_after", "") in want.retry_after,
    "uid": _is_uid,
    "correlation id": lambda _, seen: (
        bool(seen.error.get("correlation_id"))
        and seen.error["correlation_id"] == seen.response.headers["X-Correlation-ID"]
    ),
    "one block": _is_one_block,
    "begins with the code": lambda _, seen: str(seen.error.get("message")).startswith(
        str(seen.error.get("code"))
    ),
    "attempts": lambda want, seen: len(seen.sent) == want.attempts,
    "sessions": lambda want, seen: len(seen.sessions) == want.sessions,
    "sent alike": _is_sent_alike,
    "new session": _is_in_new_sessions,
    "not elsewhere": lambda _, seen: not seen.elsewhere,
    "no leak": _is_sealed,
    "short": _short,
    "read back": _sends_to_a_reading_back,
}


def broken_aspects(want: Expected, seen: Seen) -> list[str]:
    """Names of the aspects in which the call is not as it must be."""
    return [name for name, holds in ASPECTS.items() if not holds(want, seen)]


def complaint(want: Expected, seen: Seen) -> list[str]:
    """One line for a call that is not as it must be, naming the operation; else none."""
    broken = broken_aspects(want, seen)
    if not broken:
        return []
    got = f"{len(seen.sent)} sent, {len(seen.sessions)} sessions, {seen.response.text[:600]}"
    return [f"{seen.operation}: {', '.join(broken)}: expected {want}, got {got}"]
