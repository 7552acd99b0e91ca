"""The list of checks."""

import inspect

import pytest

from support.harness_fakes import holds
from toolbridge_harness.errors import UsageProblem
from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.registry import Misdeclared, all_checks, check, select


def test_there_are_more_than_thirty_checks() -> None:
    """The suite has the thirty checks of the first milestone, and more."""
    assert len(all_checks()) >= 30


@pytest.mark.parametrize("name", sorted(all_checks()))
def test_a_check_is_declared_for_its_reader(name: str) -> None:
    """Every check says what it does, in a function that fits in one view."""
    declared = all_checks()[name]
    source = inspect.getsource(declared.run)

    assert declared.run.__doc__
    assert not declared.claim.endswith(".")
    assert declared.remedy.endswith(".")
    assert declared.why.endswith(".")
    assert declared.broken != ""
    assert len(source.splitlines()) <= 40


def test_the_smoke_profile_needs_no_secret() -> None:
    """Every check of the smoke profile can run with a URL alone."""
    needs = {n for declared in select(Profile.SMOKE) for n in declared.needs}

    assert {Vantage.OUTSIDE} == needs


def test_each_profile_includes_the_one_before() -> None:
    """What smoke runs, gate runs too, and so on."""
    sizes = [{c.id for c in select(profile)} for profile in Profile]

    assert sizes[0] < sizes[1] <= sizes[2] <= sizes[3]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("auth-alg-none", "auth-alg-none"),
        ("AUTH-03", "auth-alg-none"),
        ("tools-*-life-cycle", "tools-note-life-cycle"),
        ("signing", "signing-fresh"),
        ("critical", "tenant-wrong"),
    ],
)
def test_checks_are_selected_by_any_of_their_names(wanted: str, found: str) -> None:
    """Id, catalogue row, pattern, area and severity all select."""
    assert found in {declared.id for declared in select(Profile.SMOKE, [wanted])}


def test_an_unknown_name_is_refused() -> None:
    """A selection that names nothing is a usage error, not an empty run."""
    with pytest.raises(UsageProblem, match="'auth-nonsense'"):
        select(Profile.GATE, ["auth-nonsense"])


@pytest.mark.parametrize("name", ["Auth-Upper", "single", "auth_under", "-lead"])
def test_an_id_is_an_area_and_a_slug(name: str) -> None:
    """A malformed id is found at import."""
    declare = check(
        name,
        "Something holds",
        severity=Severity.LOW,
        catalogue="X-1",
        source="s",
        remedy="r.",
        why="w.",
    )
    with pytest.raises(Misdeclared, match="lower case"):
        declare(holds)


def test_an_id_is_unique() -> None:
    """A second check under a known id is found at import."""
    all_checks()
    declare = check(
        "auth-alg-none",
        "Something else",
        severity=Severity.LOW,
        catalogue="X-1",
        source="s",
        remedy="r.",
        why="w.",
    )
    with pytest.raises(Misdeclared, match="declared twice"):
        declare(holds)
