"""Quantiles and binomial bounds agree with definitions, brute force and published tables."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolbridge_loadtests import estimates

LATENCIES = st.lists(st.floats(0, 10_000), min_size=1, max_size=200)


@given(values=LATENCIES, percent=st.integers(1, 100))
def test_a_percentile_is_the_smallest_value_that_enough_values_do_not_exceed(
    values: list[float], percent: int
) -> None:
    """The nearest rank is the definition of an inverse distribution function."""
    enough = [v for v in values if 100 * sum(w <= v for w in values) >= percent * len(values)]

    assert min(enough) == estimates.percentile(sorted(values), percent)


@pytest.mark.parametrize(("count", "rank"), [(1, 1), (20, 19), (21, 20), (100, 95), (300, 285)])
def test_the_rank_of_p95_has_no_rounding_error(count: int, rank: int) -> None:
    """In floating point ceil(0.95 * 20) and its like can come out one too high."""
    assert rank == estimates.nearest_rank(95, count)


def test_there_is_no_percentile_of_nothing() -> None:
    """An empty list is refused in words."""
    with pytest.raises(ValueError, match="no values"):
        estimates.percentile([], 95)


@given(count=st.integers(1, 60), share=st.floats(0.01, 0.99), data=st.data())
def test_the_incomplete_beta_function_gives_binomial_probabilities(
    count: int, share: float, data: st.DataObject
) -> None:
    """P(B <= k) = I_{1-p}(n-k, k+1), summed term by term here."""
    hits = data.draw(st.integers(0, count - 1))
    summed = sum(
        math.comb(count, k) * share**k * (1 - share) ** (count - k) for k in range(hits + 1)
    )

    assert estimates.incomplete_beta(count - hits, hits + 1, 1 - share) == pytest.approx(summed)


# How many slow requests a pass may have, and how many a fail needs, at 95 % on each side.
LIMITS = [
    (100, 1, 10),
    (200, 4, 16),
    (300, 8, 22),
    (500, 16, 34),
    (1000, 38, 63),
    (2000, 83, 117),
    (5000, 224, 277),
]


@pytest.mark.parametrize(("count", "passes", "fails"), LIMITS)
def test_the_bounds_agree_with_published_limits(count: int, passes: int, fails: int) -> None:
    """The largest passing and the smallest failing count are those of the binomial tables."""
    upper = [estimates.clopper_pearson(hits, count)[1] < 0.05 for hits in range(passes + 2)]
    lower = [estimates.clopper_pearson(hits, count)[0] > 0.05 for hits in (fails - 1, fails)]

    assert [True] * (passes + 1) + [False] == upper
    assert lower == [False, True]


def test_59_good_samples_are_the_fewest_that_can_show_95_percent() -> None:
    """0.95 ** 59 is the first power below 5 %."""
    assert estimates.clopper_pearson(0, 58)[1] > 0.05 > estimates.clopper_pearson(0, 59)[1]


@pytest.mark.parametrize(("hits", "count"), [(0, 0), (0, 10), (10, 10)])
def test_bounds_at_the_edges_stay_within_0_and_1(hits: int, count: int) -> None:
    """No trials say nothing; no hits leave 0 possible, and only hits leave 1."""
    low, high = estimates.clopper_pearson(hits, count)

    assert (hits == 0, hits == count) == (low == 0.0, high == 1.0)


@pytest.mark.parametrize(("count", "low", "high"), [(300, 277, 293), (1000, 936, 964)])
def test_the_interval_of_p95_is_made_of_the_published_ranks(
    count: int, low: int, high: int
) -> None:
    """Values equal to their ranks show which ranks were taken."""
    ranks = [float(rank) for rank in range(1, count + 1)]

    assert (low, high) == estimates.percentile_interval(ranks, 95)


def test_a_single_value_is_its_own_interval() -> None:
    """Too few values end the interval at the largest one."""
    assert estimates.percentile_interval([7.0], 95) == (7.0, 7.0)


def test_slow_requests_in_one_lump_are_bursty() -> None:
    """Thirty in a row are worth far less than thirty spread over the run."""
    lump = [500 <= number < 530 for number in range(1000)]
    spread = [number % 33 == 0 for number in range(1000)]

    assert estimates.burstiness(lump) > 10
    assert estimates.burstiness(spread) == 1.0


@pytest.mark.parametrize("flags", [[], [True], [False] * 100, [True] * 100])
def test_nothing_that_varies_is_not_bursty(flags: list[bool]) -> None:
    """Without variation there is nothing to compare."""
    assert estimates.burstiness(flags) == 1.0
