"""Faults: answers that the API would not give, for one caller or all."""

import asyncio
import base64
import re
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

Kind = Literal["answer", "delay", "reset", "truncate", "hang", "drip", "drip-body"]
# RFC 9110 §5.1 and §5.5; values go out as ISO-8859-1.
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*\Z")
_FRAMING = frozenset({"content-length", "transfer-encoding"})
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Fault:
    """A fault to inject; the first one that matches a request is used.

    Matching: `caller` is a `sub` (None: any), `methods` are names (empty: any), `path` is a regular
    expression for the whole raw path without query ("": any); `times` uses, None: until cleared.

    kind       what the client sees
    answer     `status`, `headers` and `body`
    delay      the ordinary answer after `seconds`; not executed if the client leaves before
    reset      a TCP reset before any byte
    truncate   `status`, a Content-Length larger than the `body` sent, then a close
    hang       nothing, until the fault is cleared (then the ordinary answer) or the client leaves
    drip       `status`, `headers` and `body`, one byte every `seconds`, until the client leaves
    drip-body  the same, but the header section comes at once

    With `commit` the real operation is executed first, and `truncate` and both drips without a
    `body` of their own send the real answer: its first half, or byte by byte.
    """

    caller: str | None = None
    methods: tuple[str, ...] = ()
    path: str = ""
    times: int | None = None
    kind: Kind = "answer"
    status: int = 503
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    seconds: float = 0.0
    commit: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"fault kind {self.kind!r} is unknown: use one of {', '.join(KINDS)}")
        if self.times is not None and self.times < 1:
            raise ValueError(f"fault times {self.times} is too small: use 1 or more, or None")
        if not 200 <= self.status <= 599:
            raise ValueError(f"fault status {self.status} is not a final HTTP status: 200 to 599")
        if not 0 <= self.seconds < float("inf"):
            raise ValueError(f"fault seconds {self.seconds} must be 0 or more")
        self._check_headers()
        try:
            re.compile(self.path)
        except re.error as error:
            raise ValueError(
                f"fault path {self.path!r} is no regular expression: {error}"
            ) from None

    def _check_headers(self) -> None:
        for name, value in self.headers:
            if _TOKEN.match(name) is None or _FIELD_VALUE.match(value) is None:
                raise ValueError(f"fault header {name!r} is no HTTP header")
            if name.lower() in _FRAMING:
                raise ValueError(f"fault header {name!r} is the server's to set")

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object; the body is base64."""
        return asdict(self) | {"body": base64.b64encode(self.body).decode()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Fault":
        """Read back what `to_json` wrote; raises ValueError in one line."""
        unknown = sorted(set(data) - {item.name for item in fields(cls)})
        if unknown:
            raise ValueError(f"fault has unknown fields: {', '.join(unknown)}")
        try:
            return cls(
                **{
                    **data,
                    "methods": tuple(data.get("methods", ())),
                    "headers": tuple((name, value) for name, value in data.get("headers", ())),
                    "body": base64.b64decode(data.get("body", "")),
                }
            )
        except TypeError as error:
            raise ValueError(f"fault has a field of the wrong type: {error}") from None


@dataclass(eq=False)
class ActiveFault:
    """A fault in force; `cleared` wakes the requests that hang on it."""

    fault: Fault
    left: int | None
    pattern: re.Pattern[str]
    cleared: asyncio.Event = field(default_factory=asyncio.Event)

    def matches(self, caller: str, method: str, path: str) -> bool:
        """Say whether a request falls under this fault."""
        fault = self.fault
        if fault.caller is not None and fault.caller != caller:
            return False
        if fault.methods and method not in fault.methods:
            return False
        return not fault.path or self.pattern.fullmatch(path) is not None


class Faults:
    """The faults in force, in the order of injection."""

    def __init__(self) -> None:
        self._active: list[ActiveFault] = []
        self._spent_hangs: list[ActiveFault] = []

    def __bool__(self) -> bool:
        return bool(self._active)

    def inject(self, fault: Fault) -> None:
        """Add a fault behind those already there."""
        self._active.append(ActiveFault(fault, fault.times, re.compile(fault.path)))

    def clear(self, caller: str | None = None) -> None:
        """Remove the faults of one caller (None: all) and release what hangs on them."""
        for faults in (self._active, self._spent_hangs):
            for active in list(faults):
                if caller is None or active.fault.caller == caller:
                    faults.remove(active)
                    active.cleared.set()

    def take(self, caller: str, method: str, path: str) -> ActiveFault | None:
        """Return the first fault that matches, one use less."""
        for active in self._active:
            if active.matches(caller, method, path):
                if active.left is not None:
                    active.left -= 1
                    if not active.left:
                        self._spend(active)
                return active
        return None

    def _spend(self, active: ActiveFault) -> None:
        self._active.remove(active)
        if active.fault.kind == "hang":
            self._spent_hangs.append(active)
