"""Which mutants are made, and how one gets into a process."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from mutation.applying import swapped
from mutation.bench import Verdict
from mutation.scoring import Score, score
from mutation.source_mutants import FOLDER, Key, SourceMutant, mutants_of
from mutation.telling import Fate
from toolbridge_proxy import signing
from toolbridge_proxy.signing import Signer


def one(place: str, after: str) -> SourceMutant:
    """Return the mutant of signing.py at `place` whose changed line is `after`."""
    (found,) = [
        mutant
        for mutant in mutants_of("signing")
        if (mutant.key.place, mutant.key.after) == (place, after)
    ]
    return found


def test_every_kind_of_place_is_mutated() -> None:
    """Constants, classes, functions and methods, decorated or not."""
    places = {mutant.key.place for mutant in mutants_of("tokens")}
    expected = {"module", "_Claims", "_decode", "TokenVerifier.caller", "Caller.fingerprint"}
    assert expected == expected & places


def test_a_mutant_is_the_module_with_one_change() -> None:
    """One line differs, and it is the one that the key names."""
    original = (FOLDER / "signing.py").read_text().splitlines()
    for mutant in mutants_of("signing"):
        changed = mutant.source.splitlines()
        pairs = [(a.strip(), b.strip()) for a, b in zip(original, changed, strict=True) if a != b]
        assert [(mutant.key.before, mutant.key.after)] == pairs


def test_each_mutant_is_made_once() -> None:
    """No two have the same text."""
    assert {1} == set(Counter(mutant.source for mutant in mutants_of("signing")).values())


@pytest.fixture
def unchanged() -> Iterator[None]:
    """Put the signer's code back."""
    code = Signer.sign.__code__
    yield
    Signer.sign.__code__ = code


@pytest.mark.usefixtures("unchanged")
def test_a_function_is_swapped_wherever_it_is_known() -> None:
    """An object that exists already has the mutant's behaviour."""
    signer = Signer("t", "s")
    change = "kept = [(name, value) for name, value in headers if name.lower() in _OWN]"
    assert swapped(one("Signer.sign", change))
    assert "X-Other" not in dict(signer.sign([("X-Other", "1")]))


def test_what_takes_effect_on_import_is_not_swapped() -> None:
    """A constant, and a function whose code is as it was."""
    same = (FOLDER / "signing.py").read_text()
    function = SourceMutant(Key("signing", "Signer.sign", "", ""), same)
    assert (False, False) == (swapped(one("module", "_OWN = None")), swapped(function))
    assert "x-tb-signature" in signing._OWN


KEYS = [Key("tokens", "f", "a", after) for after in "bcdef"]


def of(*fates: Fate) -> list[Verdict]:
    return [
        Verdict(SourceMutant(key, key.after), fate, "", 0.5)
        for key, fate in zip(KEYS, fates, strict=True)
    ]


def test_a_score_counts_what_became_of_the_mutants() -> None:
    """A time-out is a kill; an explained one that is killed is wrong, and so is a survivor."""
    verdicts = of(Fate.KILLED, Fate.TIMED_OUT, Fate.SURVIVED, Fate.SURVIVED, Fate.KILLED)
    expected = Score("tokens", 3, 1, (KEYS[3],), (KEYS[4],), 2.5)
    assert expected == score("tokens", verdicts, {KEYS[2], KEYS[4]})


GOOD = Score("sessions", killed=95, explained=5, survived=(), killed_after_all=(), seconds=1)


@pytest.mark.parametrize(
    ("changes", "enough"),
    [
        ({}, True),
        ({"survived": (KEYS[0],)}, False),
        ({"killed_after_all": (KEYS[0],)}, False),
        ({"killed": 28, "explained": 5}, False),
        ({"killed": 29, "explained": 5}, True),
    ],
)
def test_a_score_is_enough_when_all_is_killed_or_explained(
    changes: dict[str, object], enough: bool
) -> None:
    """And 85 % of all are killed, so that nothing is explained away."""
    assert enough is replace(GOOD, **changes).enough  # type: ignore[arg-type]  # counts
