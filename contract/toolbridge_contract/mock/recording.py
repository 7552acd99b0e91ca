"""The recorder: every request that reached the mock, as it came, in bounded memory."""

import base64
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from toolbridge_contract.mock.jwt_gate import unverified_subject
from toolbridge_contract.mock.messages import Request

# Some 4 KB each, so 80 MB: several full runs; of a load test only the latest matter.
MAX_RECORDS = 20_000
# Bodies are kept whole, so that a few huge ones must not fill the memory.
MAX_BODY_BYTES = 64 * 1024 * 1024
# Records in one answer of the control port; its client asks again for the rest.
PAGE = 1000


@dataclass(slots=True)
class RecordedRequest:
    """One request that reached the mock.

    `caller` is the `sub` that the Authorization token claims, "" if none. `headers` keep order,
    case and repeats; values are ISO-8859-1, so no byte is lost. `received_ms` is unix ms by the
    machine's clock, whatever offset the mock plays. `status` is what was answered, 0 for nothing
    (yet). `violations` says what a correct proxy would not have sent.
    """

    seq: int
    caller: str
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    received_ms: float
    status: int
    violations: list[str]

    def header(self, name: str) -> str | None:
        """Return the first value of a header, in any case, or None."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object; the body is base64."""
        return {
            "seq": self.seq,
            "caller": self.caller,
            "method": self.method,
            "target": self.target,
            "headers": self.headers,
            "body": base64.b64encode(self.body).decode(),
            "received_ms": self.received_ms,
            "status": self.status,
            "violations": self.violations,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "RecordedRequest":
        """Read back what `to_json` wrote."""
        headers = [(name, value) for name, value in data["headers"]]
        return cls(**{**data, "headers": headers, "body": base64.b64decode(data["body"])})


class Entry:
    """A request as kept: one object without containers, so that the collector has little to do."""

    __slots__ = (
        "_headers",
        "body",
        "caller",
        "method",
        "received_ms",
        "seq",
        "status",
        "target",
        "violations",
    )

    def __init__(self, seq: int, request: Request, violations: list[str]) -> None:
        self.seq = seq
        self.caller = unverified_subject(request.values.get(b"authorization", ""))
        self.method = request.method
        self.target = request.target
        self._headers = b"\n".join([b"%b:%b" % header for header in request.headers])
        self.body = request.body
        self.received_ms = time.time() * 1000
        self.status = 0
        self.violations = "\n".join(violations)

    def to_record(self) -> RecordedRequest:
        """Return the public form."""
        lines = self._headers.decode("latin-1").split("\n") if self._headers else []
        return RecordedRequest(
            seq=self.seq,
            caller=self.caller,
            method=self.method,
            target=self.target,
            headers=[(name, value) for name, _, value in (line.partition(":") for line in lines)],
            body=self.body,
            received_ms=self.received_ms,
            status=self.status,
            violations=self.violations.split("\n") if self.violations else [],
        )


class Recorder:
    """The latest requests, all together and by caller; the oldest are dropped and counted."""

    def __init__(
        self, max_records: int = MAX_RECORDS, max_body_bytes: int = MAX_BODY_BYTES
    ) -> None:
        self._max_records = max_records
        self._max_body_bytes = max_body_bytes
        self._all: deque[Entry] = deque()
        self._by_caller: dict[str, deque[Entry]] = {}
        self._body_bytes = 0
        self.recorded = 0
        self.dropped = 0

    def add(self, request: Request, violations: list[str]) -> Entry:
        """Record a request before it is answered; the caller of this sets `status`."""
        self.recorded += 1
        record = Entry(self.recorded, request, violations)
        self._all.append(record)
        self._by_caller.setdefault(record.caller, deque()).append(record)
        self._body_bytes += len(record.body)
        while len(self._all) > self._max_records or self._body_bytes > self._max_body_bytes:
            self._drop_oldest()
        return record

    def _drop_oldest(self) -> None:
        oldest = self._all.popleft()
        mine = self._by_caller[oldest.caller]
        mine.popleft()
        if not mine:
            del self._by_caller[oldest.caller]
        self._body_bytes -= len(oldest.body)
        self.dropped += 1

    def requests(
        self, caller: str | None = None, after: int = 0, limit: int | None = None
    ) -> list[RecordedRequest]:
        """Return the oldest `limit` records past sequence number `after`, of one caller or all."""
        source = self._all if caller is None else self._by_caller.get(caller, deque())
        newest_first: list[Entry] = []
        for record in reversed(source):
            if record.seq <= after:
                break
            newest_first.append(record)
        newest_first.reverse()
        return [entry.to_record() for entry in newest_first[:limit]]
