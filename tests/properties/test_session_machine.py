"""State machine SM-1: sync sessions are one's own, fresh, few, and made again when lost."""

import asyncio
import time

import pytest
from hypothesis import settings

from support.session_machines import USERS, SessionMachine, run, sized
from support.session_model import Plan, Violation, World
from support.session_subjects import Application, parts
from support.virtual_time import START_NS, VirtualTime

pytestmark = pytest.mark.property


def test_sm_1_the_session_cache() -> None:
    """SM-1: no sequence of calls, wipes, restarts and pauses breaks (a) to (i)."""
    run(SessionMachine, parts(), sized(settings(), 0.3, least=50))


def test_sm_1_the_whole_application() -> None:
    """SM-1: nor when the calls come as MCP tool calls."""
    run(SessionMachine, Application, sized(settings(), 0.1))


def test_who_joins_the_making_of_a_session_has_time_of_its_own() -> None:
    """A call at the end of its time makes the session; another, with all of its own, joins."""
    late = Plan(latencies=(12.1, 12.2, 1.1, 1.1))
    fresh = Plan(latencies=(0.7,), after=24.5)
    world = World(parts(), enforced=frozenset())
    world.run([(USERS[0], Plan())])
    world.upstream.api.sessions.drop(None)

    calls = world.run([(USERS[0], late), (USERS[0], fresh)])
    world.close()

    assert ["upstream_timeout", "ok"] == [call.code for call in calls]


def test_a_violation_names_its_letter() -> None:
    """So that a failure says which invariant does not hold."""
    world = World(parts())
    world.note("b", "an expired session is presented")
    with pytest.raises(Violation, match=r"^\(b\) an expired session"):
        world.raise_enforced()
    world.close()


def test_virtual_time_passes_by_waiting_alone() -> None:
    """An hour of sleep takes no time, and is an hour on every clock."""
    clock = VirtualTime()

    async def sleep() -> tuple[float, float, int]:
        await asyncio.sleep(3600)
        return time.monotonic(), time.time(), time.time_ns()

    real = time.monotonic()
    expected = (3600.0, START_NS / 1e9 + 3600, START_NS + 3600 * 10**9)
    assert expected == pytest.approx(clock.run(sleep()), rel=1e-15)
    assert time.monotonic() - real < 60
    clock.close()


def test_a_wait_that_never_ends_is_a_deadlock() -> None:
    """No test hangs: with no timer set, nothing could end the wait."""
    clock = VirtualTime()
    with pytest.raises(RuntimeError, match="deadlock"):
        clock.run(_for_ever())
    clock.close()


async def _for_ever() -> None:
    await asyncio.Event().wait()
