"""Which checks a mutant, or a variant, is run against."""

from mutants.judging import CONTROL
from mutants.matrix import Suite
from mutants.table import Mutant, Variant
from toolbridge_harness.model import Check, Profile
from toolbridge_harness.registry import all_checks, select


def checks_for(mutant: Mutant) -> list[Check]:
    """Return the checks that name its rows, the controls and the smoke profile."""
    rows = set(mutant.rows)
    named = [c for c in all_checks().values() if rows & set(c.catalogue) or c.id == mutant.cause]
    smoke = select(Profile.SMOKE)
    return list({c.id: c for c in [all_checks()[CONTROL], *smoke, *named]}.values())


def checks_of_matrix(one: Mutant | Variant) -> list[Check]:
    """Return what its row holds: the gate and the checks of its rows, or the profile full."""
    if isinstance(one, Variant):
        return select(Profile.FULL)
    return list({c.id: c for c in [*select(Profile.GATE), *checks_for(one)]}.values())


def profiles(modules: dict[str, str]) -> Suite:
    """Return the state of the suite: its modules' digests, and what its profiles hold."""
    gate = tuple(sorted(declared.id for declared in select(Profile.GATE)))
    full = {declared.id for declared in select(Profile.FULL)}
    return Suite(modules, gate, tuple(sorted(full - {*gate})))
