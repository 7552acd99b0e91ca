"""Compare the headers of an answer with the shorthand of the observations."""

from collections.abc import Sequence
from dataclasses import dataclass

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
# A bucket of 120 is full after 12 s; the rest is for clocks and the way.
_RESET_SECONDS = (-3, 16)
# Headers of Go's own that an answer has only where it was seen.
_ELSEWHERE = (
    "etag",
    "www-authenticate",
    "cache-control",
    "access-control-allow-origin",
    "content-encoding",
    "location",
    "set-cookie",
    "last-modified",
    "vary",
    "x-powered-by",
)


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
        found += _framing(want, answer)
    found += _correlation(want, answer, known)
    if "RL" in want.headers.split():
        found += _rate(answer, times)
    else:
        found += [_absent(name, answer) for name in _RATE if name in answer.names]
    return found + [_absent(name, answer) for name in _ELSEWHERE if name in answer.names]


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
        elif name != "RL":
            raise ValueError(f"header shorthand {word!r} is unknown")
    return expected


def _framing(want: Want, answer: Answer) -> list[Difference]:
    """Every answer of a handler has Date, and Content-Length unless it is chunked or a 204."""
    needed = ["date"]
    if "chunked" not in want.headers.split() and want.status != 204:
        needed.append("content-length")
    return [Difference(name, "present", "absent") for name in needed if name not in answer.names]


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
    low, high = (int(at) + past for at, past in zip(times, _RESET_SECONDS, strict=True))
    if not reset.isdigit() or not low <= int(reset) <= high:
        found.append(Difference("x-ratelimit-reset", f"{low} to {high} (unix s)", repr(reset)))
    return found


def _absent(name: str, answer: Answer) -> Difference:
    return Difference(name, "absent", _words(answer.names[name]))


def _words(values: Sequence[str]) -> str:
    return ", ".join(values) if values else "absent"
