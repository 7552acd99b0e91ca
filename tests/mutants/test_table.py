"""The table of mutants holds together with the suite that it tests."""

import re

from mutants.table import all_mutants, all_variants
from toolbridge_harness.catalogue import SEVERITY
from toolbridge_harness.registry import all_checks


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
