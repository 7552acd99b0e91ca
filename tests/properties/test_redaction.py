"""Property 40: no secret is logged by the proxy, and none passes the harness's redactor."""

from collections.abc import Iterator
from typing import Any, cast

import pytest

from support.body_leaks import Observed, observed
from support.body_redactor import PROPERTIES as REDACTOR
from support.body_redactor import harness
from support.body_silence import PROPERTIES as SILENCE
from support.body_silence import SECRETS
from support.signing_property import Property

# 5,000 examples, each of many calls, are some minutes of work.
pytestmark = [pytest.mark.property, pytest.mark.timeout(900)]


@pytest.fixture(scope="module", params=["json", "console"])
def watched(request: pytest.FixtureRequest) -> Iterator[Observed]:
    """One application that logs at DEBUG, in each of the two formats."""
    with observed(request.param) as running:
        yield running


@pytest.mark.parametrize("one", SILENCE, ids=str)
def test_the_proxy_logs_no_secret(one: Property, watched: Any) -> None:
    """No example contradicts the property."""
    one.check(watched)


def test_every_secret_is_tried(watched: Observed) -> None:
    """The names that are drawn are the secrets that are looked for."""
    assert set(SECRETS) == watched.secrets.keys()


@pytest.mark.parametrize("one", REDACTOR, ids=str)
def test_the_harness_redacts_every_secret_and_nothing_else(one: Property) -> None:
    """No example contradicts the property."""
    one.check(cast("Any", harness))
