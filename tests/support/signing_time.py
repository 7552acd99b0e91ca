"""Properties 8 to 11, 17 and 19 to 22: which clock is signed, when, and what is accepted."""

import asyncio
import itertools
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from unittest import mock

from hypothesis import strategies as st

from support import signing_model as model
from support.signing_property import Properties
from support.signing_strategies import NS_PER_MS, NS_PER_SECOND, instants, secrets, tenants
from support.signing_subject import TIMESTAMP, Headers, Subject

PROPERTIES = Properties()

# Names of zones need a database that not every machine has; POSIX rules need none. 5:45 and 3:30
# are no whole hours, 14 is the furthest from UTC.
ZONES = ("UTC0", "NPT-5:45", "NST3:30NDT,M3.2.0,M11.1.0", "LINT-14")

# Between 299.998 s and 300.002 s either verdict is right: Go compares float seconds.
INSIDE_NS = 299_998 * NS_PER_MS
OUTSIDE_NS = 300_002 * NS_PER_MS
_HOUR_NS = 3600 * NS_PER_SECOND

# Pauses around the age of typical caches and of the window.
pauses = st.one_of(
    st.sampled_from([0, 1, NS_PER_MS, *(n * NS_PER_SECOND for n in (1, 60, 299, 301, 599, 601))]),
    st.integers(0, _HOUR_NS),
)
offsets = st.integers(-_HOUR_NS, _HOUR_NS)
_at_the_edge = st.integers(0, NS_PER_SECOND)
_signs = st.sampled_from([1, -1])
inside = st.one_of(
    st.integers(-INSIDE_NS, INSIDE_NS),
    st.builds(lambda sign, less: sign * (INSIDE_NS - less), _signs, _at_the_edge),
)
outside = st.builds(
    lambda sign, more: sign * (OUTSIDE_NS + more),
    _signs,
    st.one_of(_at_the_edge, st.integers(0, 10 * _HOUR_NS)),
)


def stamped(subject: Subject, moments: list[int]) -> list[int]:
    """Return the timestamps that one signer makes while its clock goes through `moments`."""
    clock = iter(moments)
    signer = subject.signer("tenant-a", "s" * 32, lambda: next(clock))
    return [int(dict(signer.headers())[TIMESTAMP]) for _ in moments]


def follows(stamps: list[int], moments: list[int]) -> bool:
    """Say whether each stamp is the clock's millisecond, or a neighbour of it.

    `int(time.time() * 1000)` is 1 ms off in 0.0138 % of instants, and as good.
    """
    return all(abs(s - ns // NS_PER_MS) <= 1 for s, ns in zip(stamps, moments, strict=True))


@PROPERTIES.add(8, ns=instants)
def unit_and_accuracy(subject: Subject, ns: int) -> None:
    """Property 8: the timestamp is the clock in milliseconds, at most one off."""
    assert follows(stamped(subject, [ns]), [ns])


@PROPERTIES.add(9, start=instants, steps=st.lists(pauses, min_size=1, max_size=12))
def freshness(subject: Subject, start: int, steps: list[int]) -> None:
    """Property 9: however long the pauses, each timestamp is now, and none goes back."""
    moments = list(itertools.accumulate(steps, initial=start))
    stamps = stamped(subject, moments)

    assert follows(stamps, moments)
    assert stamps == sorted(stamps)


@PROPERTIES.add(10, start=instants, steps=st.lists(offsets, min_size=1, max_size=12))
def clock_authority(subject: Subject, start: int, steps: list[int]) -> None:
    """Property 10: a wall clock that is set back is followed at once."""
    moments = list(itertools.accumulate(steps, initial=start))

    assert follows(stamped(subject, moments), moments)


@contextmanager
def zone(name: str) -> Iterator[None]:
    """Let the process be in another time zone."""
    try:
        with mock.patch.dict(os.environ, TZ=name):
            time.tzset()
            yield
    finally:
        time.tzset()


@PROPERTIES.add(11, ns=instants)
def zone_invariance(subject: Subject, ns: int) -> None:
    """Property 11: the time zone of the machine changes nothing."""
    for name in ZONES:
        with zone(name):
            assert follows(stamped(subject, [ns]), [ns])


@PROPERTIES.add(17)
def independence(subject: Subject) -> None:
    """Property 17: triples made at once, by threads or tasks, each verify."""
    # Every reading is the middle of another millisecond: none can be rounded to its neighbour.
    clock = itertools.count(1_767_225_600_000 * NS_PER_MS + NS_PER_MS // 2, NS_PER_MS)
    signer = subject.signer("tenant-a", "s" * 32, lambda: next(clock))

    async def by_task() -> Headers:
        await asyncio.sleep(0)
        return signer.headers()

    async def by_tasks() -> list[Headers]:
        return await asyncio.gather(*[by_task() for _ in range(100)])

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: signer.headers(), range(100)))
    made += asyncio.run(by_tasks())
    now = next(clock)

    assert [model.ACCEPT] * 200 == [subject.judge(dict(h), "s" * 32, now) for h in made]
    assert len(made) == len({dict(headers)[TIMESTAMP] for headers in made})


def arrival(subject: Subject, tenant: str, ns: int, offset: int, delay: int = 0) -> str:
    """Return the verdict when the proxy's clock is off by `offset` and the way takes `delay`."""
    return subject.judge(subject.at(tenant, "s" * 32, ns + offset), "s" * 32, ns + delay)


@PROPERTIES.add(19, tenant=tenants, ns=instants, offset=inside)
def accept_region(subject: Subject, tenant: str, ns: int, offset: int) -> None:
    """Property 19: a clock that is off by up to 299.998 s is accepted."""
    assert model.ACCEPT == arrival(subject, tenant, ns, offset)


@PROPERTIES.add(20, tenant=tenants, ns=instants, offset=outside)
def reject_region(subject: Subject, tenant: str, ns: int, offset: int) -> None:
    """Property 20: a clock that is off by 300.002 s or more is refused, for that reason."""
    assert model.SKEW == arrival(subject, tenant, ns, offset)


@PROPERTIES.add(
    21, ns=instants, difference=st.one_of(inside, outside), delay=st.integers(0, _HOUR_NS)
)
def additivity(subject: Subject, ns: int, difference: int, delay: int) -> None:
    """Property 21: only offset minus delay counts: waiting in a queue eats the window."""
    assert arrival(subject, "t", ns, difference) == arrival(
        subject, "t", ns, difference + delay, delay
    )


@PROPERTIES.add(22, tenant=tenants, ns=instants, offset=st.one_of(inside, outside), secret=secrets)
def symmetry(subject: Subject, tenant: str, ns: int, offset: int, secret: str) -> None:
    """Property 22: as much ahead is judged as as much behind."""
    ahead, behind = (
        subject.judge(subject.at(tenant, secret, ns + o), secret, ns) for o in (offset, -offset)
    )

    assert ahead == behind
