"""What workers hand over arrives once and whole."""

import json

from support.load_samples import samples
from toolbridge_loadtests.journal import Journal


def worker() -> Journal:
    return Journal(
        samples=samples([5.0, None]),
        missed=3,
        left=1,
        callers={"a", "b"},
        notes=["busy"],
        started="now",
    )


def test_a_batch_survives_the_wire() -> None:
    """Plain values, so that any encoding carries them."""
    master = Journal()

    master.merge(json.loads(json.dumps(worker().take())))

    assert samples([5.0, None]) == master.samples
    assert (3, 1, {"a", "b"}, ["busy"]) == (
        master.missed,
        master.left,
        master.callers,
        master.notes,
    )


def test_nothing_is_handed_over_twice() -> None:
    """The next batch holds only what came after."""
    source, master = worker(), Journal()

    for _ in range(2):
        master.merge(source.take())

    assert (len(master.samples), master.missed, master.notes) == (2, 3, ["busy"])


def test_a_new_test_forgets_the_last_one_but_not_the_preflight() -> None:
    """The web UI starts many tests in one process."""
    journal = worker()
    journal.cold_start_ms = 7.0

    journal.reset("later")

    assert Journal(cold_start_ms=7.0, started="later") == journal
