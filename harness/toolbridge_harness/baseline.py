"""Accepted failures: each with a reason and an expiry, and none of them for ever."""

import datetime
import difflib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from toolbridge_harness.errors import UsageProblem
from toolbridge_harness.model import Outcome, Result
from toolbridge_harness.registry import all_checks

# How each problem of a baseline begins.
ABOUT_ENTRY = "the baseline's entry for "


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
    if not isinstance(check, str) or not check.strip():
        raise UsageProblem(f"baseline {path}: check is the id of a check, not {check!r}")
    if not isinstance(reason, str) or not reason.strip():
        raise UsageProblem(f"baseline {path}: {check} needs a reason")
    if type(expires) is not datetime.date:
        raise UsageProblem(f"baseline {path}: expires of {check} is a date such as 2027-01-31")
    return Accepted(check, reason, expires)


def apply_baseline(
    results: Sequence[Result], baseline: Sequence[Accepted], today: datetime.date
) -> tuple[tuple[Result, ...], tuple[str, ...]]:
    """Mark accepted failures, and return the problems: stale, expired and unknown entries.

    Only a failure can be accepted: untestable and error stay red. An entry for a check that did
    not run is no problem, unless the suite has no such check.
    """
    entries = {entry.check: entry for entry in baseline}
    ran = {result.check for result in results}
    problems = [_unknown(name) for name in entries if name not in ran and name not in all_checks()]
    settled = []
    for result in results:
        entry = entries.get(result.check)
        if entry is None or result.outcome is Outcome.NOT_APPLICABLE:
            settled.append(result)
        elif entry.expires < today:
            problems.append(f"{ABOUT_ENTRY}{entry.check} expired on {entry.expires}")
            settled.append(result)
        elif result.outcome is Outcome.FAIL:
            settled.append(replace(result, accepted=entry.reason))
        else:
            if not result.outcome.red:
                problems.append(f"{ABOUT_ENTRY}{entry.check} is stale: it passes now")
            settled.append(result)
    return tuple(settled), tuple(problems)


def _unknown(name: str) -> str:
    # A suite that was upgraded still tests the target: one entry must not stop the whole gate,
    # and a slip of the pen must not be green either.
    near = difflib.get_close_matches(name, all_checks(), n=1)
    hint = f"; is it {near[0]} now?" if near else ""
    return f"{ABOUT_ENTRY}{name} is for no check of this suite: correct or remove it{hint}"
