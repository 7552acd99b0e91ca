"""The table of mutants holds together with the suite that it tests."""

import os
import re
import subprocess
import sys
from pathlib import Path

from mutants.elsewhere import ELSEWHERE
from mutants.table import all_mutants, all_variants
from toolbridge_harness.catalogue import SEVERITY
from toolbridge_harness.registry import all_checks

ROOT = Path(__file__).parents[2]
LETTERS = "ATSEPIRLQV"
# The published table: how many rows each letter has.
COUNTS = (30, 12, 13, 14, 12, 17, 6, 5, 16, 4)


def test_a_mutant_names_rows_that_exist() -> None:
    """Every row is one of the catalogue."""
    unknown = {m.id: set(m.rows) - set(SEVERITY) for m in all_mutants().values()}

    assert {} == {name: rows for name, rows in unknown.items() if rows}


def test_a_mutant_names_a_cause_that_exists() -> None:
    """The cause is a check, or one that the run itself finds."""
    causes = {m.id: m.cause for m in all_mutants().values() if m.cause}

    assert {} == {
        name: cause
        for name, cause in causes.items()
        if cause not in all_checks() and not cause.startswith("run-")
    }


def test_a_cause_tests_a_row_of_its_mutant() -> None:
    """What a report should name first is a check that claims one of the mutant's rows."""
    checks = all_checks()
    strangers = {
        m.id: m.cause
        for m in all_mutants().values()
        if m.cause in checks and not set(m.rows) & set(checks[m.cause].catalogue)
    }

    assert {} == strangers


def test_a_bug_is_one_short_sentence() -> None:
    """The table reads as a list: lower case, no full stop."""
    said = [m.bug for m in all_mutants().values()] + [v.difference for v in all_variants().values()]

    assert [] == [text for text in said if not re.fullmatch(r".{8,140}[^.]", text)]


def test_every_row_of_the_published_table_is_there_once() -> None:
    """As a mutant, or as a row that is tested elsewhere; and no row is made up."""
    counted = zip(LETTERS, COUNTS, strict=True)
    published = [f"M-{letter}{n:02}" for letter, count in counted for n in range(1, count + 1)]
    known = [*(name for name in all_mutants() if name.startswith("M-")), *ELSEWHERE]

    assert sorted(published) == sorted(known)


def test_a_row_that_is_tested_elsewhere_has_tests_there() -> None:
    """Pytest finds each of them."""
    nodes = [node for row in ELSEWHERE.values() for node in row.tests]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *nodes]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}

    found = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)

    assert (0, set(nodes)) == (found.returncode, set(found.stdout.split()) & set(nodes))


def test_a_test_elsewhere_names_its_row() -> None:
    """Whoever changes it sees what depends on it."""
    sources = {row: {node.partition("::")[0] for node in e.tests} for row, e in ELSEWHERE.items()}

    assert {} == {
        row: name
        for row, names in sources.items()
        for name in names
        if row not in (ROOT / name).read_text()
    }
