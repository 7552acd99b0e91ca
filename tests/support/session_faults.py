"""What may happen to a request on its way: the fault alphabet of SM-2, as data."""

from dataclasses import dataclass
from typing import Any, Literal

End = Literal["answer", "refuse", "reset", "silence", "drip", "truncate"]
Headers = tuple[tuple[str, str], ...]

JSON: Headers = (("Content-Type", "application/json"),)
HTML: Headers = (("Content-Type", "text/html"),)
ELSEWHERE = "http://elsewhere.internal"


@dataclass(frozen=True)
class Fault:
    """One fault, and what a caller must be told when it was the last thing that happened.

    `read` is the code for a read and while a session is made, `write` for a mutation (the error
    contract's table). `commits`: the operation is carried out. `open`: seen from the proxy it may
    have been, so a mutation must not be sent again. `gate`: the API's own refusal, provoked.
    """

    name: str
    read: str
    write: str
    end: End = "answer"
    commits: bool = False
    open: bool = True
    gate: bool = False
    status: int = 0
    body: bytes = b""
    headers: Headers = JSON
    retry_after: int | None = None

    def __repr__(self) -> str:
        return self.name

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        # Hypothesis would print every field.
        printer.text(self.name)


def _same(name: str, code: str, status: int, body: str, **rest: object) -> Fault:
    return Fault(name, code, code, status=status, body=body.encode(), **rest)  # type: ignore[arg-type]


def _lost(name: str, read: str, end: End, *, commits: bool) -> Fault:
    return Fault(name, read, "outcome_unknown", end, commits)


def _gate(name: str, code: str) -> Fault:
    return Fault(name, code, code, open=False, gate=True)


def _wait(status: int, code: str, seconds: int) -> Fault:
    headers = (*JSON, ("Retry-After", str(seconds)))
    name = f"{status}({seconds})"
    return _same(name, code, status, '{"error":"later"}', headers=headers, retry_after=seconds)


OK = Fault("ok", "ok", "ok", commits=True)
REFUSED = Fault("refuse", "upstream_unreachable", "upstream_unreachable", "refuse", open=False)
TIMEOUT = _lost("timeout-after-commit", "upstream_timeout", "silence", commits=True)
CONFLICT = _same("409v", "conflict", 409, '{"error":"version mismatch: expected 3, actual 4"}')
GATES = (
    _gate("428", "session_unavailable"),
    _gate("403", "session_unavailable"),
    _gate("409e", "epoch_mismatch"),
)
# What can happen to any request, and so to the one that makes a session.
ANYWHERE = (
    OK,
    REFUSED,
    TIMEOUT,
    _lost("reset-before", "upstream_unreachable", "reset", commits=False),
    _lost("reset-after-commit", "upstream_unreachable", "reset", commits=True),
    _lost("truncated", "upstream_bad_response", "truncate", commits=True),
    _lost("drip", "upstream_timeout", "drip", commits=True),
    _wait(429, "rate_limited", 1),
    _wait(429, "rate_limited", 7),
    _same("500", "upstream_error", 500, '{"error":"broken"}'),
    Fault("502", "upstream_unavailable", "outcome_unknown", status=502, headers=HTML),
    Fault(
        "502-after-commit", "upstream_unavailable", "outcome_unknown", "answer", True, status=502
    ),
    _wait(503, "upstream_unavailable", 1),
    _wait(503, "upstream_unavailable", 60),
    _same("redirect", "upstream_redirect", 307, "", headers=(("Location", f"{ELSEWHERE}/v1"),)),
    Fault(
        "html", "upstream_bad_response", "outcome_unknown", status=200, body=b"<p>", headers=HTML
    ),
)
FAULTS = (
    *ANYWHERE,
    *GATES,
    CONFLICT,
    _same("412", "precondition_failed", 412, '{"error":"version mismatch"}'),
)
BY_NAME = {fault.name: fault for fault in FAULTS}
