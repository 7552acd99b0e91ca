"""The `toolbridge` command: exit codes 0 green, 1 red, 3 internal, 4 usage, 5 nothing ran."""

import os
import sys
import traceback
from collections.abc import Sequence

import click

from toolbridge_harness.commands.checklist import checklist
from toolbridge_harness.commands.checks import checks
from toolbridge_harness.commands.contract import contract
from toolbridge_harness.commands.diff import diff
from toolbridge_harness.commands.doctor import doctor
from toolbridge_harness.commands.judge import judge
from toolbridge_harness.commands.load import load
from toolbridge_harness.commands.sign import sign
from toolbridge_harness.commands.token import token
from toolbridge_harness.commands.up import up
from toolbridge_harness.commands.verify import verify

INTERNAL, USAGE, INTERRUPTED = 3, 4, 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="toolbridge-mcp", prog_name="toolbridge")
def toolbridge() -> None:
    """Verify ToolBridge MCP proxies: green means correct, red names the cause and the fix.

    Exit codes: 0 green, 1 red or no verdict, 3 internal error, 4 usage or configuration,
    5 nothing ran, 130 interrupted.
    """


for _command in (verify, judge, diff, up, checks, contract, doctor, load, checklist, token, sign):
    toolbridge.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with the code that the result deserves."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        code = toolbridge.main(arguments, prog_name="toolbridge", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return USAGE
    except click.UsageError as error:
        where = f" (see `{error.ctx.command_path} --help`)" if error.ctx else ""
        click.echo(f"toolbridge: {' '.join(error.format_message().split())}{where}", err=True)
        return USAGE
    except click.ClickException as error:
        error.show()
        return error.exit_code if error.exit_code != 1 else USAGE
    except (KeyboardInterrupt, click.Abort):
        click.echo("toolbridge: interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe went away: nothing to say, and nobody to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # noqa: BLE001 - the last place that can keep a traceback away
        return _internal(error)
    return code if isinstance(code, int) else 0


def _internal(error: Exception) -> int:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    click.echo(
        f"toolbridge: internal error: {type(error).__name__} in {frame.name} "
        f"(line {frame.lineno}); set TOOLBRIDGE_DEBUG=1 for the traceback",
        err=True,
    )
    if os.environ.get("TOOLBRIDGE_DEBUG"):
        traceback.print_exception(error)
    return INTERNAL
