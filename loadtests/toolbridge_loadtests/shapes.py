"""Shapes of load: how many users there are at each moment."""

import time
from typing import Any

from locust import LoadTestShape

from toolbridge_loadtests.schedule import RAMP, users_at


class Ramp(LoadTestShape):
    """The deployment guide's profile: up to 10 users (or -u) in 30 s, a minute there, down in 30 s.

    Selected with `--shape ramp`; abstract, so that Locust does not pick it up by itself.
    """

    abstract = True
    use_common_options = True

    def tick(self) -> tuple[int, float] | None:
        """Return users and spawn rate for now; None ends the test."""
        runner: Any = self.runner
        peak = int(runner.environment.parsed_options.num_users)
        users = users_at(RAMP, peak, time.perf_counter() - self.start_time)
        # As fast as a tick may ask: the ramp itself is made of ticks.
        return None if users is None else (users, float(peak))


SHAPES: dict[str, type[LoadTestShape] | None] = {"constant": None, "ramp": Ramp}
