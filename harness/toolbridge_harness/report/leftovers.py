"""What a run could not delete of what its checks created, as lines for every report."""

from toolbridge_harness.model import LeftBehind, Report

TITLE = "Left behind"
# Whoever cleans up by hand wants the list in one screen; the JSON report holds all of it.
SHOWN = 40


def left_behind(report: Report) -> list[str]:
    """Return one line per object, no more than `SHOWN`, and one that counts the rest."""
    lines = [_line(one) for one in report.left_behind[:SHOWN]]
    rest = len(report.left_behind) - SHOWN
    return [*lines, f"{rest} more, in the JSON report"] if rest > 0 else lines


def _line(one: LeftBehind) -> str:
    what = f"{one.entity} {one.uid or '(uid unknown)'} of {one.user or 'nobody known'}"
    return f"{what}: {one.reason}" if one.certain else f"possibly, {what}: {one.reason}"
