"""What the proxy logs in process, whatever level an earlier test has set."""

import contextlib
from collections.abc import Iterator, MutableMapping
from typing import Any

import structlog


@contextlib.contextmanager
def captured_log() -> Iterator[list[MutableMapping[str, Any]]]:
    """Collect the events of all levels; afterwards the log is configured as before."""
    before = structlog.get_config()
    structlog.reset_defaults()
    try:
        with structlog.testing.capture_logs() as lines:
            yield lines
    finally:
        structlog.configure(**before)
