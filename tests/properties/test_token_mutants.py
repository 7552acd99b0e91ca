"""The token properties are worth having: each broken verifier, cache and application is noticed."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from support import (
    jwks_machine,
    token_claim_properties,
    token_header_properties,
    token_signature_properties,
)
from support.jwks_machine import KeySetCache
from support.signing_property import SEARCH
from support.token_breaks import BREAKS, UNBROKEN
from support.token_breaks_base import Break
from support.token_subject import TokenSubject

PROPERTIES = {
    one.body: one
    for one in (
        *token_claim_properties.PROPERTIES,
        *token_signature_properties.PROPERTIES,
        *token_header_properties.PROPERTIES,
        *jwks_machine.PROPERTIES,
    )
}
HUNT = settings(SEARCH, report_multiple_bugs=False, stateful_step_count=40)
SOME = settings(SEARCH, max_examples=20, stateful_step_count=30)


def examine(subject: TokenSubject, by: Callable[..., Any], size: settings) -> None:
    """Look for a counterexample to one property, or a sequence that the machine minds."""
    if by is KeySetCache:
        machine = type("Machine", (KeySetCache,), {"subject": subject})
        run_state_machine_as_test(machine, settings=size)
    else:
        PROPERTIES[by].check(subject, size)


@pytest.mark.parametrize("one", BREAKS, ids=str)
def test_a_broken_verifier_is_noticed(one: Break) -> None:
    """By the property named for it, and because it judges wrongly, not because it is a mutant."""
    with pytest.raises(one.raises):
        examine(one.subject, one.noticed_by, HUNT)


@pytest.mark.parametrize("by", [*PROPERTIES, KeySetCache], ids=lambda by: by.__name__)
def test_what_the_breaks_are_made_of_is_not_flagged(by: Callable[..., Any]) -> None:
    """The same wrappers around the reference change nothing."""
    examine(UNBROKEN, by, SOME)


def test_every_property_notices_something() -> None:
    """No property is there that no break calls for."""
    assert {*PROPERTIES, KeySetCache} == {one.noticed_by for one in BREAKS}
