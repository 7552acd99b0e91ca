"""What a log warns of that another log of the same program does not have."""

import json
import re
from typing import Any

# The names of the level in structlog, zap, slog, bunyan, Cloud Logging and Python's logging.
_LEVEL_KEYS = ("level", "severity", "levelname", "log_level", "lvl", "log.level")
_LOUD = re.compile(r"(?i)warn|error|critical|fatal")
# bunyan and pino count in tens: 40 is a warning, 30 is information.
_LOUD_NUMBER = 40
# Times, ports, lengths, process and correlation ids are not what tells two kinds apart.
_VARIES = re.compile(r"(?i)\b[0-9a-f]{8,}\b|[0-9]+")


def warnings_of(log: str, usual: str, variable: str) -> list[str]:
    """Return the lines of `log` that warn about the tenant secret and are no kind of `usual`.

    A line is about it when it has the name of `variable`, or "tenant ... secret".
    """
    about = re.compile(rf"(?i){re.escape(variable)}|tenant[\w -]{{0,30}}secret")
    known = {_VARIES.sub("0", line) for line in usual.splitlines()}
    return [
        line
        for line in log.splitlines()
        if about.search(line) and _VARIES.sub("0", line) not in known and _is_loud(line)
    ]


def _is_loud(line: str) -> bool:
    """Whether its level is warning or above; a line without a level must say so in words."""
    levels = [value for key, value in _fields(line).items() if key.lower() in _LEVEL_KEYS]
    if not levels:
        return bool(_LOUD.search(line))
    level = levels[0]
    return level >= _LOUD_NUMBER if isinstance(level, int) else bool(_LOUD.search(str(level)))


def _fields(line: str) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}
