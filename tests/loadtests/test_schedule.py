"""Users send at an exact rate and never in step; the ramp is the deployment guide's."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolbridge_loadtests.schedule import RAMP, Timetable, users_at

SEEDS = st.integers(0, 2**32)


def departures(seed: int, count: int, period: float = 1.0) -> list[float]:
    timetable = Timetable(0.0, period, random.Random(seed))
    return [timetable.depart() for _ in range(count)]


@given(seed=SEEDS, period=st.sampled_from([0.2, 1.0, 5.0]))
def test_one_user_sends_once_per_period_and_half_a_period_apart(seed: int, period: float) -> None:
    """So the rate is exact, and a fast target needs one connection per user."""
    times = departures(seed, 50, period)
    gaps = [after - before for before, after in itertools.pairwise(times)]

    assert 48.5 * period <= times[-1] - times[0] <= 49.5 * period
    assert 0.49 * period <= min(gaps) <= max(gaps) <= 1.51 * period


def test_users_that_start_together_spread_over_the_period() -> None:
    """In step, 100 users would send within one of 20 slices of a second; here at most 15 do."""
    times = [time for seed in range(100) for time in departures(seed, 3) if 1 <= time < 2]
    slices = [sum(int(time * 20) == index for time in times) for index in range(20, 40)]

    assert 90 <= len(times) <= 110
    assert max(slices) <= 15


@given(seed=SEEDS, seconds=st.floats(0, 30))
def test_departures_not_taken_are_missed(seed: int, seconds: float) -> None:
    """Counted once they can no longer be in the future: never one too many."""
    due = [time for time in departures(seed, 40) if time <= seconds]
    timetable = Timetable(0.0, 1.0, random.Random(seed))

    assert len(due) - 1 <= timetable.missed(seconds) <= len(due)


@given(seed=SEEDS, seconds=st.floats(0, 30))
def test_a_user_that_is_on_time_misses_nothing(seed: int, seconds: float) -> None:
    """Whenever the test ends."""
    timetable = Timetable(0.0, 1.0, random.Random(seed))
    while timetable.due <= seconds:
        timetable.depart()

    assert timetable.missed(seconds) == 0


@pytest.mark.parametrize(
    ("seconds", "users"),
    [(0, 1), (15, 5), (29.9, 10), (30, 10), (89.9, 10), (105, 5), (119.9, 1), (120, None)],
)
def test_the_ramp_is_the_deployment_guides_profile(seconds: float, users: int | None) -> None:
    """Up to 10 users in 30 s, a minute there, down in 30 s."""
    assert users == users_at(RAMP, 10, seconds)


def test_the_ramp_scales_with_its_peak() -> None:
    """The number of users is given, the shape stays."""
    assert [users_at(RAMP, 40, seconds) for seconds in (15, 60)] == [20, 40]
