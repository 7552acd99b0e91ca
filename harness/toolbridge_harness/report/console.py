"""A console whose output is kept as text, plain unless colour is asked for."""

import io

from rich.console import Console
from rich.markup import escape

from toolbridge_harness.report.plain import printable


def shown(text: str) -> str:
    """Return text of unknown origin so that neither markup nor terminal acts on it."""
    return escape(printable(text))


def recording_console(*, colour: bool, width: int) -> tuple[Console, io.StringIO]:
    """Return a console and the text that it writes to."""
    sink = io.StringIO()
    console = Console(
        file=sink,
        width=width,
        force_terminal=colour,
        no_color=not colour,
        color_system="standard" if colour else None,
        highlight=False,
        emoji=False,
    )
    return console, sink


def trimmed(sink: io.StringIO) -> str:
    """Return the text without the blanks with which rich fills lines."""
    return "".join(f"{line.rstrip()}\n" for line in sink.getvalue().splitlines())
