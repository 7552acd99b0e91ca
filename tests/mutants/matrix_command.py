"""What `python tests/mutate.py` does with the matrix: --full, --pages and --alone."""

from collections.abc import Sequence
from pathlib import Path

import click

from mutants import alone, matrix
from mutants.full import run_full
from mutants.pages import write_pages
from mutants.table import Mutant, Variant, all_mutants, all_variants
from toolbridge_harness.registry import all_checks


def run(store: Path, names: Sequence[str], variants: bool, fresh: bool, jobs: int) -> int:
    """Bring the matrix up to date, or run those that are named, whatever is known of them."""
    everything: dict[str, Mutant | Variant] = {**all_variants()}
    if not variants:
        everything |= all_mutants()
    unknown = [name for name in names if name not in everything]
    if unknown:
        raise click.UsageError(f"there is no mutant or variant {unknown[0]!r}")
    if fresh:
        matrix.write(store, matrix.Matrix())
    _readable(store)
    chosen = [everything[name] for name in names or everything]
    code = run_full(chosen, store, jobs, again=bool(names))
    matrix.write(store, matrix.read(store).only({*all_mutants(), *all_variants()}))
    return code


def show(store: Path, *, pages: bool) -> int:
    """Write the pages of the matrix again, or list the grave checks that kill nothing alone."""
    _readable(store)
    if pages:
        write_pages(store)
    else:
        click.echo(alone.report(matrix.read(store), all_mutants(), all_checks()))
    return 0


def _readable(store: Path) -> None:
    """Say in a line that a file is no matrix, before anything is run for hours."""
    try:
        matrix.read(store)
    except (ValueError, KeyError, TypeError, OSError) as problem:
        said = f"{store}: no matrix that this can read ({problem}); --full --fresh begins a new one"
        raise click.ClickException(said) from None
