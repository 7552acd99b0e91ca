"""A made-up suite of five checks, and runs of it, for tests of the matrix of mutants."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from mutants.freshness import CAUSES
from mutants.matrix import Row, Suite
from mutants.table import Mutant, Variant
from support.harness_fakes import a_check
from toolbridge_harness.model import Check, Profile, Severity

LATE, OTHER, DEEP, CONTROL, MEEK = (
    "auth-late",
    "auth-other",
    "auth-deep",
    "control-token",
    "auth-meek",
)
_ROWS = {LATE: "AUTH-29", OTHER: "AUTH-30", DEEP: "AUTH-31", CONTROL: "AUTH-00", MEEK: "AUTH-32"}


def _in_module(name: str) -> Callable[..., Awaitable[None]]:
    async def run(*_: object) -> None: ...

    run.__module__ = f"toolbridge_harness.checks.{name}"
    return run


# Each in a module of its own, named as the check.
CHECKS: dict[str, Check] = {
    name: replace(
        a_check(
            name,
            _in_module(name),
            severity=Severity.LOW if name == MEEK else Severity.HIGH,
            profile=Profile.FULL if name == DEEP else Profile.GATE,
        ),
        catalogue=(row,),
    )
    for name, row in _ROWS.items()
}
GATE = tuple(sorted({*CHECKS} - {DEEP}))
MODULES = {name: f"{number}" * 8 for number, name in enumerate([*sorted(CHECKS), CAUSES], 1)}
SUITE = Suite(MODULES, GATE, (DEEP,))


def bugs_auth_made_up() -> None:
    """Stand for the function that a mutant is made by."""


BUG = Mutant("a-bug", "takes a token | late", ("AUTH-29",), LATE, bugs_auth_made_up)
OTHER_BUG = Mutant("b-bug", "takes another", ("AUTH-30",), OTHER, bugs_auth_made_up)
SPARED = Mutant("c-none", "does it otherwise", ("AUTH-29",), "", bugs_auth_made_up, "equivalent")
SLOWER = Variant("slower", "takes its time", bugs_auth_made_up)


def a_run(
    outcomes: Mapping[str, str] | None = None,
    causes: Mapping[str, tuple[str, ...]] | None = None,
    problems: tuple[str, ...] = (),
    ran: tuple[str, ...] = GATE,
) -> dict[str, Any]:
    """Return a JSON report: outcomes by check, what is not named passed; causes in order."""
    explained = {name: cause for cause, names in (causes or {}).items() for name in names}
    told = dict.fromkeys(ran, "pass") | dict(outcomes or {})
    return {
        "results": [
            {
                "check": name,
                "outcome": outcome,
                "catalogue": list(CHECKS[name].catalogue),
                "cause": explained.get(name, ""),
                "expected": "this",
                "actual": "that",
            }
            for name, outcome in told.items()
        ],
        "causes": [{"id": cause} for cause in causes or {}],
        "problems": list(problems),
    }


def a_row(name: str = "a-bug", **changes: Any) -> Row:
    """Return the row of a mutant that one check killed, made on SUITE."""
    row = Row(
        name,
        "killed",
        frozenset(GATE),
        {LATE: {"fail": (LATE,)}},
        {"not applicable": (MEEK,)},
        quick=LATE,
        right=True,
        seconds=12.5,
        commit="abc1234",
        date="2026-01-02T03:04Z",
        code="33333333",
        suite=SUITE.id,
    )
    return replace(row, **changes)
