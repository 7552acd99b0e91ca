"""The table of mutants and variants: each is declared once, beside the code that makes it."""

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from toolbridge_harness.model import Capability

Apply = Callable[[], None]


@dataclass(frozen=True)
class Mutant:
    """One bug: how it gets into the proxy, and what must notice it."""

    id: str
    """Of the published table (M-A12) where it is one of its rows; otherwise a slug."""
    bug: str
    """One sentence, lower case, no full stop: what this proxy does wrong."""
    rows: tuple[str, ...]
    """The catalogue rows that claim to notice it."""
    cause: str
    """The check (or run-level cause) that a report must name first."""
    apply: Apply
    spared: str = ""
    """Why nothing can notice it: equivalent, or out of sight from outside. It must stay green."""


@dataclass(frozen=True)
class Variant:
    """A correct proxy that is built differently: every check must leave it green."""

    id: str
    difference: str
    apply: Apply
    lacks: frozenset[Capability] = frozenset()
    """What it does without, as a target declares it."""
    serve: Callable[[], int] | None = None
    """Serves it where it is no rebuilt reference proxy, and returns the exit code."""


_MUTANTS: dict[str, Mutant] = {}
_VARIANTS: dict[str, Variant] = {}


def mutant(
    name: str, bug: str, *, rows: str, cause: str = "", spared: str = ""
) -> Callable[[Apply], Apply]:
    """Declare the decorated function, which patches the proxy before it serves, as a mutant.

    `rows` names catalogue rows, separated by blanks; `cause` is what a report must say first,
    `spared` the reason why no report can say anything.
    """
    if bool(cause) == bool(spared):
        raise ValueError(f"{name} has a cause to be named, or a reason why there is none")

    def register(apply: Apply) -> Apply:
        _put(_MUTANTS, name, Mutant(name, bug, tuple(rows.split()), cause, apply, spared))
        return apply

    return register


def variant(name: str, difference: str) -> Callable[[Apply], Apply]:
    """Declare the decorated function, which rebuilds the proxy before it serves, as a variant."""

    def register(apply: Apply) -> Apply:
        _put(_VARIANTS, name, Variant(name, difference, apply))
        return apply

    return register


def other_proxy(
    name: str, difference: str, *, lacks: Iterable[Capability] = ()
) -> Callable[[Callable[[], int]], Callable[[], int]]:
    """Declare the decorated function, which serves a proxy of its own, as a variant."""

    def register(serve: Callable[[], int]) -> Callable[[], int]:
        entry = Variant(name, difference, lambda: None, frozenset(lacks), serve)
        _put(_VARIANTS, name, entry)
        return serve

    return register


def _put(table: dict[str, Any], name: str, entry: Mutant | Variant) -> None:
    if name in table:
        raise ValueError(f"{name} is declared twice")
    table[name] = entry


@cache
def _import_all() -> None:
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if module.name.startswith(("bugs_", "built_")):
            importlib.import_module(f"mutants.{module.name}")


def all_mutants() -> dict[str, Mutant]:
    """Return every mutant by id; their modules are named `bugs_*`."""
    _import_all()
    return dict(sorted(_MUTANTS.items()))


def all_variants() -> dict[str, Variant]:
    """Return every variant by id; their modules are named `built_*`."""
    _import_all()
    return dict(sorted(_VARIANTS.items()))
