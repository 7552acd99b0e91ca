"""Every row of the check catalogue has a check, or a reason why it has none."""

from toolbridge_harness.catalogue import NAMED_BY_MUTANTS, SEVERITY, checks_by_row
from toolbridge_harness.left_out import LEFT_OUT
from toolbridge_harness.model import Severity
from toolbridge_harness.registry import all_checks


def test_the_catalogue_is_whole() -> None:
    """302 rows, 60 of them critical and 107 high, as the catalogue counts them."""
    grades = list(SEVERITY.values())

    assert (302, 60, 107) == (
        len(grades),
        grades.count(Severity.CRITICAL),
        grades.count(Severity.HIGH),
    )
    assert set(SEVERITY) >= NAMED_BY_MUTANTS


def test_every_row_has_a_check_or_a_reason() -> None:
    """Critical, high, named by a mutant or none of these: nothing is left out in silence."""
    tested = checks_by_row(all_checks())

    assert [] == [row for row in SEVERITY if row not in tested and row not in LEFT_OUT]


def test_no_row_has_both() -> None:
    """A reason goes when the check comes."""
    assert set() == set(checks_by_row(all_checks())) & set(LEFT_OUT)


def test_checks_name_rows_that_exist() -> None:
    """A typing error would look like coverage."""
    assert set() == set(checks_by_row(all_checks())) - set(SEVERITY)


def test_a_critical_row_has_a_check() -> None:
    """No reason is good enough for a row of severity critical."""
    assert [] == [row for row in LEFT_OUT if SEVERITY[row] is Severity.CRITICAL]
