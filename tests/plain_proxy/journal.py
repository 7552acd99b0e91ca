"""The log: one line of key=value pairs per event on standard error, without a secret or a text."""

import json
import logging
import re
import sys
import time
import traceback

_PLAIN = re.compile(r"[A-Za-z0-9._:/{}+-]+")
_log = logging.getLogger("plain_proxy")


class _Lines(logging.Formatter):
    """Writes our events; of a library's, where they are from: their texts may quote anything."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        fields: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
        }
        if record.name == "plain_proxy":
            fields |= {"event": record.msg} | getattr(record, "fields", {})
        else:
            fields |= {"event": "library", "source": f"{record.name}:{record.lineno}"}
        if record.exc_info and record.exc_info[0]:
            kind, _, trace = record.exc_info
            place = traceback.extract_tb(trace)[-1:]
            fields |= {"kind": kind.__name__, "place": [f"{f.filename}:{f.lineno}" for f in place]}
        return " ".join(f"{key}={_text(value)}" for key, value in fields.items())


def _text(value: object) -> str:
    text = str(value) if isinstance(value, str | int | float) else json.dumps(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text)


def configure(level: str) -> None:
    """Send every record of the process, of `level` and above, to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    _log.setLevel(level)


def library(name: str) -> logging.Logger:
    """Return the logger that a library is to use."""
    return logging.getLogger(name)


def debug(event: str, **fields: object) -> None:
    """Log at level debug; a field of None is left out, as in all of these."""
    _write(logging.DEBUG, event, fields)


def info(event: str, **fields: object) -> None:
    """Log at level info."""
    _write(logging.INFO, event, fields)


def warning(event: str, **fields: object) -> None:
    """Log at level warning."""
    _write(logging.WARNING, event, fields)


def crash(event: str, **fields: object) -> None:
    """Log the exception being handled: its kind and place."""
    _log.error(event, exc_info=True, extra={"fields": fields})


def _write(level: int, event: str, fields: dict[str, object]) -> None:
    known = {key: value for key, value in fields.items() if value is not None}
    _log.log(level, event, extra={"fields": known})
