"""State machine SM-4: the mock's rate limit against a token bucket kept in whole numbers."""

from dataclasses import dataclass
from typing import Any
from unittest import mock

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from support.contract_caller import SECOND_NS, Caller, TurnedClock, make_api
from support.signing_property import SEARCH
from toolbridge_contract.mock import rate
from toolbridge_contract.mock.api import GoApi
from toolbridge_contract.mock.messages import Call, Response
from toolbridge_contract.mock.routes import Gate
from toolbridge_contract.mock.users import User
from toolbridge_contract.tools import ENTITIES

pytestmark = pytest.mark.property

BURST = 120
NS_PER_TOKEN = SECOND_NS // 10
# A float bucket, Go's among them, may be a hair off where the exact one is at a whole token.
HAIR_NS = 1000
USERS = ("alice", "Alice", "bob", "1")


DELTA = "/v1/sync/"
PULLS = [f"{DELTA}notes/pull", f"{DELTA}tasks/pull"]


@dataclass
class Bucket:
    """What one user may still do: nanoseconds of refill, capped; and what was allowed so far."""

    filled_ns: int
    since_ns: int
    level_ns: int = BURST * NS_PER_TOKEN
    allowed: int = 0

    def refill(self, now_ns: int) -> None:
        self.level_ns = min(BURST * NS_PER_TOKEN, self.level_ns + now_ns - self.filled_ns)
        self.filled_ns = now_ns

    def judge(self, allowed: bool) -> None:
        """Compare with the bucket's verdict, either being right within a hair of a token."""
        if abs(self.level_ns - NS_PER_TOKEN) > HAIR_NS:
            assert allowed == (self.level_ns >= NS_PER_TOKEN)
        assert allowed or self.allowed >= BURST
        if allowed:
            self.level_ns -= NS_PER_TOKEN
            self.allowed += 1


class Limiter(RuleBasedStateMachine):
    """Several users with a session each, at one API whose clock is turned by hand."""

    @initialize()
    def start(self) -> None:
        self.clock = TurnedClock()
        self.api = make_api(self.clock)
        self.callers = {name: Caller(self.api, name).begin() for name in USERS}
        self.buckets: dict[tuple[str, bool], Bucket] = {}

    def entity_call(self, name: str, path: str, change: dict[str, str | None]) -> Response:
        """Make a call that gets to the limiter, and judge whether it should pass."""
        key = name, path.startswith(DELTA)
        bucket = self.buckets.setdefault(key, Bucket(self.clock.ns, self.clock.ns))
        bucket.refill(self.clock.ns)
        answer = self.callers[name].send("GET", path, change=change)
        bucket.judge(answer.status != 429)
        return answer

    @rule(
        name=st.sampled_from(USERS),
        path=st.sampled_from([e.collection for e in ENTITIES] + ["/v1/notes/abc"]),
        times=st.sampled_from([1, 2, 11, 119, 121]),
    )
    def call(self, name: str, path: str, times: int) -> None:
        """Whatever the entity, and even for a 400: one token each."""
        for _ in range(times):
            self.entity_call(name, path, {})

    @rule(name=st.sampled_from(USERS))
    def call_with_an_old_epoch(self, name: str) -> None:
        """409 costs a token; without one it is 429."""
        assert self.entity_call(name, "/v1/notes", {"X-Sync-Epoch": "0"}).status in (409, 429)

    @rule(name=st.sampled_from(USERS), times=st.sampled_from([1, 3]), other=st.booleans())
    def call_without_a_session_of_ones_own(self, name: str, times: int, other: bool) -> None:
        """428 and 403 cost nothing, even for a user who has no token left."""
        stranger = self.callers[USERS[USERS.index(name) - 1]]
        session = stranger.session if other else None
        for _ in range(times):
            answer = self.callers[name].send("GET", "/v1/notes", change={"X-Sync-Session": session})
            assert (403 if other else 428) == answer.status

    @rule(
        name=st.sampled_from(USERS),
        route=st.sampled_from([("POST", "/v1/sync/sessions", 201), ("GET", "/v1/sync/state", 200)]),
    )
    def use_a_session_route(self, name: str, route: tuple[str, str, int]) -> None:
        """Session routes are exempt: never 429, and no token is taken."""
        method, target, expected = route
        for _ in range(2):
            assert expected == self.callers[name].send(method, target).status

    # Sessions live for 30 min: the longest pauses of one run (50 steps) stay below.
    @rule(ns=st.one_of(st.integers(0, 2 * SECOND_NS), st.sampled_from([NS_PER_TOKEN, SECOND_NS])))
    def wait(self, ns: int) -> None:
        """Let time pass."""
        self.clock.ns += ns

    @precondition(lambda self: self.drained())
    @rule(data=st.data())
    def wait_as_advertised(self, data: st.DataObject) -> None:
        """After a 429, waiting for its Retry-After lets the next call pass."""
        name = data.draw(st.sampled_from(self.drained()))
        answer = self.entity_call(name, "/v1/notes", {})
        if answer.status == 429:
            self.clock.ns += int(answer.header("Retry-After") or -1) * SECOND_NS
            assert self.entity_call(name, "/v1/notes", {}).status == 200

    def drained(self) -> list[str]:
        """Name the users who may have no token left."""
        found = self.buckets.items()
        return [n for (n, delta), b in found if not delta and b.level_ns < 5 * NS_PER_TOKEN]

    @invariant()
    def no_more_than_the_contract_allows(self) -> None:
        """Allowed so far is at most 120 and ten for each second, for each bucket alone."""
        for bucket in getattr(self, "buckets", {}).values():
            elapsed = self.clock.ns - bucket.since_ns
            assert bucket.allowed * NS_PER_TOKEN <= BURST * NS_PER_TOKEN + elapsed + HAIR_NS


