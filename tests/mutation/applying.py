"""How a mutant gets into a process: a function's code is swapped, the rest is imported anew."""

import ast
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, FunctionType

from mutation.source_mutants import FOLDER, SourceMutant

TESTS = Path(__file__).parents[1]

_RAN = "_mutation_ran"


def swapped(mutant: SourceMutant) -> bool:
    """Give the function that `mutant` changes its new code, wherever it is known; False if none.

    Constants, classes and signatures take effect on import, and cannot be swapped.
    """
    function = _function(mutant.key.module, mutant.key.place)
    code = _code(compile(mutant.source, str(FOLDER), "exec"), mutant.key.place)
    if function is None or code is None or function.__code__ == code:
        return False
    if code.co_freevars != function.__code__.co_freevars:
        return False
    function.__code__ = code
    return True


def watch(modules: Iterable[str], ran: Callable[[str, str], None]) -> None:
    """Let each function of `modules` call `ran` with its module and place when it runs."""
    for module in modules:
        tree = ast.parse((FOLDER / f"{module}.py").read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                node.body[:0] = ast.parse(f"{_RAN}()").body
        code = compile(ast.fix_missing_locations(tree), str(FOLDER), "exec")
        for inner in _nested(code):
            function = _function(module, inner.co_qualname)
            if function is not None:
                name = f"{_RAN}_{inner.co_qualname.replace('.', '_')}"
                function.__globals__[name] = partial(ran, module, inner.co_qualname)
                names = tuple(name if used == _RAN else used for used in inner.co_names)
                function.__code__ = inner.replace(co_names=names)


def _function(module: str, place: str) -> FunctionType | None:
    found: object = importlib.import_module(f"toolbridge_proxy.{module}")
    for name in place.split("."):
        found = getattr(found, "__dict__", {}).get(name)
    if isinstance(found, property):
        found = found.fget
    found = getattr(found, "__wrapped__", found)
    return found if isinstance(found, FunctionType) else None


def _code(outer: CodeType, place: str) -> CodeType | None:
    return next((code for code in _nested(outer) if code.co_qualname == place), None)


def _nested(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _nested(constant)


class _Changed(SourceFileLoader):
    """Loads a module from other text than its file's, past the cache of compiled files."""

    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        code: CodeType = compile(self._source, self.path, "exec", dont_inherit=True)
        return code


def imported_anew(mutant: SourceMutant) -> None:
    """Forget all modules that know the original, and import the mutant, whatever it raises."""
    for name, module in list(sys.modules.items()):
        path = Path(getattr(module, "__file__", None) or "/")
        ours = FOLDER in path.parents or TESTS in path.parents
        if ours and not name.startswith("mutation"):
            del sys.modules[name]
    name, path = f"toolbridge_proxy.{mutant.key.module}", FOLDER / f"{mutant.key.module}.py"
    loader = _Changed(name, str(path), mutant.source)
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec is not None
    package = importlib.import_module("toolbridge_proxy")
    changed = sys.modules[name] = importlib.util.module_from_spec(spec)
    loader.exec_module(changed)
    setattr(package, mutant.key.module, changed)
