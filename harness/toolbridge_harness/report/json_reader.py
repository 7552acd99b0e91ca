"""Reads a recorded run back: the JSON report, with the checks as the run knew them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from pydantic import TypeAdapter, ValidationError

from toolbridge_harness.errors import UsageProblem
from toolbridge_harness.model import Ask, Check, Profile, Report, Severity, Vantage
from toolbridge_harness.report.json_report import SCHEMA

MAKE_ONE = "make one with `toolbridge verify --report json:FILE`"
# Names are printed as they are, so they hold nothing that a terminal or markup could act on.
_CHECK_ID = re.compile(r"[a-z]+(-[a-z0-9_]+)+")
_WORD = re.compile(r"[\w .,:+/-]*", re.ASCII)


@dataclass(frozen=True)
class Recording:
    """A run as its file holds it: the report, and every check in it by id."""

    report: Report
    checks: dict[str, Check]


@dataclass(frozen=True)
class _Declaration:
    """A check's words beside its result; those with a default came later than schema 1."""

    check: str
    claim: str
    severity: Severity
    catalogue: tuple[str, ...]
    source: str
    remedy: str
    why: str = ""
    needs: frozenset[Vantage] = frozenset({Vantage.OUTSIDE})
    profile: Profile = Profile.GATE
    alone: bool = False
    explained_by: tuple[str, ...] = ()
    broken: str = ""
    asks: Ask | None = None

    def restored(self) -> Check:
        """Return the check; it can be presented, not run."""
        return Check(
            id=self.check,
            claim=self.claim,
            severity=self.severity,
            catalogue=self.catalogue,
            source=self.source,
            remedy=self.remedy,
            why=self.why,
            needs=self.needs,
            run=_recorded,
            profile=self.profile,
            alone=self.alone,
            explained_by=self.explained_by,
            broken=self.broken or f"this does not hold: {self.claim}",
            asks=self.asks,
        )


@dataclass(frozen=True)
class _Declarations:
    results: tuple[_Declaration, ...]


async def _recorded(*_: object) -> None:
    """Known from the file of a run alone."""
    raise RuntimeError("a recorded check cannot be run")


@cache
def _adapters() -> tuple[TypeAdapter[Report], TypeAdapter[_Declarations]]:
    return TypeAdapter(Report), TypeAdapter(_Declarations)


def read(path: Path) -> Recording:
    """Read what `toolbridge verify --report json:FILE` wrote.

    Types are strict and unknown keys are ignored; verdict, exit code and counts follow from the
    rest. Raises UsageProblem for anything that is not a run, or is of a newer format.
    """
    text = _text(path)
    _check_version(path, text)
    as_report, as_declarations = _adapters()
    try:
        report = as_report.validate_json(text, strict=True)
        declared = as_declarations.validate_json(text, strict=True).results
    except ValidationError as error:
        raise _not_a_run(path, _first(error)) from None
    for problem in _oddities(report, declared):
        raise _not_a_run(path, problem)
    return Recording(report, {one.check: one.restored() for one in declared})


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageProblem(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _not_a_run(path, "it is no text in UTF-8") from None


def _check_version(path: Path, text: str) -> None:
    try:
        content = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise _not_a_run(path, "it is not JSON, or not all of it") from None
    schema: Any = content.get("schema") if isinstance(content, dict) else None
    if type(schema) is not int or schema < 1 or "results" not in content:
        raise _not_a_run(path, "it has no schema number and results")
    if schema > SCHEMA:
        raise UsageProblem(
            f"{path}: a run of format {schema}, made by a newer toolbridge; this one reads up "
            f"to {SCHEMA}: upgrade toolbridge-mcp"
        )


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def _not_a_run(path: Path, problem: str) -> UsageProblem:
    return UsageProblem(f"{path}: not a recorded run: {problem}; {MAKE_ONE}")


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where or 'the document'}: {first['msg']}"


def _oddities(report: Report, declared: tuple[_Declaration, ...]) -> Iterator[str]:
    """Say what no run would write although its types are right."""
    for name in ("version", "mode", "profile"):
        if not _WORD.fullmatch(getattr(report, name)):
            yield f"{name} holds more than words"
    seen: set[str] = set()
    for position, one in enumerate(declared):
        if not _CHECK_ID.fullmatch(one.check):
            yield f"results.{position}.check: not the id of a check"
        if one.check in seen:
            yield f"results.{position}.check: {one.check} is there twice"
        if not all(map(_WORD.fullmatch, one.catalogue)):
            yield f"results.{position}.catalogue holds more than words"
        seen.add(one.check)
