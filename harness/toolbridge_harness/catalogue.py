"""The rows of the check catalogue: how grave each is, and which a known mutant names.

A row is an area and a number (AUTH-03). What it asks is in the checks that name it.
"""

from collections.abc import Mapping

from toolbridge_harness.model import Check, Severity

# One letter a row, in the order of their numbers; the first number stands before them.
_GRADES: dict[str, tuple[int, str]] = {
    "AUTH": (0, "CCHCCHCCCHMCHCMCHCHLHHCCHLHMMMMCHHHMMHMMHMMMHHMLMCMMHMMMCCHCCCHCHI"),
    "TEN": (0, "CCCCCHHHHCMCCCHHCMCCHMHC"),
    "SIG": (1, "CCCHMMCHHHIHMHMHCL"),
    "SES": (1, "HHCHMHHHHHHHHHCMMHHCMMMLHCHMHCM"),
    "MCP": (1, "HCHMHHHMMMMLLMLHMLHHMMLMHHCHMMLCLMLLMMH"),
    "INP": (1, "CCHHHMLMMCHCCMMHMMMMMHHMLMMMHHMMHMHMLM"),
    "ERR": (1, "HHMCMLMLHMMLMHLHIM"),
    "LOG": (1, "CHHHHMMMMHM"),
    "RES": (1, "HMMHHMCCHMHMHMHMCHCHHMMMLCMMMHIH"),
    "LIM": (1, "HHHMMMMMMLM"),
    "DEP": (1, "HHMHCMLHHMMMHM"),
}
_SEVERITIES = {severity.value[0].upper(): severity for severity in Severity}

SEVERITY: dict[str, Severity] = {
    f"{area}-{first + offset:02d}": _SEVERITIES[grade]
    for area, (first, grades) in _GRADES.items()
    for offset, grade in enumerate(grades)
}
"""Every row and its grade."""

# The rows that catch a mutant of the published table.
_CATCHING: dict[str, str] = {
    "AUTH": (
        "00 01 03 04 09 11 17 18 20 21 23 24 26 27 29 31 33 34 40 42 43 44 45 50 54 56 58 "
        "59 60 62 63 65 "
    ),
    "TEN": "00 03 04 05 06 07 09 11 13 15 16 17 19 21 23",
    "SIG": "01 02 03 04 05 07 08 10 12 13 16 17",
    "SES": "01 03 04 06 07 10 12 13 14 15 19 20 21 25 27 29 30",
    "MCP": "01 02 03 05 06 08 16 19 20 24 39",
    "INP": "01 02 03 04 08 09 10 12 13 14 21 22 27 28 29 33 34 35 36",
    "ERR": "02 03 05 09 13 14",
    "LOG": "02 04 05 06 07 08",
    "RES": "04 05 07 08 14 15 17 20 21 23 26 27",
    "LIM": "01 08 09 11",
    "DEP": "01 03 06 08 09 10",
}
NAMED_BY_MUTANTS = frozenset(
    f"{area}-{number}" for area, numbers in _CATCHING.items() for number in numbers.split()
)
"""Rows that a proxy with a known bug is caught by."""


def checks_by_row(checks: Mapping[str, Check]) -> dict[str, list[str]]:
    """Return the ids of the checks that claim each row; rows without a check are left out."""
    found: dict[str, list[str]] = {}
    for declared in checks.values():
        for row in declared.catalogue:
            found.setdefault(row, []).append(declared.id)
    return found
