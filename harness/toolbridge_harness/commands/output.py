"""Where the commands print a document: standard output, in the terminal's own shape."""

import shutil
import sys
from collections.abc import Callable

import click

from toolbridge_harness.errors import UsageProblem

# A pipe gets this, so that the same run gives the same text everywhere.
PIPE_WIDTH = 100
# Narrower, nothing is readable; wider, lines are too long to read.
NARROWEST, WIDEST = 60, 120


def print_document(render: Callable[[bool, int], str]) -> None:
    """Print what `render(colour, width)` returns; plain and 100 columns wide in a pipe."""
    colour = sys.stdout is not None and sys.stdout.isatty()
    columns = shutil.get_terminal_size().columns
    width = max(NARROWEST, min(columns, WIDEST)) if colour else PIPE_WIDTH
    text = render(colour, width)
    try:
        click.echo(text, nl=False)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageProblem(f"standard output cannot be written: {error.strerror}") from None
