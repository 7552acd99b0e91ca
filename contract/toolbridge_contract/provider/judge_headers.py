"""Compare the headers of an answer with the shorthand of the observations."""

from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime

from toolbridge_contract.provider.case import Values, Want
from toolbridge_contract.provider.exchange import Answer
from toolbridge_contract.provider.template import fill

_TYPES = {
    "J": "application/json",
    "T": "text/plain; charset=utf-8",
    "Tn": "text/plain; charset=utf-8",
    "no-type": None,
}
_LIMITS = {"x-ratelimit-limit": "600", "x-ratelimit-burst": "120"}
_RATE = (*_LIMITS, "x-ratelimit-remaining", "x-ratelimit-reset")
_BURST = 120
_PER_SECOND = 10
# Whole seconds in Date, and one for clocks and the way.
CLOCK_SECONDS = 2
# A second to either side for the whole seconds of Reset, and one for clocks and the way.
_RESET_SLACK = 2
# On a 429 the bucket is full again in 11 to 12 s; 0.1 s for clocks.
_EMPTY_SECONDS = (11.0, 12.1)
# Every header name ever seen, as Go spells it.
NAMES = frozenset(
    {
        "Allow",
        "Connection",
        "Content-Length",
        "Content-Type",
        "Date",
        "Retry-After",
        "Transfer-Encoding",
        "X-Content-Type-Options",
        "X-Correlation-Id",
        "X-Ratelimit-Burst",
        "X-Ratelimit-Limit",
        "X-Ratelimit-Remaining",
        "X-Ratelimit-Reset",
        "X-Sync-Epoch",
    }
)
_LOWER = frozenset(name.lower() for name in NAMES)
# Allow has one line per method; the rest is compared with all lines of a name.
_JUDGED_ONCE = ("x-correlation-id", "x-ratelimit-remaining", "x-ratelimit-reset", "date")


@dataclass(frozen=True)
class Difference:
    """One thing that is not as observed."""

    what: str
    expected: str
    got: str


def judge_headers(
    want: Want, answer: Answer, known: Values, times: tuple[float, float], *, frames: bool
) -> list[Difference]:
    """Return what differs; `times` are when the request was sent and answered (unix s)."""
    expected = _expected(want, known)
    if not frames:
        for name in ("connection", "transfer-encoding"):
            expected.pop(name)
    found = [
        Difference(name, _words(wanted), _words(got))
        for name, wanted in expected.items()
        if not _same(wanted, got := sorted(answer.names.get(name, [])))
    ]
    if frames and want.cid is not None:
        found += _framing(want, answer, times)
    found += _correlation(want, answer, known)
    if "RL" in want.headers.split():
        found += _rate(answer, times)
        left = _left(want)
        if left and left != answer.first("x-ratelimit-remaining"):
            shown = _words(answer.names.get("x-ratelimit-remaining", []))
            found.append(Difference("x-ratelimit-remaining", left, shown))
    else:
        found += [_absent(name, answer) for name in _RATE if name in answer.names]
    return found + _names(answer, frames=frames)


def judge_unique(answer: Answer, seen: set[str]) -> list[Difference]:
    """Compare a correlation id of the API's own with those `seen` so far, and add it."""
    given = answer.first("x-correlation-id") or ""
    if given and given in seen:
        return [Difference("x-correlation-id", "one of its own", f"{given!r} again")]
    seen.add(given)
    return []


def _names(answer: Answer, *, frames: bool) -> list[Difference]:
    """Names that were never seen, repeated ones, and, where they can be seen, odd spellings."""
    found = [_absent(name, answer) for name in answer.names if name not in _LOWER]
    for name, values in answer.names.items():
        if name in _JUDGED_ONCE and len(values) > 1:
            found.append(Difference(name, "one line", f"{len(values)} lines: {_words(values)}"))
    if frames:
        odd = [n for n, _ in answer.headers if n.lower() in _LOWER and n not in NAMES]
        found += [Difference(n.lower(), "in Go's spelling", n) for n in dict.fromkeys(odd)]
    return found


def _same(wanted: list[str], got: list[str]) -> bool:
    return wanted == got or (wanted == ["<int>"] and len(got) == 1 and got[0].isdigit())


