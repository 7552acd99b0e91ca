"""`toolbridge contract`: the mock Go API on its own, and the cases that any provider must meet."""

import os
import sys

import click

from toolbridge_contract.provider.command import verify_command
from toolbridge_harness.config import setting


@click.group()
def contract() -> None:
    """Work with the Go API's contract."""


# As everywhere in the suite, `.env` is read for local work.
contract.add_command(verify_command(setting))


@contract.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def serve(arguments: tuple[str, ...]) -> None:
    """Serve the mock Go API in the foreground; options are those of the mock itself.

    Secrets come from JWT_HS256_SECRET and TENANT_HEADER_SECRET. `toolbridge contract serve --
    --help` lists the options.
    """
    # In place of this process: whoever ends it ends the mock, and nobody is left behind.
    os.execv(  # noqa: S606 - our own module, no shell
        sys.executable, [sys.executable, "-m", "toolbridge_contract", "serve", *arguments]
    )
