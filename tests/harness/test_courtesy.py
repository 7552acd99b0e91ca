"""How a run treats somebody's deployment: users, samples, and what has to be allowed."""

import asyncio
import random
from typing import Any

import pytest

from support.harness_fakes import CheckBody, a_check, a_deployment
from toolbridge_harness.budget import DEFAULT
from toolbridge_harness.courtesy import Courtesy, not_allowed, towards_url
from toolbridge_harness.model import Ask, Outcome, Result
from toolbridge_harness.progress import PlainProgress
from toolbridge_harness.runner import Run, run_check, run_checks
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.tokens import Given
from toolbridge_harness.users import SHARE, Users

POOL = {f"toolbridge-verify-{number:02}" for number in range(1, 2 * SHARE + 1)}


def _live(**fields: Any) -> Courtesy:
    wanted: dict[str, Any] = {"loopback": False, "rate": None, "budget": None, "jobs": 2}
    return towards_url(**{"allow": frozenset()} | wanted | fields)


@pytest.mark.parametrize(
    ("given", "live", "limit"),
    [
        ({"loopback": False}, True, DEFAULT),
        ({"loopback": False, "budget": 300}, True, 300),
        ({"loopback": True}, False, None),
        ({"loopback": True, "rate": 5.0}, True, None),
        ({"loopback": True, "budget": 300}, True, 300),
    ],
)
def test_a_loopback_url_is_spared_when_it_is_asked_for(
    given: dict[str, object], live: bool, limit: int | None
) -> None:
    """A loopback URL may be a tunnel: a rate or a budget says so."""
    courtesy = _live(**given)

    assert (live, limit) == (courtesy.live, courtesy.budget.limit)
    assert live is (courtesy.users is not None)
    assert courtesy.created.keeps


async def _callers(courtesy: Courtesy, run: CheckBody, checks: int) -> Run:
    state = Run([a_check(f"demo-n{n}", run=run) for n in range(checks)])
    deployment = a_deployment(courtesy=courtesy)
    await run_checks(state, deployment, seed=1, jobs=2, seconds=5, progress=PlainProgress())
    return state


async def test_all_runs_act_as_the_same_few_users() -> None:
    """However many checks and runs, no subject is outside of the pool, and markers differ."""
    subs: set[str] = set()
    markers: list[str] = []

    async def run(target: Target, caller: Caller) -> None:
        other = target.caller(unlike=caller)
        subs.update({caller.sub, other.sub})
        markers.extend((caller.marker, other.marker))

    for _ in range(2):
        state = await _callers(_live(), run, checks=20)
        assert {Outcome.PASS} == {result.outcome for result in state.results.values()}

    assert subs == POOL
    assert 80 == len(set(markers))


async def test_checks_that_run_at_once_share_no_user() -> None:
    """While a check acts as a user of the pool nobody else does, and its callers are several."""
    acting: list[str] = []
    clashes: list[str] = []

    async def run(target: Target, caller: Caller) -> None:
        mine = [caller.sub, *(target.caller().sub for _ in range(SHARE - 1))]
        clashes.extend(sub for sub in mine if sub in acting)
        acting.extend(mine)
        await asyncio.sleep(0)
        assert len(set(mine)) == SHARE
        for sub in mine:
            acting.remove(sub)

    state = await _callers(_live(), run, checks=12)

    assert [] == clashes
    assert {Outcome.PASS} == {result.outcome for result in state.results.values()}


async def test_a_user_is_given_back_whatever_a_check_does() -> None:
    """A check that breaks keeps no share: all others still get theirs."""

    async def run(target: Target, caller: Caller) -> None:
        raise KeyError

    state = await _callers(_live(), run, checks=9)

    assert 9 == sum(r.outcome is Outcome.ERROR for r in state.results.values())


