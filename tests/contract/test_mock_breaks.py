"""Break the mock in many ways: the provider cases notice each, and agree when it is whole."""

import contextlib

import pytest

from support.contract_breaks import BREAKS
from support.contract_breaks_base import Break
from support.contract_breaks_wire import WIRE_BREAKS
from support.contract_caller import TurnedClock, make_api
from support.contract_provider import SECRETS, InProcess, by_outcome, cases, verdicts
from support.contract_threaded import threaded_mock
from toolbridge_contract.provider.providers import Served
from toolbridge_contract.provider.runner import Outcome, run


def test_the_whole_mock_agrees_with_every_case_that_needs_no_socket() -> None:
    """And what is not run is `wire`, slow, or beyond the mock, by its own words."""
    found = run(cases(), InProcess())

    assert [] == by_outcome(found, Outcome.DIFFERS)
    assert [] == by_outcome(found, Outcome.NO_VERDICT)
    skipped = [result for result in found if result.outcome is Outcome.NOT_RUN]
    assert all(r.case.wire or r.case.slow or r.case.mock for r in skipped)
    assert len(found) - len(skipped) > 640


@pytest.mark.parametrize("broken", BREAKS, ids=lambda item: item.name.replace(" ", "-"))
def test_a_break_is_noticed(broken: Break, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each named case differs, for a verdict and not for want of one."""
    broken.apply(monkeypatch)
    clock = TurnedClock()
    provider = InProcess(make_api(clock, **dict(broken.options)), clock)

    expected = dict.fromkeys(broken.noticed_by, Outcome.DIFFERS)
    assert expected == verdicts(provider, broken.noticed_by)


@pytest.mark.parametrize("broken", WIRE_BREAKS, ids=lambda item: item.name.replace(" ", "-"))
def test_a_break_of_the_server_is_noticed(broken: Break, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a real socket, where the whole server agrees."""
    found = []
    for apply in (lambda _: None, broken.apply):
        apply(monkeypatch)
        with threaded_mock() as url, contextlib.closing(Served(url, SECRETS)) as api:
            found.append({r.case.id: r.outcome for r in run(cases(broken.noticed_by), api)})

    assert dict.fromkeys(broken.noticed_by, Outcome.AGREES) == found[0]
    assert dict.fromkeys(broken.noticed_by, Outcome.DIFFERS) == found[1]


def test_there_are_breaks_enough() -> None:
    """Twenty or more, each of its own name and noticed by someone."""
    assert len({item.name for item in BREAKS}) == len(BREAKS) >= 20
    assert all(item.noticed_by for item in BREAKS)
