"""The programs that are forked: `python fork_programs.py NAME DESCRIPTOR`, a listening socket.

Each has its imports behind it, also those that it would put off until it serves.
"""

import importlib
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from mutants.fork_server import ForkServer


class Program(NamedTuple):
    """What is imported before the first fork, and what each fork does with the command's words."""

    prepare: Callable[[], None]
    run: Callable[[Sequence[str]], int]


def _prepare_mutant() -> None:
    from mutants.table import all_mutants, all_variants

    all_mutants()
    all_variants()
    _import("toolbridge_proxy.__main__", *_LAZY)


def _run_mutant(command: Sequence[str]) -> int:
    """`python tests/mutants ID`."""
    from mutants.__main__ import main

    sys.argv[:] = command[1:]
    return main()


def _prepare_suite() -> None:
    from toolbridge_harness.registry import all_checks

    all_checks()
    _import("toolbridge_harness.cli", "toolbridge_harness.__main__", *_CLIENT)


def _run_suite(command: Sequence[str]) -> int:
    """`python -m toolbridge_harness …`."""
    from toolbridge_harness import __main__, entry

    sys.argv[:] = [str(__main__.__file__), *command[3:]]
    entry.main()
    return 0


def _import(*names: str) -> None:
    for name in names:
        importlib.import_module(name)


# What httpx imports for its first request.
_CLIENT = ("anyio._backends._asyncio", "httpcore", "certifi")
# What a proxy imports when it serves its first calls.
_LAZY = (
    *("uvicorn.protocols.http.h11_impl", "uvicorn.lifespan.on", "uvicorn.loops.uvloop"),
    *("uvicorn.loops.auto", "encodings.idna", *_CLIENT),
    *("fastmcp.server.middleware.dereference", "fastmcp.server.transforms.catalog"),
    "mutants.__main__",
)

PROGRAMS = {
    "mutant": Program(_prepare_mutant, _run_mutant),
    "suite": Program(_prepare_suite, _run_suite),
}


def main() -> None:
    """Serve forks of one program until standard input ends."""
    name, descriptor = sys.argv[1:]
    program = PROGRAMS[name]
    program.prepare()
    with socket.socket(fileno=int(descriptor)) as listener:
        ForkServer(listener, sys.stdin.fileno(), program.run).run()


if __name__ == "__main__":
    main()