class BothLimiters(Limiter):
    """The same with delta sync, which has a bucket of its own for each user."""

    @rule(
        name=st.sampled_from(USERS),
        path=st.sampled_from(PULLS),
        times=st.sampled_from([1, 11, 119, 121]),
    )
    def pull(self, name: str, path: str, times: int) -> None:
        """Whatever the entity: one token each, and none of the REST routes'."""
        for _ in range(times):
            self.entity_call(name, path, {})


def sized(size: settings) -> settings:
    # A step is up to 121 requests, so a tenth of the examples is as much work as elsewhere.
    return settings(size, max_examples=max(15, size.max_examples // 10), stateful_step_count=25)


# A search ends at the first counterexample; a refill that is a little slow takes longest to show.
HUNT = settings(SEARCH, max_examples=60, stateful_step_count=25)


def test_sm_4_the_limiter_is_a_token_bucket_per_user() -> None:
    """SM-4: no sequence of calls, refusals and pauses tells the limiter from its model."""
    run_state_machine_as_test(Limiter, settings=sized(settings()))


def test_sm_4_delta_sync_has_a_bucket_of_its_own() -> None:
    """SM-4: REST calls do not empty it, nor it theirs."""
    run_state_machine_as_test(BothLimiters, settings=sized(settings()))


ADMIT = rate.RateLimit.admit


def _one_for_all(self: rate.RateLimit, call: Call, user: User) -> None:
    ADMIT(self, call, _everybody(self, user))


def _everybody(limit: rate.RateLimit, user: User) -> User:
    return next(iter(limit._buckets), user)


def _charged_twice(self: rate.RateLimit, call: Call, user: User) -> None:
    ADMIT(self, call, user)
    if call.headers.get(b"x-sync-epoch") == "0":
        ADMIT(self, call, user)


def _charges_before_the_session(self: GoApi, call: Call) -> User:
    user = IDENTIFY(self, call)
    self._rates[Gate.ENTITY].admit(call, user)
    return user


def _one_for_both(self: GoApi, *about: Any) -> Response:
    self._rates[Gate.DELTA] = self._rates[Gate.ENTITY]
    return ENTITY(self, *about)


def _delta_is_free(self: rate.RateLimit, call: Call, user: User) -> None:
    if not call.request.target.startswith(DELTA):
        ADMIT(self, call, user)


IDENTIFY = GoApi._identify
ENTITY = GoApi._entity

BROKEN = {
    "a larger burst": (rate, "BURST", 121),
    "a smaller burst": (rate, "BURST", 119),
    "a faster refill": (rate, "TOKENS_PER_SECOND", 11.0),
    "a slower refill": (rate, "TOKENS_PER_SECOND", 9.0),
    "no refill in the advertised second": (rate, "TOKENS_PER_SECOND", 0.5),
    "one bucket for all": (rate.RateLimit, "admit", _one_for_all),
    "an old epoch costs two": (rate.RateLimit, "admit", _charged_twice),
    "session routes and refusals cost": (GoApi, "_identify", _charges_before_the_session),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_limiter_is_noticed(name: str) -> None:
    """So SM-4 can fail."""
    owner, attribute, value = BROKEN[name]
    with mock.patch.object(owner, attribute, value), pytest.raises(AssertionError):
        run_state_machine_as_test(Limiter, settings=HUNT)


BROKEN_BOTH = {
    "one bucket for REST and delta sync": (GoApi, "_entity", _one_for_both),
    "delta sync is free": (rate.RateLimit, "admit", _delta_is_free),
}


@pytest.mark.parametrize("name", BROKEN_BOTH)
def test_a_broken_second_bucket_is_noticed(name: str) -> None:
    """So that the machine with both can fail."""
    owner, attribute, value = BROKEN_BOTH[name]
    with mock.patch.object(owner, attribute, value), pytest.raises(AssertionError):
        run_state_machine_as_test(BothLimiters, settings=HUNT)
