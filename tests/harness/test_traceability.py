"""docs/traceability.md: every MUST has checks that exist, or a reason."""

import ast
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from toolbridge_harness.commands.checks import checks
from toolbridge_harness.registry import all_checks
from toolbridge_harness.traceability.model import Elsewhere, Gap, Page, Requirement, Source
from toolbridge_harness.traceability.render import SOURCES, markdown

ROOT = Path(__file__).parents[2]
REQUIREMENTS = [one for source in SOURCES for one in source.requirements]
ELSEWHERE = [one for source in SOURCES for one in source.elsewhere]
CHECKS = all_checks()
each = pytest.mark.parametrize("one", REQUIREMENTS, ids=lambda one: one.id)
each_source = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.title)


def functions(path: str) -> set[str]:
    """Return the names of a module's own functions."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return {
        node.name for node in ast.parse((ROOT / path).read_text()).body if isinstance(node, kinds)
    }


def test_the_page_is_fresh() -> None:
    """docs/traceability.md is what `toolbridge checks traceability` prints."""
    done = CliRunner().invoke(checks, ["traceability"])

    assert 0 == done.exit_code
    assert (ROOT / "docs" / "traceability.md").read_text() == done.output


@each
def test_a_requirement_has_checks_that_exist_or_a_reason(one: Requirement) -> None:
    """Checks, or else the kind of gap and a sentence about it; never both kinds of answer."""
    assert [] == [name for name in one.checks if name not in CHECKS]
    assert bool(one.checks) is (one.gap is None)
    assert one.reason.endswith(".") or (one.checks and one.reason == "")


@each
def test_a_requirement_is_one_readable_row(one: Requirement) -> None:
    """It says what and where, names nothing twice, and breaks out of no cell."""
    assert one.text.strip() == one.text != ""
    assert one.places
    for names in (one.checks, one.tests, one.places):
        assert len(names) == len(set(names))
    assert not set("|\n") & set(one.text + one.reason)


@each
def test_the_tests_of_a_requirement_exist(one: Requirement) -> None:
    """Each names a file of this repository and a test function in it."""
    missing = []
    for name in one.tests:
        path, _, function = name.partition("::")
        if not function.startswith("test_") or function not in functions(path):
            missing.append(name)

    assert [] == missing


@each
def test_what_a_reason_refers_to_exists(one: Requirement) -> None:
    """Checks and requirements that are named in a reason are there."""
    areas = "|".join({name.partition("-")[0] for name in CHECKS})
    named = re.findall(rf"(?<![\w-])(?:{areas})-[a-z0-9_-]+", one.reason)
    rows = re.findall(r"\b[TAJ]-\d+\b", one.reason)

    assert [] == [name for name in named if name not in CHECKS]
    assert set() == set(rows) - {other.id for other in REQUIREMENTS}


def test_every_requirement_has_an_id_of_its_own() -> None:
    """A letter for the subject and a number, never given twice."""
    ids = [one.id for one in REQUIREMENTS]

    assert len(ids) == len(set(ids))
    assert [] == [name for name in ids if not re.fullmatch(r"[TAJ]-\d\d", name)]


def test_every_page_has_a_key_of_its_own() -> None:
    """A place names one page, whichever table it stands in."""
    keys = [key for source in SOURCES for key in source.pages]

    assert ["T25", "T26", "A25", "A26", "S26", "J"] == keys


@each_source
def test_every_section_with_a_must_is_covered(source: Source) -> None:
    """Each is named by a row of the server's or by one of somebody else's, and no other is."""
    named = {place for one in source.requirements for place in one.places}
    named |= {place for one in source.elsewhere for place in one.places}
    sections = list(source.sections())

    assert set(sections) == named
    assert len(sections) == len(set(sections))


@each_source
def test_a_section_without_a_must_is_not_one_with_a_must(source: Source) -> None:
    """The two lists of a page have nothing in common."""
    assert [] == [page.title for page in source.pages.values() if {*page.sections} & {*page.silent}]


@pytest.mark.parametrize("one", ELSEWHERE, ids=lambda one: f"{one.who} {one.places[0]}")
def test_what_is_not_the_servers_is_said_in_short(one: Elsewhere) -> None:
    """Who, what and where, in one row."""
    assert one.who
    assert one.text
    assert not set("|\n") & set(one.who + one.text)


def test_the_known_deviation_is_told() -> None:
    """Forwarding the caller's token is against the specification, and the page says so."""
    deviating = [one for one in REQUIREMENTS if one.gap is Gap.DEVIATION]

    assert [("A-18", True)] == [(one.id, "by design" in one.reason) for one in deviating]


SAMPLE = Source(
    "A subject",
    {"P": Page("A page", "https://page.example", ("One", "Two"), ("Three",))},
    (
        Requirement("T-01", ("P One",), "do this", ("auth-expired", "auth-tampered")),
        Requirement(
            "T-02", ("P One",), "do that", ("auth-expired",), ("a.py::test_a",), None, "x."
        ),
        Requirement("T-03", ("P Two",), "do more", gap=Gap.UNCHECKED, reason="Nobody looks."),
    ),
    (Elsewhere("client", ("P Two",), "something else"),),
)
EXPIRED = "[auth-expired](checks.md#auth-expired)"


@pytest.mark.parametrize(
    "line",
    [
        "| A subject | 3 | 2 | 0 | 0 | 1 | 0 |",
        "- **P**: [A page](https://page.example). Sections without a MUST: Three.",
        f"| T-01 | do this | P One | {EXPIRED}, [auth-tampered](checks.md#auth-tampered). |",
        f"| T-02 | do that | P One | {EXPIRED}. Left out: x. Tests: `a.py::test_a`. |",
        "| T-03 | do more | P Two | **no check**: Nobody looks. |",
        "| client | something else | P Two |",
    ],
)
def test_a_row_shows_its_evidence(line: str) -> None:
    """Counts, pages, checks with what they leave out, reasons, tests, and others' duties."""
    assert line in markdown([SAMPLE]).splitlines()
