"""Property 41: retries are few, quick and harmless. Time is virtual: nothing here waits."""

from typing import Any, cast

import pytest

from support.body_retries import PROPERTIES, fresh
from support.signing_property import Property

# 5,000 examples, each of many calls, are some minutes of work.
pytestmark = [pytest.mark.property, pytest.mark.timeout(900)]


@pytest.mark.parametrize("one", PROPERTIES, ids=str)
def test_retries_stay_within_their_budget(one: Property) -> None:
    """No schedule of faults contradicts the property."""
    one.check(cast("Any", fresh()))
