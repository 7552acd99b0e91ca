"""Compare an answer with what was observed."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from toolbridge_contract.provider.case import Race, Values, Want
from toolbridge_contract.provider.exchange import Answer
from toolbridge_contract.provider.judge_headers import CLOCK_SECONDS, Difference, judge_headers
from toolbridge_contract.provider.matchers import show
from toolbridge_contract.provider.template import fill, matches


def judge(
    want: Want, answer: Answer, values: Values, times: tuple[float, float], *, frames: bool
) -> list[Difference]:
    """Return what differs; `times` are when the request was sent and answered (unix s).

    `frames` says whether the answer's own framing can be seen.
    """
    found: list[Difference] = []
    if want.status != answer.status:
        found.append(Difference("status", str(want.status), str(answer.status)))
    known = {**values, "cid": _escaped(answer.first("x-correlation-id") or "")}
    found += judge_headers(want, answer, known, times, frames=frames)
    return found + _body(want, answer, known, times)


def judge_race(won: int, race: Race, answers: Sequence[Answer]) -> list[Difference]:
    """Judge answers to requests sent at once by how many have the status `won`."""
    statuses = Counter(answer.status for answer in answers)
    least = 1 if race.by_luck else race.least
    if statuses.keys() <= {won, race.loses} and least <= statuses[won] <= race.most:
        return []
    wanted = f"{race.least} to {race.most} times {won}, else {race.loses}"
    got = ", ".join(f"{count} times {status}" for status, count in sorted(statuses.items()))
    return [Difference("statuses", wanted, got)]


def is_undecided(won: int, race: Race, answers: Sequence[Answer]) -> bool:
    """Say whether a race had too few winners to show anything."""
    return sum(answer.status == won for answer in answers) < race.least


def _body(
    want: Want, answer: Answer, known: Values, times: tuple[float, float]
) -> list[Difference]:
    if isinstance(want.body, Race):
        return []
    if not isinstance(want.body, str):
        about = want.body.differs(answer.body)
        return [Difference("body", *about)] if about else []
    expected = fill(want.body, known)
    found = matches(expected, answer.body.decode("utf-8", "surrogateescape"))
    if found is None:
        return [Difference("body", show(expected.encode()), show(answer.body))]
    if "now" in found and not _is_now(found["now"], times):
        return [Difference("body", f"the time {times[1]:.0f} (unix s)", found["now"])]
    return []


def _is_now(stamp: str, times: tuple[float, float]) -> bool:
    # Nine digits are more than Python reads.
    said = datetime.fromisoformat(stamp[:26].rstrip("Z")).replace(tzinfo=UTC).timestamp()
    return times[0] - CLOCK_SECONDS <= said <= times[1] + CLOCK_SECONDS


def _escaped(text: str) -> str:
    """Return text as Go spells it inside a JSON string."""
    raw = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    shown = json.dumps(raw, ensure_ascii=False)[1:-1]
    for char in "<>&":
        shown = shown.replace(char, f"\\u{ord(char):04x}")
    return shown
