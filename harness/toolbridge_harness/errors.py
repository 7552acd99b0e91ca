"""The one way in which the command line refuses: a line that says what, where and what to do."""

from typing import IO, Any

import click


class UsageProblem(click.ClickException):
    """Wrong usage or configuration: printed as one line on standard error, exit code 4."""

    exit_code = 4

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the line, with any line break in it folded."""
        click.echo(f"toolbridge: {' '.join(self.message.split())}", file=file, err=file is None)
