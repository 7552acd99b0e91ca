"""Serve the plain proxy: `python tests/plain_proxy`, configured by TOOLBRIDGE_* variables."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).parents[1]))

EXIT_CONFIGURATION = 4
# Edges keep idle connections for 60 s; whoever closes first should be the edge.
IDLE_SECONDS = 65
# Of a burst beyond it connections are dropped, and come again a second or three later.
BACKLOG = 2048


def main() -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code."""
    from plain_proxy import journal
    from plain_proxy.settings import SettingsError, read

    try:
        settings = read(os.environ)
    except SettingsError as problem:
        sys.stderr.write(f"plain_proxy: {problem}\n")
        return EXIT_CONFIGURATION
    journal.configure(settings.log_level)
    for warning in settings.warnings:
        journal.warning("configuration", note=warning)

    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    from plain_proxy.door import MAX_HEAD_BYTES
    from plain_proxy.web import create_app

    config = Config()
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    config.bind = [f"{host}:{settings.port}"]
    config.errorlog = journal.library("hypercorn.error")
    config.include_server_header = False
    config.backlog = BACKLOG
    config.h11_max_incomplete_size = MAX_HEAD_BYTES
    config.keep_alive_timeout = IDLE_SECONDS
    # Every call that is under way can end by its own deadline.
    config.graceful_timeout = settings.timeout_seconds + 1
    try:
        asyncio.run(serve(cast("Any", create_app(settings)), config, mode="asgi"))
    except OSError as problem:
        where = "TOOLBRIDGE_HOST, TOOLBRIDGE_PORT"
        sys.stderr.write(f"plain_proxy: {where}: cannot listen there ({problem.strerror})\n")
        return EXIT_CONFIGURATION
    return 0


if __name__ == "__main__":
    sys.exit(main())
