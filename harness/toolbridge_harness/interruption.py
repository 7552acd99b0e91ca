"""Ctrl-C and `kill`: once is enough, and twice is no worse."""

import asyncio
import signal

import click


def cancel_on_signals() -> None:
    """Cancel the current task at the first SIGINT or SIGTERM, and only then.

    What follows the first would hit the code that stops processes and writes the report.
    """
    task = asyncio.current_task()
    stopping = False

    def stop() -> None:
        nonlocal stopping
        if stopping or task is None:
            click.echo("toolbridge: stopping what was started; the report follows", err=True)
            return
        stopping = True
        task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
