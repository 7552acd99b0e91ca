"""Accepted failures: each with a reason and an expiry, and none of them for ever."""

import datetime
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from toolbridge_harness.errors import UsageProblem
from toolbridge_harness.model import Outcome, Result
from toolbridge_harness.registry import all_checks


@dataclass(frozen=True)
class Accepted:
    """One entry of a baseline file."""

    check: str
    reason: str
    expires: datetime.date


def read_baseline(path: Path) -> list[Accepted]:
    """Read `[[accepted]]` tables with `check`, `reason` and `expires` (a TOML date)."""
    try:
        content = tomllib.loads(path.read_text())
    except OSError as error:
        raise UsageProblem(f"baseline {path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageProblem(f"baseline {path}: not TOML: {error}") from None
    tables = content.get("accepted", [])
    if set(content) - {"accepted"} or not isinstance(tables, list):
        raise UsageProblem(f"baseline {path}: it holds [[accepted]] tables and nothing else")
    return [_entry(table, path) for table in tables]


def _entry(table: object, path: Path) -> Accepted:
    if not isinstance(table, dict) or set(table) != {"check", "reason", "expires"}:
        raise UsageProblem(f"baseline {path}: an entry has check, reason and expires")
    check, reason, expires = table["check"], table["reason"], table["expires"]
    if check not in all_checks():
        raise UsageProblem(f"baseline {path}: there is no check {check!r}")
    if not isinstance(reason, str) or not reason.strip():
        raise UsageProblem(f"baseline {path}: {check} needs a reason")
    if type(expires) is not datetime.date:
        raise UsageProblem(f"baseline {path}: expires of {check} is a date such as 2027-01-31")
    return Accepted(check, reason, expires)


def apply_baseline(
    results: Sequence[Result], baseline: Sequence[Accepted], today: datetime.date
) -> tuple[tuple[Result, ...], tuple[str, ...]]:
    """Mark accepted failures, and return the problems: stale and expired entries.

    Only a failure can be accepted: untestable and error stay red.
    """
    entries = {entry.check: entry for entry in baseline}
    problems = []
    settled = []
    for result in results:
        entry = entries.get(result.check)
        if entry is None or result.outcome is Outcome.NOT_APPLICABLE:
            settled.append(result)
        elif entry.expires < today:
            problems.append(f"the baseline's entry for {entry.check} expired on {entry.expires}")
            settled.append(result)
        elif result.outcome is Outcome.FAIL:
            settled.append(replace(result, accepted=entry.reason))
        else:
            if not result.outcome.red:
                problems.append(f"the baseline's entry for {entry.check} is stale: it passes now")
            settled.append(result)
    return tuple(settled), tuple(problems)
