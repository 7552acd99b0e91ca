"""What of an earlier run still holds.

A row rests on the proxy, on the mutant's module and on its declaration: when one of them changed,
all of it is run again. A cell rests on the module of its check and on the modules of the harness
that this one imports, but for those that every check stands on (`target` and what it imports).
What explains failures (`causes`) bears on all that is red. Not looked at: what all checks stand
on, the runner, the mock Go API, libraries, and the Python; `--fresh` is for those.
"""

import ast
import hashlib
import inspect
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import toolbridge_harness.checks
from mutants.judging import CONTROL, Fate
from mutants.matrix import DIGEST, Row, Suite
from mutants.state import digest
from mutants.table import Mutant, Variant
from toolbridge_harness.model import Check

PACKAGE = "toolbridge_harness"
CHECKS = toolbridge_harness.checks.__name__
CAUSES = f"{PACKAGE}.causes"
# What every check is made of; the tests of these modules are their own.
FOUNDATION = (f"{PACKAGE}.target", f"{PACKAGE}.registry")
# Runs that ended early for no fault of the mutant: nothing is known of what did not get its turn.
CUT_SHORT = frozenset({"run-deadline", "run-mock-gone"})
# A variant that serves a proxy of its own rests on all of that.
_TESTS = Path(__file__).parents[1]
OTHER_PROXY = sorted((_TESTS / "plain_proxy").glob("*.py"))
_ROOT = Path(toolbridge_harness.checks.__file__).parents[2]


def module_of(declared: Check) -> str:
    """Return the short name of the module that holds a check."""
    return declared.run.__module__.removeprefix(f"{CHECKS}.")


def modules() -> dict[str, str]:
    """Return a digest for each module of checks, with what it imports, and for the causes."""
    ground = {path for name in FOUNDATION for path in closure(_file(name))}
    folder = _ROOT / CHECKS.replace(".", "/")
    found = {path.stem: closure(path) - ground for path in folder.glob("[!_]*.py")}
    return {name: _digest(paths) for name, paths in (found | {CAUSES: {_file(CAUSES)}}).items()}


def code_of(one: Mutant | Variant) -> str:
    """Return a digest of what the whole row rests on."""
    if isinstance(one, Mutant):
        words = (one.id, *one.rows, one.cause, one.spared)
        return digest(sources(one.apply), *words)[:DIGEST]
    other = map(str, OTHER_PROXY) if one.serve else ()
    found = [*sources(one.serve or one.apply), *other]
    return digest(found, one.id, *sorted(one.lacks))[:DIGEST]


def sources(function: Callable[..., object]) -> list[str]:
    """Return the module of a bug and the helpers that it is made with, directly or not."""
    seen: set[Path] = set()
    todo = [Path(str(inspect.getsourcefile(function)))]
    while todo:
        one = todo.pop()
        if one not in seen:
            seen.add(one)
            todo += [path for path in _helpers(one) if path.is_file()]
    return sorted(map(str, seen))


@cache
def _helpers(path: Path) -> tuple[Path, ...]:
    names = [
        name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module
        for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
    ]
    made_with = [name for name in names if name.startswith(("support.", "mutants.bugs_"))]
    return tuple(_TESTS / f"{name.replace('.', '/')}.py" for name in made_with)


def due(row: Row | None, code: str, checks: Iterable[Check], then: Suite, now: Suite) -> set[str]:
    """Return the checks that have to be run (again); `then` is the suite that the row rests on.

    Whatever is red is run again with them, and the control: causes are found among failures of
    one run. Where the run as a whole had problems, nothing can be told apart.
    """
    wanted = {declared.id: module_of(declared) for declared in checks}
    if row is None or row.code != code or row.fate == Fate.CRASHED or row.cause in CUT_SHORT:
        return {*wanted}
    stale = {
        name
        for name, module in wanted.items()
        if name not in row.ran or then.modules.get(module) != now.modules[module]
    }
    told_otherwise = then.modules.get(CAUSES) != now.modules[CAUSES] and row.reds
    if not (stale or told_otherwise or row.reds - {*wanted}):
        return set()
    return {*wanted} if row.problems else (stale | row.reds | {CONTROL}) & {*wanted}


@cache
def closure(path: Path) -> frozenset[Path]:
    """Return a module of the harness and those that it imports, directly or not."""
    seen: set[Path] = set()
    todo = [path]
    while todo:
        one = todo.pop()
        if one not in seen:
            seen.add(one)
            todo += _imports(one)
    return frozenset(seen)


@cache
def _imports(path: Path) -> tuple[Path, ...]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    files = (_file(name) for name in names if name.startswith(f"{PACKAGE}."))
    return tuple(file for file in files if file.is_file())


def _file(name: str) -> Path:
    return _ROOT / f"{name.replace('.', '/')}.py"


def _digest(paths: Iterable[Path]) -> str:
    found = hashlib.sha256()
    for path in sorted(paths):
        found.update(path.read_bytes())
    return found.hexdigest()[:DIGEST]
