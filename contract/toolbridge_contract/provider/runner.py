"""Run cases against a provider, one after the other."""

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from toolbridge_contract.provider.case import Case, Race, Want
from toolbridge_contract.provider.judge import is_undecided, judge, judge_race
from toolbridge_contract.provider.judge_headers import Difference, judge_unique
from toolbridge_contract.provider.providers import NoAnswer, Provider
from toolbridge_contract.provider.world import Asked, Scene, Unprepared, World

# A case whose outcome hangs on some ms is tried again before it is held against the provider.
_ATTEMPTS = 4
# The sharpest observations are 0.1 s inside the window of 300 s, and one token of a bucket that
# gains one in 0.1 s; a request and the answer before it take one round trip.
_SHARP_SECONDS = 0.05
_UNDECIDED = "tried, and one alone won the race, which may be luck and shows nothing"
# Waiting this long is not slow.
_SHORT_SECONDS = 2.0
# A provider that is gone gives every case the same answer.
_GONE_AFTER = 5


class Outcome(enum.Enum):
    """What came of a case."""

    AGREES = "agrees"
    DIFFERS = "differs"
    NO_VERDICT = "no verdict"
    NOT_RUN = "not run"


@dataclass(frozen=True)
class Result:
    """A case with its outcome: the differences, or the reason for there being none."""

    case: Case
    group: str
    outcome: Outcome
    differences: tuple[Difference, ...] = ()
    reason: str = ""


class Gone(Exception):
    """The provider stopped answering."""


def run(
    cases: Sequence[tuple[str, Case]],
    provider: Provider,
    *,
    slow: bool = False,
    world: World | None = None,
    seen: Callable[[Result], None] = lambda _: None,
) -> list[Result]:
    """Run (group, case) pairs; `seen` hears of each result; raises Gone."""
    world = world or World(provider)
    results: list[Result] = []
    silent = 0
    for group, case in cases:
        skipped = not_run(case, provider, slow=slow)
        if skipped:
            result = Result(case, group, Outcome.NOT_RUN, reason=skipped)
        else:
            result = _attempt(case, group, world)
        silent = silent + 1 if result.reason.startswith("no answer") else 0
        if silent == _GONE_AFTER:
            raise Gone(f"the API stopped answering at {case.id}: {result.reason}")
        results.append(result)
        seen(result)
    return results


def not_run(case: Case, provider: Provider, *, slow: bool) -> str:
    """Return why a case is not run against a provider; "" when it is."""
    if case.mock and provider.is_mock:
        return f"not reproducible by the mock: {case.mock}"
    if case.wire and provider.no_wire:
        return provider.no_wire
    if case.is_sharp and provider.delay > _SHARP_SECONDS:
        return f"the way to the API takes {provider.delay * 1000:.0f} ms, too long for its edge"
    if case.waits > _SHORT_SECONDS and not provider.turns and not slow:
        return f"waits {case.waits / 60:.0f} minutes (--slow runs it)"
    if case.slow and not slow:
        return f"slow: {case.slow} (--slow runs it)"
    return ""


def _attempt(case: Case, group: str, world: World) -> Result:
    for _ in range(_ATTEMPTS if case.timing else 1):
        result = _once(case, group, world)
        if result.outcome in (Outcome.AGREES, Outcome.NO_VERDICT):
            break
    return result


def _once(case: Case, group: str, world: World) -> Result:
    try:
        scene = world.scene(case)
        asked = world.ask(case, scene)
        race = case.want.body
        if isinstance(race, Race):
            found = judge_race(case.want.status, race, asked.answers)
            if not found and is_undecided(case.want.status, race, asked.answers):
                return Result(case, group, Outcome.NOT_RUN, reason=_UNDECIDED)
        else:
            found = _judged(case.want, asked, scene, world)
        for then in case.then:
            followed = _judged(then.want, world.follow(then, scene), scene, world)
            where = f"then {then.method} {then.path}: "
            found += [replace(one, what=where + one.what) for one in followed]
    except (Unprepared, NoAnswer) as error:
        return Result(case, group, Outcome.NO_VERDICT, reason=str(error))
    outcome = Outcome.DIFFERS if found else Outcome.AGREES
    return Result(case, group, outcome, tuple(found))


def _judged(want: Want, asked: Asked, scene: Scene, world: World) -> list[Difference]:
    frames = world.provider.frames
    found: list[Difference] = []
    for answer in asked.answers:
        found += judge(want, answer, scene.values, asked.times, frames=frames)
        if want.cid == "<cid>":
            found += judge_unique(answer, world.correlation_ids)
    return found
