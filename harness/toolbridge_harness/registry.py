"""The list of checks: each is declared once, in the module of its area."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from functools import cache

import toolbridge_harness.checks
from toolbridge_harness.errors import UsageProblem
from toolbridge_harness.model import (
    Ask,
    Capability,
    Check,
    CheckFunction,
    Profile,
    Severity,
    Vantage,
)

_CHECKS: dict[str, Check] = {}
_ID = re.compile(r"[a-z]+(-[a-z0-9_]+)+")
_PROFILES = tuple(Profile)


class Misdeclared(Exception):
    """A check's declaration is wrong: a bug of the suite, found at import."""


def check(
    id: str,  # noqa: A002 - the field's word for it
    claim: str,
    *,
    severity: Severity,
    catalogue: str | Sequence[str],
    source: str,
    remedy: str,
    why: str,
    needs: Vantage | Iterable[Vantage] = Vantage.OUTSIDE,
    profile: Profile = Profile.GATE,
    alone: bool = False,
    explained_by: Sequence[str] = (),
    broken: str = "",
    seconds: float | None = None,
    asks: Ask | None = None,
    capability: Capability | None = None,
) -> Callable[[CheckFunction], CheckFunction]:
    """Declare the decorated coroutine function as the check `id`.

    `catalogue` names rows of the check catalogue, `profile` the smallest profile that runs it,
    `alone` that nothing else may run meanwhile, `explained_by` the checks whose failure is the
    cause when both fail, `broken` what a report's first line says when this check is the cause,
    `seconds` how long it may take where that is more than the runner's own bound, `asks` what
    has to be allowed before it runs against a live deployment, `capability` what it is about
    where a correct target may lack that.
    """

    def register(function: CheckFunction) -> CheckFunction:
        declared = Check(
            id=id,
            claim=claim,
            severity=severity,
            catalogue=(catalogue,) if isinstance(catalogue, str) else tuple(catalogue),
            source=source,
            remedy=remedy,
            why=why,
            needs=frozenset([needs] if isinstance(needs, Vantage) else needs) | {Vantage.OUTSIDE},
            run=function,
            profile=profile,
            alone=alone,
            explained_by=tuple(explained_by),
            broken=broken or f"this does not hold: {claim}",
            seconds=seconds,
            asks=asks,
            capability=capability,
        )
        _validate(declared)
        _CHECKS[id] = declared
        return function

    return register


def _validate(declared: Check) -> None:
    if not _ID.fullmatch(declared.id):
        raise Misdeclared(f"{declared.id}: an id is <area>-<what>, in lower case")
    if declared.id in _CHECKS and _CHECKS[declared.id].run.__module__ != declared.run.__module__:
        raise Misdeclared(f"{declared.id}: declared twice")
    if not inspect.iscoroutinefunction(declared.run):
        raise Misdeclared(f"{declared.id}: a check is a coroutine function")
    for name in ("claim", "source", "remedy", "why", "catalogue"):
        if not getattr(declared, name):
            raise Misdeclared(f"{declared.id}: {name} is empty")


@cache
def all_checks() -> dict[str, Check]:
    """Return every check by id, areas in alphabetical order."""
    for module in pkgutil.iter_modules(toolbridge_harness.checks.__path__):
        importlib.import_module(f"toolbridge_harness.checks.{module.name}")
    for declared in _CHECKS.values():
        for other in declared.explained_by:
            if other not in _CHECKS:
                raise Misdeclared(f"{declared.id}: explained by {other}, which does not exist")
    return dict(sorted(_CHECKS.items()))


def included(declared: Check, profile: Profile) -> bool:
    """Whether `profile` runs this check."""
    return _PROFILES.index(declared.profile) <= _PROFILES.index(profile)


def select(profile: Profile, only: Sequence[str] = ()) -> list[Check]:
    """Return the checks that `profile` runs or, when `only` is given, exactly those it names.

    An entry of `only` is an id, an area, a severity, a catalogue row, or a pattern with `*`.
    """
    checks = list(all_checks().values())
    if not only:
        return [declared for declared in checks if included(declared, profile)]
    chosen: dict[str, Check] = {}
    for wanted in only:
        found = [declared for declared in checks if _named(declared, wanted)]
        if not found:
            raise UsageProblem(
                f"no check, area, severity or catalogue row is named {wanted!r}: "
                "`toolbridge checks list` shows them all"
            )
        chosen |= {declared.id: declared for declared in found}
    return [chosen[key] for key in sorted(chosen)]


def _named(declared: Check, wanted: str) -> bool:
    names = (declared.id, declared.area, declared.severity.value, *declared.catalogue)
    return any(fnmatchcase(name.lower(), wanted.lower()) for name in names)
