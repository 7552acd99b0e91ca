"""Property 24: what an exchange says about two clocks, and what is made of it."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.signing_property import SEARCH
from support.signing_strategies import NS_PER_MS, NS_PER_SECOND, instants
from toolbridge_contract.skew import Skew, Verdict, estimate

pytestmark = pytest.mark.property

HOUR_NS = 3600 * NS_PER_SECOND
Estimator = Callable[[int, int, int, int], Skew]

trips = st.one_of(st.integers(0, 5 * NS_PER_MS), st.integers(0, 60 * NS_PER_SECOND))


def look_for_a_wrong_estimate(estimator: Estimator, size: settings) -> None:
    """Property 24: the true skew is within half the round trip and the resolution."""

    @settings(size)
    @given(
        sent=instants,
        there=trips,
        back=trips,
        true=st.integers(-HOUR_NS, HOUR_NS),
        resolution=st.sampled_from([1, NS_PER_MS, NS_PER_SECOND]),
    )
    def examine(sent: int, there: int, back: int, true: int, resolution: int) -> None:
        server = sent + there + true
        found = estimator(sent, server - server % resolution, sent + there + back, resolution)

        assert abs(found.offset_ns - true) <= found.error_ns
        assert 2 * found.error_ns <= there + back + 2 * resolution

    examine()


def test_property_24_the_estimate_is_within_its_error() -> None:
    """And the error is no larger than half the round trip and the resolution."""
    look_for_a_wrong_estimate(estimate, settings())


WRONG: dict[str, Estimator] = {
    "one way only": lambda sent, server, received, unit: Skew(server - sent, received - sent),
    "the answer's time": lambda s, server, r, unit: Skew(server - r, (r - s + unit) // 2 + 1),
    "resolution forgotten": lambda s, server, r, unit: estimate(s, server, r),
    "wrong sign": lambda s, server, r, unit: Skew(-estimate(s, server, r, unit).offset_ns, r - s),
    "whole round trip": lambda s, server, r, unit: Skew(server - (s + r) // 2, r - s + unit),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_estimator_is_noticed(name: str) -> None:
    """So property 24 can fail."""
    search = settings(
        SEARCH, suppress_health_check=[HealthCheck.too_slow], report_multiple_bugs=False
    )
    with pytest.raises(AssertionError):
        look_for_a_wrong_estimate(WRONG[name], search)


skews = st.integers(-HOUR_NS, HOUR_NS).map(lambda offset: Skew(offset, 0))


@given(one=skews, other=skews)
def test_property_24_the_verdict_is_monotone(one: Skew, other: Skew) -> None:
    """A larger skew, either way, is never judged better."""
    smaller, larger = sorted((one, other), key=lambda skew: abs(skew.offset_ns))

    assert smaller.verdict <= larger.verdict
    assert smaller.in_step >= larger.in_step


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("seconds", "verdict", "in_step"),
    [
        (0.0, Verdict.OK, True),
        (2.0, Verdict.OK, True),
        (2.001, Verdict.OK, False),
        (30.0, Verdict.OK, False),
        (30.001, Verdict.WARN, False),
        (240.0, Verdict.WARN, False),
        (240.001, Verdict.FAIL, False),
        (3600.0, Verdict.FAIL, False),
    ],
)
def test_the_bounds_are_2_30_and_240_seconds(
    seconds: float, verdict: Verdict, in_step: bool, sign: int
) -> None:
    """DEP-13: in step, drifting unnoticed, warned about, about to be refused."""
    skew = Skew(round(sign * seconds * NS_PER_SECOND), 0)

    assert (verdict, in_step) == (skew.verdict, skew.in_step)


def test_seconds_are_given_with_their_sign() -> None:
    """A server 90 s ahead, asked for 40 ms, with a Date header of whole seconds."""
    now = 1_767_225_600 * NS_PER_SECOND
    skew = estimate(now, now + 90 * NS_PER_SECOND, now + 40 * NS_PER_MS, NS_PER_SECOND)

    assert (90.48, 0.52, Verdict.WARN) == (skew.seconds, skew.error_seconds, skew.verdict)


def test_a_clock_that_went_back_gives_no_estimate() -> None:
    """One line says what to do."""
    with pytest.raises(ValueError, match="went back during the exchange: measure again"):
        estimate(2, 1, 1)
