"""`toolbridge diff`: what got better and worse between two recorded runs."""

from pathlib import Path

import click

from toolbridge_harness.commands.output import print_document
from toolbridge_harness.compare import compare
from toolbridge_harness.report.comparison import render, render_json
from toolbridge_harness.report.json_reader import read

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("old", type=_FILE)
@click.argument("new", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def diff(old: Path, new: Path, *, as_json: bool) -> int:
    """Compare two recorded runs, each written by toolbridge verify --report json:FILE.

    Exit code 1 when something is worse: a check is red that was in the old run and was not red
    there, or the new run has a problem of its own that the old one had not (it was cut short, a
    required vantage is missing, strays). Otherwise 0: checks that are gone, new, accepted by a
    baseline or warn are listed, and a check that was red and did not run is gone, not better.
    """
    comparison = compare(read(old), read(new))
    if as_json:
        click.echo(render_json(comparison), nl=False)
    else:
        print_document(lambda colour, width: render(comparison, colour=colour, width=width))
    return 1 if comparison.worse else 0
