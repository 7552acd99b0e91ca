"""The matrix mutant x check, and variant x check: what it holds, and the JSON that keeps it.

One line per mutant in the file, sorted: a difference reads as what changed. What a row stands on
(the digests of the check modules, the checks of the profiles) is shared by the rows of one state
of the suite, a Suite.
"""

import hashlib
import json
from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mutants.judging import Fate

SCHEMA = 1
# Digests tell versions of one file apart, and nobody tries to make two alike.
DIGEST = 8
MUTANTS, VARIANTS = KINDS = ("mutants", "variants")
GREEN, RED = "green", "red"
PASS, FAIL = "pass", "fail"

Red = Mapping[str, Mapping[str, tuple[str, ...]]]


@dataclass(frozen=True)
class Suite:
    """One state of the checks: digests by module, and which checks the profiles have."""

    modules: Mapping[str, str]
    gate: tuple[str, ...]
    full: tuple[str, ...]
    """What the profile full has beyond the gate."""

    @property
    def id(self) -> str:
        """A digest of all of it."""
        told = json.dumps([dict(sorted(self.modules.items())), self.gate, self.full])
        return hashlib.sha256(told.encode()).hexdigest()[:DIGEST]

    def base(self, kind: str) -> frozenset[str]:
        """Return the checks that a row of this kind runs in any case."""
        return frozenset(self.gate if kind == MUTANTS else self.gate + self.full)


@dataclass(frozen=True)
class Again:
    """A later run of some of a row's checks."""

    commit: str
    date: str
    checks: int


@dataclass(frozen=True)
class Row:
    """What the suite said about one mutant or variant, check by check."""

    id: str
    fate: str
    """A Fate of a mutant; green, red or crashed for a variant."""
    ran: frozenset[str]
    red: Red = field(default_factory=dict)
    """Cause, the report's first one first, to outcome, to checks: the cause explains them."""
    soft: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Outcomes that are neither red nor a pass, to checks."""
    quick: str = ""
    """The first cause if only the checks of its rows and the smoke profile had been run."""
    right: bool = False
    """Whether the first cause is the one that the table names."""
    problems: int = 0
    """How many the run had beyond its checks."""
    seconds: float = 0.0
    commit: str = ""
    """Short; a + says that the code had changes that were not committed."""
    date: str = ""
    """UTC, to the minute."""
    code: str = ""
    """Digest of the proxy, of the mutant's module, and of its declaration."""
    suite: str = ""
    again: Again | None = None

    @property
    def cause(self) -> str:
        """What the report names first, empty when it names nothing."""
        return next(iter(self.red), "")

    def cells(self) -> dict[str, str]:
        """Return the outcome of every check that ran."""
        named = {name: what for outcomes in self.red.values() for name, what in _flat(outcomes)}
        return dict.fromkeys(self.ran, PASS) | dict(_flat(self.soft)) | named

    def explained(self) -> dict[str, str]:
        """Return the cause of every red check; its own id where it is a cause itself."""
        return {name: cause for cause, found in self.red.items() for name, _ in _flat(found)}

    @property
    def reds(self) -> frozenset[str]:
        """The red checks."""
        return frozenset(self.explained())

    @property
    def as_it_should_be(self) -> bool:
        """Green, spared, or killed with the right cause named first."""
        return self.fate in (GREEN, Fate.SPARED) or (self.fate == Fate.KILLED and self.right)


@dataclass(frozen=True)
class Matrix:
    """All rows, by id, and the states of the suite that they rest on."""

    mutants: Mapping[str, Row] = field(default_factory=dict)
    variants: Mapping[str, Row] = field(default_factory=dict)
    suites: Mapping[str, Suite] = field(default_factory=dict)

    def rows(self, kind: str) -> Mapping[str, Row]:
        """Return the rows of a kind."""
        return self.mutants if kind == MUTANTS else self.variants

    def with_row(self, kind: str, row: Row, suite: Suite) -> "Matrix":
        """Return this with one more row, or another in its place."""
        rows = {**self.rows(kind), row.id: replace(row, suite=suite.id)}
        return replace(self, suites={**self.suites, suite.id: suite}, **{kind: rows})

    def only(self, names: Container[str]) -> "Matrix":
        """Return this without the rows of mutants and variants that are no more."""
        mutants, variants = (
            {name: row for name, row in self.rows(kind).items() if name in names} for kind in KINDS
        )
        return replace(self, mutants=mutants, variants=variants)


