"""Claims about several starts of the proxy: those that must be refused, and those that differ."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from toolbridge_harness.redact import Redactor
from toolbridge_harness.restarts import Attempt, Settings
from toolbridge_harness.target import Target
from toolbridge_harness.verdicts import Violation, require

BASE_URL = "TOOLBRIDGE_GO_API_BASE_URL"
TENANT_ID = "TOOLBRIDGE_TENANT_ID"
TENANT_SECRET = "TOOLBRIDGE_TENANT_HEADER_SECRET"  # noqa: S105 - the variable's name
JWT_SECRET = "TOOLBRIDGE_JWT_SECRET"  # noqa: S105 - the variable's name
# The catalogue's bound for a refusal (DEP-04), and how many times a good start it may take
# where starts are slow: a container that must be unpacked, a machine with other work.
_REFUSAL_SECONDS = 5.0
_TIMES_A_START = 4
# A start that has neither failed nor succeeded by now has hung.
_HUNG_SECONDS = 25.0
# What a check with several starts may take on a busy machine, where one start takes eight.
SECONDS = 90.0
# One start takes a core for a second.
_AT_ONCE = 2
# Error messages cut values short: a validator shows the ends of a long one.
_PIECE = 8

_T = TypeVar("_T")


@dataclass(frozen=True)
class BadStart:
    """Settings that must stop the start."""

    what: str
    settings: Settings
    variable: str
    """What the message must name."""


async def two_at_a_time(
    run: Callable[..., Awaitable[_T]], vectors: Iterable[Sequence[object]]
) -> list[_T]:
    """Run with each vector of arguments, two at a time; the first failure ends them all."""
    free = asyncio.Semaphore(_AT_ONCE)

    async def one(vector: Sequence[object]) -> _T:
        async with free:
            return await run(*vector)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(vector)) for vector in vectors]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


async def require_refused(target: Target, starts: Iterable[BadStart]) -> None:
    """Require that each start ends by itself, unsuccessfully, naming the variable and no secret.

    The control is the run's own proxy: the same command with these settings as they should be.
    """
    longest = max(await two_at_a_time(_require_refused, [(target, start) for start in starts]))
    if longest > _REFUSAL_SECONDS:
        began = time.monotonic()
        async with target.restarted({}):
            most = max(_REFUSAL_SECONDS, _TIMES_A_START * (time.monotonic() - began))
        require(longest <= most, f"refusals within {most:.0f} s", f"{longest:.0f} s")


async def _require_refused(target: Target, start: BadStart) -> float:
    """Return how many seconds the refusal took."""
    began = time.monotonic()
    async with target.attempted(start.settings) as attempt:
        came_up = await comes_up(attempt, start.what)
        took = time.monotonic() - began
        require(not came_up, f"the start to be refused with {start.what}", "it serves")
        require_named(attempt, start.what, start.variable)
        require_no_secret(target, attempt, start.what)
    return took


async def comes_up(attempt: Attempt, what: str) -> bool:
    """Whether the proxy listens, or else ends; a Violation when it does neither."""
    try:
        async with asyncio.timeout(_HUNG_SECONDS):
            return await attempt.comes_up()
    except TimeoutError:
        raise Violation(f"the start with {what} to succeed or to be refused", "neither") from None


def require_named(attempt: Attempt, what: str, variable: str) -> None:
    """Require a refused start to have failed, and to have said which variable is wrong."""
    code = attempt.exit_code
    require(code, f"an exit code other than 0 with {what}", code)
    said = attempt.started.process.last_words
    require(variable in attempt.log.upper(), f"{variable} to be named with {what}", said)


def require_no_secret(target: Target, attempt: Attempt, what: str) -> None:
    """Require that what a start has printed holds no secret of its settings, and no piece of one.

    The message that fails says which variable, never what stands in it.
    """
    settings = attempt.started.settings
    for name in (TENANT_SECRET, JWT_SECRET):
        if len(settings.get(name, "")) >= 2 * _PIECE:
            found = shown(settings[name], attempt.log)
            require(not found, f"a start with {what} that prints no secret", f"{name}, {found}")
    kinds = target.deployment.redactor.finds(attempt.log)
    require(not kinds, f"a start with {what} that prints no secret", ", ".join(kinds))


def shown(secret: str, text: str) -> str:
    """Say how `secret` stands in `text`: whole, in any encoding, or one of its ends; "" if not."""
    if "<secret>" in Redactor([secret]).finds(text):
        return "whole"
    if secret[:_PIECE] in text or secret[-_PIECE:] in text:
        return f"{_PIECE} characters of it"
    return ""
