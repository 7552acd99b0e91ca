"""State machine SM-3: the cache of the issuer's keys, against what the issuer did and when."""

import asyncio
from functools import cache
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from support.fake_jwks import (
    ATTACKER,
    AUDIENCE,
    ISSUER,
    OUTAGES,
    UNUSABLE,
    URL,
    FakeIssuer,
    configured,
    rsa_key,
)
from support.signing_property import Properties
from support.token_forging import good_claims, rs256
from support.token_subject import REFERENCE, TokenSubject, judge
from toolbridge_proxy.jwks import REFRESH_FLOOR_SECONDS
from toolbridge_proxy.tokens import Caller

PROPERTIES = Properties()
SM_3 = 3  # its number among the state machines
KEY_IDS = ("k1", "k2", "K1", "k1 ", "")
KEYS = (0, 1, 2)
NEVER = float("-inf")
# The edges of the floor and of each refresh setting, and times far from any.
PAUSES = (1, 4, 5, 6, 29, 30, 31, 59, 60, 61, 299, 300, 301, 1000, 86_400)

kids, keys = st.sampled_from(KEY_IDS), st.sampled_from(KEYS)


@cache
def token(kid: str | None, key: int) -> str:
    """Return a token signed by the key of that number, good for a day, made once."""
    return rs256(good_claims(iss=ISSUER, aud=AUDIENCE), rsa_key(key), kid)


