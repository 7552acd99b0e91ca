"""The options of the load test on Locust's command line, and what they default to."""

import math
import os
from typing import Any

from toolbridge_loadtests import callers, mcp_client
from toolbridge_loadtests.callers import ConfigurationError
from toolbridge_loadtests.shapes import SHAPES
from toolbridge_loadtests.users import MAX_CALLER_RATE

# 10 users at 1 request/s, the load of the deployment guide's profile; 300 samples take 30 s, and
# the first seconds warm up.
DEFAULT_USERS = 10
DEFAULT_SECONDS = 35
# Users start within two seconds, so that starting does not eat the 30 s; above 100 a second
# Locust warns, and their warm-ups would disturb the first samples.
SPAWN_RATES = (20.0, 100.0)


def add_options(parser: Any) -> None:
    """Add the options of the gate to Locust's own; those of a test show in the web UI too."""
    group = parser.add_argument_group("ToolBridge options")
    group.add_argument(
        "--budget-ms",
        type=float,
        default=200.0,
        help="p95 must be below this many milliseconds (default 200)",
    )
    group.add_argument(
        "--caller-rate",
        type=float,
        default=1.0,
        help=f"requests per second of each user, at most {MAX_CALLER_RATE:g} (default 1): the load "
        "is this times the number of users",
    )
    group.add_argument(
        "--shape",
        choices=sorted(SHAPES),
        default="constant",
        help="a constant load, or the deployment guide's ramp (default constant)",
    )
    group.add_argument(
        "--verdict-file", default="", metavar="FILE", help="write the verdict as JSON to this file"
    )
    group.add_argument(
        "--rehearsal",
        action="store_true",
        help="80 samples over 3 s are enough; the verdict says that it is not a gate verdict",
    )


def starts_alone(environment: Any) -> bool:
    """Whether the test starts without anybody pressing a button."""
    chosen = environment.parsed_options
    return bool(chosen.headless or chosen.autostart)


def complete(environment: Any) -> None:
    """Check the options and fill in what was not given; ConfigurationError names what is wrong."""
    chosen = environment.parsed_options
    _check_numbers(chosen)
    environment.host = environment.host or os.environ.get("TOOLBRIDGE_MCP_URL") or None
    chosen.host = environment.host
    if environment.host:
        mcp_client.endpoint(environment.host)
    elif starts_alone(environment):
        raise ConfigurationError("no target: give its URL with -H or in TOOLBRIDGE_MCP_URL")
    steady = SHAPES[chosen.shape] is None
    if chosen.num_users is None:
        chosen.num_users = DEFAULT_USERS
    if chosen.spawn_rate is None:
        least, most = SPAWN_RATES
        chosen.spawn_rate = min(most, max(least, chosen.num_users / 2))
    if chosen.run_time is None and steady and starts_alone(environment):
        chosen.run_time = DEFAULT_SECONDS
    # Users need this long at the end, for answers that are still open; 0 would drop them.
    environment.stop_timeout = max(environment.stop_timeout, mcp_client.TIMEOUT_SECONDS + 2)
    _check_sharing(environment)


def _check_numbers(chosen: Any) -> None:
    if not (math.isfinite(chosen.budget_ms) and chosen.budget_ms > 0):
        raise ConfigurationError(f"--budget-ms must be above 0, not {chosen.budget_ms:g}")
    if not 0 < chosen.caller_rate <= MAX_CALLER_RATE:
        raise ConfigurationError(
            f"--caller-rate must be above 0 and at most {MAX_CALLER_RATE:g}, not "
            f"{chosen.caller_rate:g}: the API limits each user; add users instead"
        )


def _check_sharing(environment: Any) -> None:
    """Given tokens are shared by users: none may carry more than one caller's rate."""
    chosen = environment.parsed_options
    try:
        limit = callers.from_environment(os.environ).limit
    except ConfigurationError:
        if not environment.parsed_options.master:
            raise
        return
    load = chosen.num_users * chosen.caller_rate
    if limit is not None and load > limit * MAX_CALLER_RATE:
        raise ConfigurationError(
            f"{load:g} requests/s need {math.ceil(load / MAX_CALLER_RATE)} tokens in "
            f"TOOLBRIDGE_TOKENS_FILE, and there are {limit}: the API limits each user"
        )
