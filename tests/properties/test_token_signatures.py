"""Properties 30 to 32: the reference proxy has them all."""

import pytest

from support import token_header_properties, token_signature_properties
from support.signing_property import Property
from support.token_subject import REFERENCE

PROPERTIES = [*token_signature_properties.PROPERTIES, *token_header_properties.PROPERTIES]

pytestmark = pytest.mark.property


@pytest.mark.parametrize("one", PROPERTIES, ids=str)
def test_the_proxy_has_the_property(one: Property) -> None:
    """No example contradicts it."""
    one.check(REFERENCE)


def test_every_property_of_signatures_is_there() -> None:
    """30 to 32, each with its number."""
    assert {30, 31, 32} == {one.number for one in PROPERTIES}
    assert all((one.body.__doc__ or "").startswith(f"Property {one.number}") for one in PROPERTIES)
