"""State machine SM-3: the reference proxy's cache of the issuer's keys."""

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from support.jwks_machine import PROPERTIES, KeySetCache, sized
from support.signing_property import Property
from support.token_subject import REFERENCE

pytestmark = pytest.mark.property


def test_sm_3_keys_are_followed_through_rotation_and_outage() -> None:
    """SM-3: no sequence of events makes the cache accept, refuse or fetch what it should not."""
    run_state_machine_as_test(KeySetCache, settings=sized(settings()))


@pytest.mark.parametrize("one", PROPERTIES, ids=str)
def test_sm_3_regular_traffic_is_one_fetch_per_refresh(one: Property) -> None:
    """SM-3: the refresh setting is the interval as long as no unknown key is named."""
    one.check(REFERENCE)
