"""Logs: one line per event, as JSON or for people; never a secret, a token or a note."""

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

log = structlog.get_logger()

# What is taken over from others, into logs and headers.
CORRELATION_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class _Libraries(logging.Handler):
    """Takes the records of libraries over; some print bodies, URLs or tokens in their messages."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record: where it is from, and what the server says about itself."""
        says = record.getMessage() if record.name.startswith("uvicorn") else "message withheld"
        says = says.partition("\n")[0]  # more lines are a traceback
        source = f"{record.name}:{record.lineno}"
        log.log(record.levelno, says, source=source, exc_info=record.exc_info)


def _place(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Show an exception's kind and place: its message may quote anything."""
    given = event.pop("exc_info", None)
    kind, _error, trace = sys.exc_info() if given is True else given or (None, None, None)
    if kind is not None:
        event["exception"] = "".join(traceback.format_tb(trace)) + kind.__name__
    return event


def configure(level: str, fmt: str) -> None:
    """Send every log line of the process to standard output."""
    for_people = structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _place,
            structlog.processors.JSONRenderer() if fmt == "json" else for_people,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_Libraries()], level=logging.WARNING, force=True)
    logging.getLogger("uvicorn").setLevel(level)
    library = logging.getLogger("fastmcp")  # has a handler of its own, for people
    library.handlers.clear()
    library.propagate = True
