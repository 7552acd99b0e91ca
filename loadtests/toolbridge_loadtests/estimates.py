"""Quantiles and exact binomial bounds, from the standard library alone.

Sources: Clopper and Pearson, Biometrika 26 (1934); the continued fraction of the incomplete
beta function, DLMF 8.17.22; order-statistic intervals, David and Nagaraja (2003), section 7.1.
"""

import math
from collections.abc import Sequence

# The fraction converges in a few dozen steps for any run that fits in memory.
_MAX_STEPS = 10_000
_EPSILON = 1e-15
_TINY = 1e-300


def nearest_rank(percent: int, count: int) -> int:
    """Return the 1-based rank of the `percent`-th percentile among `count` ordered values.

    Integer arithmetic: ceil(0.95 * 20) is 19, while floating point can make it 20.
    """
    return max(1, -(-percent * count // 100))


def percentile(ordered: Sequence[float], percent: int) -> float:
    """Return the nearest-rank percentile of ascending values; ValueError when there are none."""
    if not ordered:
        raise ValueError("no values, so no percentile")
    return ordered[nearest_rank(percent, len(ordered)) - 1]


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b) for a, b > 0."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    log_front = (
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    # The fraction converges fast only below the mean; above it, use the mirror image.
    if x > (a + 1) / (a + b + 2):
        return 1.0 - math.exp(log_front) * _fraction(b, a, 1 - x) / b
    return math.exp(log_front) * _fraction(a, b, x) / a


def _fraction(a: float, b: float, x: float) -> float:
    """Evaluate the continued fraction by Lentz's method."""
    c = 1.0
    d = 1.0 / _nonzero(1.0 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _MAX_STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for coefficient in (even, odd):
            d = 1.0 / _nonzero(1.0 + coefficient * d)
            c = _nonzero(1.0 + coefficient / c)
            value *= c * d
        if abs(c * d - 1.0) < _EPSILON:
            break
    return value


def _nonzero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def _beta_quantile(probability: float, a: float, b: float) -> float:
    """Invert `incomplete_beta` by bisection: 60 halvings reach double precision."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if incomplete_beta(a, b, middle) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def clopper_pearson(hits: int, count: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the exact bounds of a share after `hits` of `count` trials.

    Each bound holds with the given confidence by itself: together they are a 90 % interval.
    """
    if count == 0:
        return 0.0, 1.0
    tail = 1 - confidence
    low = 0.0 if hits == 0 else _beta_quantile(tail, hits, count - hits + 1)
    high = 1.0 if hits == count else _beta_quantile(1 - tail, hits + 1, count - hits)
    return low, high


def _binomial_quantile(probability: float, count: int, share: float) -> int:
    """Return the smallest k with P(Binomial(count, share) <= k) >= probability."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        # P(B <= k) = I_{1-share}(count - k, k + 1)
        if incomplete_beta(count - middle, middle + 1, 1 - share) >= probability:
            high = middle
        else:
            low = middle + 1
    return low


def percentile_interval(
    ordered: Sequence[float], percent: int, confidence: float = 0.95
) -> tuple[float, float]:
    """Return the order-statistic interval of a percentile: two of the values themselves.

    No assumption is made about how latencies are distributed. With too few values the upper end
    is the largest one.
    """
    count = len(ordered)
    tail = (1 - confidence) / 2
    low = _binomial_quantile(tail, count, percent / 100)
    high = _binomial_quantile(1 - tail, count, percent / 100) + 1
    return ordered[max(low, 1) - 1], ordered[min(high, count) - 1]


def burstiness(flags: Sequence[bool], batches: int = 25) -> float:
    """Return how much more the share of hits varies over time than independent hits would.

    1.0 means independent; 5.0 that the samples are worth a fifth of their number. `flags` are
    in order of time. Batch means; 25 batches keep at least 12 samples in each of 300.
    """
    size = len(flags) // batches
    share = sum(flags) / len(flags) if flags else 0.0
    if size < 2 or share in (0.0, 1.0):
        return 1.0
    means = [sum(flags[i * size : (i + 1) * size]) / size for i in range(batches)]
    centre = sum(means) / batches
    variance = sum((mean - centre) ** 2 for mean in means) / (batches - 1)
    return max(1.0, variance * size / (share * (1 - share)))
