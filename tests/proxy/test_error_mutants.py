"""Break the proxy's error contract in many ways: its rows notice each, each in its aspect."""

import pytest

from support.error_breaks import BREAKS, Break
from support.error_judging import ASPECTS, broken_aspects, expected, expected_of_session
from support.error_rows import BY_NAME
from support.error_stage import stage
from toolbridge_proxy import upstream

named = pytest.mark.parametrize("broken", BREAKS, ids=lambda b: b.name.replace(" ", "-"))


@pytest.fixture(autouse=True)
def every_call_may_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "RETRY_BURST", 100.0)


@named
async def test_a_break_is_noticed(broken: Break) -> None:
    """Its row fails for this operation in this aspect; test_error_contract has it whole."""
    row = BY_NAME[broken.row]
    async with stage(seconds=row.seconds, transport=broken.transport, app=broken.app) as on:
        if broken.session:
            on.api.session = [row.plan]
        else:
            on.api.entity = [row.plan]
        seen = await on.ask(broken.operation)
    want = expected_of_session(row) if broken.session else expected(row, broken.operation)
    assert "internal" != seen.error.get("code"), "the break itself is broken"
    assert broken.aspect in broken_aspects(want, seen)


def test_there_are_breaks_enough() -> None:
    """Each has its own name, and each aspect has caught one."""
    assert len({broken.name for broken in BREAKS}) == len(BREAKS) >= 12
    assert ASPECTS.keys() == {broken.aspect for broken in BREAKS}
