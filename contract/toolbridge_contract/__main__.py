"""`python -m toolbridge_contract`: `serve` the mock Go API, `verify` a provider against it."""

import os
import sys

import click

from toolbridge_contract.mock.clock import MAX_OFFSET_SECONDS
from toolbridge_contract.mock.door import CannotListen
from toolbridge_contract.mock.server import ServeOptions, serve
from toolbridge_contract.provider.command import verify_command

# Usage or configuration, as in every command of the suite.
EXIT_USAGE = 4


_PORT = click.IntRange(0, 65535)


@click.group(no_args_is_help=False)
def main() -> None:
    """The wire contract of ToolBridge."""


main.add_command(verify_command())


@main.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to bind.")
@click.option(
    "--port", type=_PORT, default=0, show_default=True, help="Port of the API; 0: any free one."
)
@click.option(
    "--control-port", type=_PORT, default=0, show_default=True, help="Port of the control API."
)
@click.option("--tenant-scoped", is_flag=True, help="Keep rows apart by tenant id.")
@click.option("--clock-offset", default=0.0, metavar="SECONDS", help="Run the clock ahead.")
@click.option("--no-rate-limit", is_flag=True, help="Never answer 429.")
@click.option("--until-eof", is_flag=True, help="Stop when standard input ends.")
def serve_command(
    host: str,
    port: int,
    control_port: int,
    tenant_scoped: bool,
    clock_offset: float,
    no_rate_limit: bool,
    until_eof: bool,
) -> None:
    """Serve the mock Go API until SIGTERM.

    Reads TENANT_HEADER_SECRET and JWT_HS256_SECRET from the environment, and
    TOOLBRIDGE_MOCK_CONTROL_TOKEN, without which no control port is opened. Prints one JSON line
    with `url` and `control_url` when both listen.
    """
    if not host.strip():
        raise click.ClickException("--host is empty: give the address to bind")
    if not abs(clock_offset) <= MAX_OFFSET_SECONDS:
        raise click.ClickException("--clock-offset is out of range: at most 1e9 s either way")
    options = ServeOptions(
        tenant_secret=_required("TENANT_HEADER_SECRET"),
        jwt_secret=_required("JWT_HS256_SECRET"),
        control_token=os.environ.get("TOOLBRIDGE_MOCK_CONTROL_TOKEN") or None,
        host=host,
        port=port,
        control_port=control_port,
        tenant_scoped=tenant_scoped,
        clock_offset=clock_offset,
        rate_limit=not no_rate_limit,
        until_eof=until_eof,
    )
    try:
        serve(options)
    except CannotListen as error:
        raise click.ClickException(str(error)) from None


def _required(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise click.ClickException(f"{name} is not set: the mock verifies signatures with it")
    return value


def run() -> None:
    """Run the command; click's own usage errors leave with the suite's code."""
    try:
        code = main(standalone_mode=False, prog_name="python -m toolbridge_contract")
    except click.ClickException as error:
        sys.stderr.write(f"Error: {error.format_message()}\n")
        sys.exit(EXIT_USAGE)
    except click.Abort:
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    run()