async def test_a_check_may_ask_for_a_subject_that_was_never_seen() -> None:
    """Where the claim needs a new user, it gets one that no run had before."""
    subs: list[str] = []

    async def run(target: Target, caller: Caller) -> None:
        subs.append(target.caller(unseen=True).sub)

    for _ in range(2):
        await run_check(a_check(run=run), a_deployment(courtesy=_live()), seed=1)

    assert 2 == len(set(subs) - POOL)


async def test_too_many_users_are_the_fault_of_the_check() -> None:
    """A check that acts as more users than its share breaks, and says why."""

    async def run(target: Target, caller: Caller) -> None:
        for _ in range(SHARE):
            target.caller()

    result = await run_check(a_check(run=run), a_deployment(courtesy=_live()), seed=1)

    assert Outcome.ERROR is result.outcome
    assert f"as {SHARE} users at most" in result.detail


async def test_given_tokens_stay_the_given_users() -> None:
    """The pool is for tokens that are minted: two given users stay two."""
    tokens = [minted.token or "" for minted in _two_callers()]
    subs: set[str] = set()

    async def run(target: Target, caller: Caller) -> None:
        subs.update({caller.sub, target.caller(unlike=caller).sub})

    deployment = a_deployment(courtesy=_live(), tokens=Given(tokens, None))
    await run_check(a_check(run=run), deployment, seed=1)

    assert 2 == len(subs)
    assert not subs & POOL


def _two_callers() -> list[Caller]:
    target = Target(a_deployment(), "demo-holds", random.Random(1))
    return [target.caller(), target.caller()]


async def test_samples_are_small_on_a_live_deployment_alone() -> None:
    """The full sample for a target of the harness's own, the live one for somebody's."""
    sizes: list[int] = []

    async def run(target: Target, caller: Caller) -> None:
        sizes.append(target.sample(200, live=40))

    for courtesy in (Courtesy(), _live(loopback=True), _live()):
        await run_check(a_check(run=run), a_deployment(courtesy=courtesy), seed=1)

    assert [200, 200, 40] == sizes


@pytest.mark.parametrize(
    ("courtesy", "outcome"),
    [
        (Courtesy(), Outcome.PASS),
        (_live(loopback=True), Outcome.PASS),
        (_live(), Outcome.NOT_APPLICABLE),
        (_live(allow=frozenset({Ask.DESTRUCTIVE})), Outcome.NOT_APPLICABLE),
        (_live(allow=frozenset({Ask.HEAVY})), Outcome.PASS),
    ],
)
async def test_a_heavy_check_runs_where_it_is_allowed(courtesy: Courtesy, outcome: Outcome) -> None:
    """Somebody's deployment gets no heavy check unless its owner allowed that."""
    deployment = a_deployment(courtesy=courtesy)

    assert outcome is (await run_check(a_check(asks=Ask.HEAVY), deployment, seed=1)).outcome


async def test_what_was_not_allowed_is_not_verified_and_says_how_to_allow_it() -> None:
    """Each kind is listed with its option; other checks that did not apply are not."""
    checks = [
        a_check("demo-b", asks=Ask.HEAVY),
        a_check("demo-a", asks=Ask.HEAVY),
        a_check("demo-c", asks=Ask.DESTRUCTIVE),
    ]
    results = [await run_check(c, a_deployment(courtesy=_live()), seed=1) for c in checks]
    results.append(Result("demo-d", Outcome.NOT_APPLICABLE, detail="needs logs"))

    assert [
        (("demo-a", "demo-b"), "--allow heavy"),
        (("demo-c",), "--allow destructive"),
    ] == [(group.checks, group.enable) for group in not_allowed(results)]


def test_a_user_of_the_pool_is_not_always_the_first() -> None:
    """A share comes back with another user first, so that no user takes most of the calls."""
    users = Users(jobs=1)
    firsts = []
    for _ in range(SHARE):
        share = users.lease()
        firsts.append(share[0])
        users.release(share)

    assert SHARE == len(set(firsts))