def _expected(want: Want, known: Values) -> dict[str, list[str]]:
    """Return the wanted values of the headers that are judged by text; [] is absent."""
    expected: dict[str, list[str]] = {
        "content-type": [],
        "x-content-type-options": [],
        "x-sync-epoch": [],
        "retry-after": [],
        "allow": [],
        "connection": [],
        "transfer-encoding": [],
    }
    for word in want.headers.split():
        name, _, value = word.partition("=")
        if name in _TYPES:
            kind = _TYPES[name]
            expected["content-type"] = [kind] if kind else []
            if name == "Tn":
                expected["x-content-type-options"] = ["nosniff"]
        elif name == "epoch":
            expected["x-sync-epoch"] = [fill(value, known)]
        elif name == "retry":
            expected["retry-after"] = [value]
        elif name == "allow":
            expected["allow"] = sorted(value.split(","))
        elif name == "close":
            expected["connection"] = ["close"]
        elif name == "chunked":
            expected["transfer-encoding"] = ["chunked"]
        elif name not in ("RL", "left"):
            raise ValueError(f"header shorthand {word!r} is unknown")
    return expected


def _framing(want: Want, answer: Answer, times: tuple[float, float]) -> list[Difference]:
    """Every answer of a handler has Date, and Content-Length unless it is chunked or a 204."""
    has_length = "chunked" not in want.headers.split() and want.status != 204
    found = _date(answer, times)
    if has_length and "content-length" not in answer.names:
        found.append(Difference("content-length", "present", "absent"))
    elif not has_length and "content-length" in answer.names:
        found.append(_absent("content-length", answer))
    return found


def _date(answer: Answer, times: tuple[float, float]) -> list[Difference]:
    shown = answer.first("date")
    if shown is None:
        return [Difference("date", "present", "absent")]
    try:
        said = parsedate_to_datetime(shown).timestamp()
    except ValueError:
        said = 0.0
    if times[0] - CLOCK_SECONDS <= said <= times[1] + CLOCK_SECONDS:
        return []
    return [Difference("date", formatdate(times[1], usegmt=True), shown)]


def _correlation(want: Want, answer: Answer, known: Values) -> list[Difference]:
    got = answer.first("x-correlation-id")
    if want.cid == "<cid>":
        fine = bool(got)
    else:
        fine = got == (None if want.cid is None else fill(want.cid, known))
    if fine:
        return []
    shown = "a generated one" if want.cid == "<cid>" else repr(want.cid)
    return [Difference("x-correlation-id", shown, repr(got))]


def _rate(answer: Answer, times: tuple[float, float]) -> list[Difference]:
    found = [
        Difference(name, wanted, _words(answer.names.get(name, [])))
        for name, wanted in _LIMITS.items()
        if answer.names.get(name) != [wanted]
    ]
    remaining = answer.first("x-ratelimit-remaining") or ""
    if not remaining.isdigit() or not 0 <= int(remaining) <= _BURST:
        found.append(Difference("x-ratelimit-remaining", f"0 to {_BURST}", repr(remaining)))
    elif answer.status == 429 and remaining != "0":
        found.append(Difference("x-ratelimit-remaining", "0", remaining))
    reset = answer.first("x-ratelimit-reset") or ""
    low, high = _full_again(answer.status, remaining, times)
    if not reset.isdigit() or not low <= int(reset) <= high:
        found.append(Difference("x-ratelimit-reset", f"{low} to {high} (unix s)", repr(reset)))
    return found


def _full_again(status: int, remaining: str, times: tuple[float, float]) -> tuple[int, int]:
    """Return between which seconds the bucket is full again."""
    if status == 429:
        low, high = _EMPTY_SECONDS
        return int(times[0] + low), int(times[1] + high)
    least = most = (_BURST - int(remaining)) / _PER_SECOND if remaining.isdigit() else -1.0
    if least < 0:
        # What is said to remain is a difference itself, and tells nothing about the time.
        least, most = 0.0, _BURST / _PER_SECOND
    return int(times[0] + least - _RESET_SLACK), int(times[1] + most + _RESET_SLACK)


def _left(want: Want) -> str:
    found = [word[len("left=") :] for word in want.headers.split() if word.startswith("left=")]
    return found[0] if found else ""


def _absent(name: str, answer: Answer) -> Difference:
    return Difference(name, "absent", _words(answer.names[name]))


def _words(values: Sequence[str]) -> str:
    return ", ".join(values) if values else "absent"
