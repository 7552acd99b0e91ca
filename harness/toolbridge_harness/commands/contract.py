"""`toolbridge contract`: the mock Go API on its own."""

import os
import signal
import subprocess
import sys

import click


@click.group()
def contract() -> None:
    """Work with the Go API's contract."""


@contract.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def serve(arguments: tuple[str, ...]) -> int:
    """Serve the mock Go API in the foreground; options are those of the mock itself.

    Secrets come from JWT_HS256_SECRET and TENANT_HEADER_SECRET.
    """
    command = [sys.executable, "-m", "toolbridge_contract", "serve", *arguments]
    process = subprocess.Popen(command, env=os.environ)  # noqa: S603 - our own module
    try:
        return process.wait()
    except KeyboardInterrupt:
        # The terminal sent the signal to the mock too; it only has to be waited for.
        process.send_signal(signal.SIGTERM)
        process.wait()
        return 130
