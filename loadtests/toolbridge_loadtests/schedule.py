"""When a user sends: an open loop whose users never fall into step.

A closed loop sends the next request only after the last one was answered: a target that stalls
is asked less, and its stall hides (coordinated omission). Here each user has a timetable that no
answer can move: one request per period, at a random place in the first half of it, counted from
a phase of the user's own. So the rate is exact, users spawned together spread out at once, and
latency is counted from the time in the table.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass
class Timetable:
    """The times at which one user sends, in seconds of any steady clock."""

    start: float
    period: float
    dice: random.Random
    sent: int = 0

    def __post_init__(self) -> None:
        """Give the user a phase of its own and look up the first departure."""
        self._phase = self.dice.random() * self.period
        self.due = self._departure()

    def _departure(self) -> float:
        # Half a period, not all of it: two requests of one user are half a period apart at
        # least, so a fast target needs one connection per user.
        jitter = self.dice.random() * self.period / 2
        return self.start + self._phase + self.sent * self.period + jitter

    def depart(self) -> float:
        """Take the departure that is due and return its time; the next one becomes due."""
        departed = self.due
        self.sent += 1
        self.due = self._departure()
        return departed

    def missed(self, now: float) -> int:
        """Return how many departures before `now` were not taken."""
        first = self.start + self._phase
        # The last period may still hold its departure in the future: it is not missed yet.
        periods = int((now - first - self.period / 2) // self.period) + 1
        return max(0, periods - self.sent)


@dataclass(frozen=True)
class Stage:
    """Move to `users` users, linearly, within `seconds`."""

    seconds: float
    users: float


# The k6 profile of the deployment guide, as shares of the peak: up in 30 s, a minute, down.
RAMP: tuple[Stage, ...] = (Stage(30, 1.0), Stage(60, 1.0), Stage(30, 0.0))


def users_at(stages: Sequence[Stage], peak: int, seconds: float) -> int | None:
    """Return the number of users after `seconds`; None when the stages are over.

    At least one, so that a test that has begun never runs empty.
    """
    begin, level = 0.0, 0.0
    for stage in stages:
        if seconds < begin + stage.seconds:
            share = level + (stage.users - level) * (seconds - begin) / stage.seconds
            return max(1, round(share * peak))
        begin, level = begin + stage.seconds, stage.users
    return None