def _flat(outcomes: Mapping[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(name, outcome) for outcome, names in outcomes.items() for name in names]


def read(path: Path) -> Matrix:
    """Return what the file holds; an empty matrix when there is none."""
    return decoded(path.read_text(encoding="utf-8")) if path.exists() else Matrix()


def write(path: Path, matrix: Matrix) -> None:
    """Replace the file at once: who is stopped meanwhile leaves the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(encoded(matrix), encoding="utf-8")
    fresh.replace(path)


def encoded(matrix: Matrix) -> str:
    """Return the JSON document; states of the suite that no row rests on are left out."""
    used = {row.suite for kind in KINDS for row in matrix.rows(kind).values()}
    suites = {key: _suite_json(suite) for key, suite in matrix.suites.items() if key in used}
    parts = [f'"schema": {SCHEMA}', f'"suites": {_lines(suites)}']
    for kind in KINDS:
        rows = matrix.rows(kind).values()
        told = {row.id: _row_json(row, matrix.suites[row.suite].base(kind)) for row in rows}
        parts.append(f'"{kind}": {_lines(told)}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def decoded(text: str) -> Matrix:
    """Return the matrix that a JSON document holds."""
    document = json.loads(text)
    if document["schema"] != SCHEMA:
        raise ValueError(f"a matrix of format {document['schema']}; this reads {SCHEMA}")
    suites = {
        key: Suite(told["modules"], tuple(told["gate"]), tuple(told["full"]))
        for key, told in document["suites"].items()
    }
    rows = {
        kind: {
            name: _row(name, told, suites[told["suite"]].base(kind))
            for name, told in document[kind].items()
        }
        for kind in KINDS
    }
    return Matrix(rows[MUTANTS], rows[VARIANTS], suites)


def _lines(entries: Mapping[str, Any]) -> str:
    lines = [f"{json.dumps(key)}: {json.dumps(told)}" for key, told in sorted(entries.items())]
    return "{\n" + ",\n".join(lines) + "\n}" if lines else "{}"


def _suite_json(suite: Suite) -> dict[str, Any]:
    modules = dict(sorted(suite.modules.items()))
    return {"modules": modules, "gate": list(suite.gate), "full": list(suite.full)}


def _row_json(row: Row, base: frozenset[str]) -> dict[str, Any]:
    again = row.again and [row.again.commit, row.again.date, row.again.checks]
    told = {
        "fate": row.fate,
        "right": row.right,
        "red": row.red,
        "quick": row.quick if row.quick != row.cause else "",
        "soft": row.soft,
        "more": sorted(row.ran - base),
        "less": sorted(base - row.ran) if row.ran else [],
        "problems": row.problems,
        "seconds": round(row.seconds, 1),
        "commit": row.commit,
        "date": row.date,
        "again": again,
        "code": row.code,
        "suite": row.suite,
    }
    return {key: value for key, value in told.items() if value}


def _row(name: str, told: Mapping[str, Any], base: frozenset[str]) -> Row:
    nothing = told["fate"] == Fate.CRASHED and "red" not in told
    ran = frozenset() if nothing else base - {*told.get("less", ())} | {*told.get("more", ())}
    red = {cause: _tuples(found) for cause, found in told.get("red", {}).items()}
    return Row(
        name,
        told["fate"],
        ran,
        red,
        _tuples(told.get("soft", {})),
        told.get("quick", "") or next(iter(red), ""),
        told.get("right", False),
        told.get("problems", 0),
        told.get("seconds", 0.0),
        told["commit"],
        told["date"],
        told["code"],
        told["suite"],
        Again(*told["again"]) if "again" in told else None,
    )


def _tuples(found: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {outcome: tuple(names) for outcome, names in found.items()}
