"""State machine SM-2: what is sent again, and what a caller is told of a lost answer."""

import pytest
from hypothesis import settings

from support.session_faults import FAULTS, Fault
from support.session_machines import ALICE, OutageMachine, RetryMachine, run, sized
from support.session_model import CREATE, GET, Plan, World
from support.session_subjects import Application, parts

pytestmark = pytest.mark.property


def test_sm_2_retries_and_idempotency() -> None:
    """SM-2: ok is exactly one commit, a definite error is none, whatever happens on the way."""
    run(RetryMachine, parts(), sized(settings(), 0.3, least=50))


def test_sm_2_the_whole_application() -> None:
    """SM-2: the same for MCP tool calls."""
    run(RetryMachine, Application, sized(settings(), 0.1))


def test_sm_2_an_outage_is_not_amplified() -> None:
    """SM-2: under a permanent fault there are at most 1.2 requests for each call, and five."""
    run(OutageMachine, parts(), sized(settings(), 0.08))


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
def test_each_fault_that_stays_has_its_code(fault: Fault) -> None:
    """For a read and for a mutation, as the error contract says; the machine's table is right."""
    world = World(parts())
    plans = [Plan(operation, (fault,) * 4) for operation in (GET, CREATE)]
    codes = [world.run([(ALICE, plan)])[0].code for plan in plans]
    world.close()

    assert [fault.read, fault.write] == codes
