"""Deliberate breaks of properties 33 to 41, and who must notice each.

They sit around the application and its way to the Go API, so that they outlive what is inside.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from support import (
    body_answers,
    body_bodies,
    body_paths,
    body_redactor,
    body_retries,
    body_silence,
)
from support.body_break import Break
from support.body_breaks_answers import ANSWERS
from support.body_breaks_arguments import ARGUMENTS
from support.body_breaks_retries import RETRIES
from support.body_breaks_secrets import LEAKS, REDACTORS, Makes, Model
from support.body_leaks import observed
from support.body_proxy import running_proxy
from support.body_retries import fresh
from support.signing_property import Property

PROPERTIES: dict[str, Property] = {
    str(one): one
    for part in (
        body_paths,
        body_bodies,
        body_answers,
        body_silence,
        body_redactor,
        body_retries,
    )
    for one in part.PROPERTIES
}


@dataclass(frozen=True)
class Mutant:
    """A broken subject of the properties that `noticed_by` names."""

    name: str
    noticed_by: tuple[str, ...]
    subject: Callable[[], AbstractContextManager[Any]]

    def __str__(self) -> str:
        return self.name


@contextmanager
def _given(subject: Any) -> Iterator[Any]:
    yield subject


def _redactor(name: str, make: Makes, *noticed_by: str) -> Mutant:
    return Mutant(f"redactor: {name}", noticed_by, lambda: _given(make))


def _around(
    subject: Callable[[Break], AbstractContextManager[Any]], breaks: tuple[Break, ...]
) -> list[Mutant]:
    return [Mutant(b.name, b.noticed_by, lambda b=b: subject(b)) for b in breaks]  # type: ignore[misc]


def _virtual(break_: Break) -> AbstractContextManager[Any]:
    return running_proxy(break_, virtual=True)


def _logging(break_: Break) -> AbstractContextManager[Any]:
    return observed("json", break_)


def _retrying(break_: Break) -> AbstractContextManager[Any]:
    return _given(fresh(break_))


MUTANTS = (
    *_around(running_proxy, ARGUMENTS),
    *_around(_virtual, ANSWERS),
    *_around(_logging, LEAKS),
    *_around(_retrying, RETRIES),
    *(_redactor(*row) for row in REDACTORS),
)

# Each way of breaking, with nothing broken: what is noticed there is no break's.
_NOTHING = Break("around, and unbroken", answers=lambda *_: None)
CONTROLS = tuple(
    Mutant(f"around {around[0]}", tuple(sorted({n for m in around for n in m.noticed_by})), whole)
    for around, whole in [
        (_around(running_proxy, ARGUMENTS), lambda: running_proxy(_NOTHING)),
        (_around(_virtual, ANSWERS), lambda: _virtual(_NOTHING)),
        (_around(_logging, LEAKS), lambda: _logging(_NOTHING)),
        (_around(_retrying, RETRIES), lambda: _retrying(_NOTHING)),
        ([_redactor(*row) for row in REDACTORS], lambda: _given(Model)),
    ]
)
