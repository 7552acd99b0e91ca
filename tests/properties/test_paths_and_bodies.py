"""Properties 33 to 37: what a caller gives reaches the Go API as itself, or not at all."""

from collections.abc import Iterator
from typing import Any

import pytest

from support.body_bodies import PROPERTIES as BODIES
from support.body_paths import PROPERTIES as PATHS
from support.body_proxy import Proxy, running_proxy
from support.signing_property import Property

pytestmark = pytest.mark.property


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    """One application for all examples: what a tool call becomes has no memory."""
    with running_proxy() as running:
        yield running


@pytest.mark.parametrize("one", [*PATHS, *BODIES], ids=str)
def test_what_a_caller_gives_is_sent_as_itself_or_refused(one: Property, proxy: Any) -> None:
    """No example contradicts the property."""
    one.check(proxy)


def test_every_property_of_paths_and_bodies_is_there() -> None:
    """33 to 37, each with its number in its docstring."""
    assert {33, 34, 35, 36, 37} == {one.number for one in [*PATHS, *BODIES]}
    assert all(
        (one.body.__doc__ or "").startswith(f"Property {one.number}") for one in [*PATHS, *BODIES]
    )