class KeySetCache(RuleBasedStateMachine):
    """One issuer and one verifier whose monotonic clock is turned by hand."""

    subject: TokenSubject = REFERENCE

    @initialize(
        refresh=st.sampled_from([5, 30, 60, 300]),
        kid=kids,
        key=keys,
        outage=st.sampled_from([None, None, *sorted(OUTAGES)]),
    )
    def start(self, refresh: int, kid: str, key: int, outage: str | None) -> None:
        self.now, self.refresh = 1000.0, refresh
        self.floor = min(REFRESH_FLOOR_SECONDS, refresh)
        self.issuer = FakeIssuer(outage=outage)
        self.loop = asyncio.Runner()
        self.issuer.__enter__()
        self.issuer.clock = lambda: self.now
        self.jwks = self.subject.jwks(URL, refresh, lambda: self.now)
        self.verifier = self.subject.verifier(configured("key set"), self.jwks)
        self.changed: dict[str, float] = {}
        self.up: float = NEVER  # since when the endpoint has answered without a break
        self.publish(kid, key)

    def teardown(self) -> None:
        if hasattr(self, "jwks"):
            self.loop.run(self.jwks.close())
            self.issuer.__exit__(None, None, None)
            self.loop.close()

    # What the issuer does.

    @rule(kid=kids, key=keys)
    def publish(self, kid: str, key: int) -> None:
        """Add a key, or replace the one of that name."""
        if self.issuer.published.get(kid) != key:
            self.issuer.published[kid] = key
            self.changed[kid] = self.now

    @precondition(lambda self: self.issuer.published)
    @rule(data=st.data())
    def revoke(self, data: st.DataObject) -> None:
        """Take a key out of the set."""
        kid = data.draw(st.sampled_from(sorted(self.issuer.published)))
        del self.issuer.published[kid]
        self.changed[kid] = self.now

    @rule(kid=kids, key=keys)
    def rotate(self, kid: str, key: int) -> None:
        """Let one key take the place of all others."""
        for old in [name for name in self.issuer.published if name != kid]:
            del self.issuer.published[old]
            self.changed[old] = self.now
        self.publish(kid, key)

    @rule(mode=st.sampled_from(sorted(OUTAGES)))
    def fail(self, mode: str) -> None:
        """Begin an outage, or change its kind."""
        self.issuer.outage = mode

    @precondition(lambda self: self.issuer.outage is not None)
    @rule()
    def recover(self) -> None:
        """End the outage."""
        self.issuer.outage, self.up = None, self.now

    @rule(mode=st.sampled_from(sorted(OUTAGES)), kid=kids)
    def fail_at_a_refresh(self, mode: str, kid: str) -> None:
        """Let a refresh fall into an outage, whose answers nobody may believe."""
        self.fail(mode)
        self.now += self.refresh
        self.forge("evil", 1)
        self.forge(kid, 1)
        self.verify_all(turned=False)
        self.recover()

    @rule(seconds=st.one_of(st.sampled_from(PAUSES), st.integers(0, 700)))
    def advance(self, seconds: int) -> None:
        """Let time pass."""
        self.now += seconds

    # What callers send.

    def accepts(self, *tokens: str) -> list[bool]:
        """Have the tokens judged at the same time."""

        async def run() -> list[bool]:
            found = await asyncio.gather(*(judge(self.verifier, one) for one in tokens))
            return [isinstance(verdict, Caller) for verdict in found]

        return self.loop.run(run())

    @rule(kid=kids, key=keys)
    def verify(self, kid: str, key: int) -> None:
        """Judge one token, and its verdict by what the issuer did."""
        had = dict(self.issuer.served)
        (accepted,) = self.accepts(token(kid, key))
        is_published = self.issuer.published.get(kid) == key

        # The last set that was fetched decides, so an outage changes no verdict.
        assert accepted == (self.issuer.served.get(kid) == key)
        # An unknown key is looked for after the floor; a known one is checked at each refresh.
        patience = self.refresh if kid in had else self.floor
        settled = self.now - self.changed.get(kid, NEVER) >= patience
        if self.issuer.outage is None and settled and self.now - self.up >= self.floor:
            assert is_published == accepted

    @rule(turned=st.booleans())
    def verify_all(self, turned: bool) -> None:
        """Judge a token of every key that the proxy may have, or might."""
        known = self.issuer.served | self.issuer.published
        for kid in sorted(known, reverse=turned):
            self.verify(kid, known[kid])

    @rule(kid=kids, key=keys, more=st.integers(0, 4), before=st.booleans())
    def publish_and_wait(self, kid: str, key: int, more: int, before: bool) -> None:
        """A key is asked for some time after it came, and perhaps before."""
        if before:
            self.verify(kid, key)
        self.publish(kid, key)
        self.now += self.floor + more
        self.verify(kid, key)

    @precondition(lambda self: self.issuer.served)
    @rule(data=st.data(), more=st.integers(0, 4))
    def revoke_and_wait(self, data: st.DataObject, more: int) -> None:
        """A key that was good is asked for some time after it went."""
        kid = data.draw(st.sampled_from(sorted(self.issuer.served)))
        key = self.issuer.served[kid]
        self.verify(kid, key)
        if self.issuer.published.pop(kid, None) is not None:
            self.changed[kid] = self.now
        self.now += self.refresh + more
        self.verify(kid, key)

    @rule(key=keys)
    def verify_unnamed(self, key: int) -> None:
        """A token that names no key needs a set of one."""
        (accepted,) = self.accepts(token(None, key))

        assert not accepted or [key] == list(self.issuer.served.values())

    @rule(
        kid=st.one_of(kids, st.sampled_from(["evil", "oct", *UNUSABLE])),
        together=st.integers(1, 3),
    )
    def forge(self, kid: str, together: int) -> None:
        """Nothing signed by a key that is in no good set is accepted."""
        assert [False] * together == self.accepts(*[token(kid, ATTACKER)] * together)

    @rule(count=st.sampled_from([1, 5, 20]), at_once=st.booleans(), first=st.integers(0, 49))
    def flood(self, count: int, at_once: bool, first: int) -> None:
        """Tokens with made-up key ids are refused, one after the other or all at once."""
        made_up = [token(f"made-up-{(first + n) % 50}", ATTACKER) for n in range(count)]
        if at_once:
            assert [False] * count == self.accepts(*made_up)
        else:
            assert [[False]] * count == [self.accepts(one) for one in made_up]

    # What holds at any time.

    @invariant()
    def fetches_are_few(self) -> None:
        """At most one fetch, and one more for each interval that has passed, from any moment on."""
        if hasattr(self, "issuer"):
            assert are_apart(self.issuer.fetched, self.floor)

    @invariant()
    def nothing_else_is_asked(self) -> None:
        """No redirect and no token leads the proxy to another URL."""
        if hasattr(self, "issuer"):
            assert [] == self.issuer.strays


def are_apart(fetched: list[float], interval: float) -> bool:
    return all(later - earlier >= interval for earlier, later in pairwise(fetched))


@PROPERTIES.add(
    SM_3,
    share=0.2,
    refresh=st.sampled_from([5, 30, 60, 300]),
    pauses=st.lists(st.one_of(st.sampled_from(PAUSES), st.integers(0, 700)), max_size=20),
)
def regular_traffic_is_a_fetch_per_interval(
    subject: TokenSubject, refresh: int, pauses: list[int]
) -> None:
    """SM-3: while all tokens name known keys, the set is fetched at each refresh and no more."""
    now = 1000.0
    issuer = FakeIssuer({"k1": 0}, clock=lambda: now)

    async def run() -> None:
        nonlocal now
        jwks = subject.jwks(URL, refresh, lambda: now)
        verifier = subject.verifier(configured("key set"), jwks)
        for pause in [0, *pauses]:
            now += pause
            assert isinstance(await judge(verifier, token("k1", 0)), Caller)
        await jwks.close()

    with issuer:
        asyncio.run(run())

    assert are_apart(issuer.fetched, refresh)


def sized(size: settings) -> settings:
    """Return the size of a search: an example is dozens of verdicts."""
    return settings(size, max_examples=max(30, size.max_examples // 4), stateful_step_count=40)
