"""The mutants that mutmut's operators make of a module of the proxy.

mutmut's own runner mutates functions only. Here each function, each statement of a class and each
statement of the module is mutated as a unit of its own, decorated or not.
"""

import ast
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper
from mutmut.mutation.file_mutation import MutationVisitor, deep_replace
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

import toolbridge_proxy

FOLDER = Path(toolbridge_proxy.__file__).parent

# No pragma in the source exempts a line.
_NOTHING = IgnoredCode(set(), set(), set())


@dataclass(frozen=True)
class Key:
    """What identifies a mutant as long as its line stands: nothing that shifts with others.

    `place` is the function, as Class.method, or the class, or "module" outside of both; `before`
    and `after` are the changed lines, stripped and joined by blanks.
    """

    module: str
    place: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.module}.{self.place}: {self.before}  ->  {self.after}"


@dataclass(frozen=True)
class SourceMutant:
    """One change of one module: `source` is the whole module's text with it."""

    key: Key
    source: str = field(repr=False)


@dataclass(frozen=True)
class _Unit:
    place: str
    first: int
    last: int


@cache
def mutants_of(module: str) -> tuple[SourceMutant, ...]:
    """Return each mutant of `module` that compiles, once, in the order of the source."""
    lines = (FOLDER / f"{module}.py").read_text().splitlines(keepends=True)
    found: dict[str, SourceMutant] = {}
    for unit in _units("".join(lines)):
        original = lines[unit.first - 1 : unit.last]
        for text in _mutated(textwrap.dedent("".join(original))):
            indent = original[0][: len(original[0]) - len(original[0].lstrip())]
            changed = textwrap.indent(text, indent).splitlines(keepends=True)
            source = "".join([*lines[: unit.first - 1], *changed, *lines[unit.last :]])
            if source not in found and _compiles(source):
                key = Key(module, unit.place, *_difference(original, changed))
                found[source] = SourceMutant(key, source)
    return tuple(found.values())


def _units(source: str) -> Iterator[_Unit]:
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                name = getattr(member, "name", None)
                place = f"{node.name}.{name}" if name else node.name
                yield _Unit(place, member.lineno, member.end_lineno or member.lineno)
        else:
            yield _Unit(
                getattr(node, "name", "module"), node.lineno, node.end_lineno or node.lineno
            )


def _mutated(unit: str) -> Iterator[str]:
    wrapper = MetadataWrapper(cst.parse_module(unit))
    visitor = MutationVisitor(mutation_operators, _NOTHING)
    module = wrapper.visit(visitor)
    for mutation in visitor.mutations:
        changed = deep_replace(module, mutation.original_node, mutation.mutated_node)
        if isinstance(changed, cst.Module):
            yield changed.code


def _compiles(source: str) -> bool:
    try:
        compile(source, "<mutant>", "exec")
    except SyntaxError:
        return False
    return True


def _difference(before: list[str], after: list[str]) -> tuple[str, str]:
    """Return what stands between the lines that both begin and end with."""
    while before and after and before[0] == after[0]:
        before, after = before[1:], after[1:]
    while before and after and before[-1] == after[-1]:
        before, after = before[:-1], after[:-1]
    return _joined(before), _joined(after)


def _joined(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines)
