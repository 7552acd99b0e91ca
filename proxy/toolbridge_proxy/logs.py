"""Logs: one line per event, as JSON or for people; never a secret, a token or a note."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# These print request bodies or URLs in their messages; only the place and the kind survive.
_TALKATIVE = ("mcp", "fastmcp", "httpx", "httpcore", "asyncio")


def configure(level: str, fmt: str) -> None:
    """Send every logger of the process through one handler on standard output."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _withhold],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(fmt),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _TALKATIVE:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.WARNING)


def _renderers(fmt: str) -> list[Any]:
    if fmt == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    # The default traceback of the console shows local variables, tokens among them.
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=plain)]


def _withhold(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    record: logging.LogRecord = event["_record"]
    if record.name.split(".")[0] not in _TALKATIVE:
        return event
    event["event"] = "library message withheld"
    event["source"] = f"{record.name}:{record.lineno}"
    if record.exc_info and record.exc_info[0]:
        event["exception_type"] = record.exc_info[0].__name__
    event.pop("exc_info", None)
    return event
