"""The report for a job's summary page: GitHub-flavoured Markdown, verdict and cause first."""

import html
import re
from collections import Counter
from collections.abc import Iterable, Mapping

from toolbridge_harness.model import Cause, Check, Outcome, Report, Result
from toolbridge_harness.report.leftovers import TITLE, left_behind
from toolbridge_harness.report.plain import clipped, one_line
from toolbridge_harness.report.terminal import COUNTED, SHOWN_CAUSES, replay, slowest, summary
from toolbridge_harness.report.wording import NOTHING_RAN, roots, warnings

# GitHub drops the whole summary of a step whose file is larger than 1 MiB.
LIMIT = 1024 * 1024
# Kept free for the line that says what was cut.
CUT_ROOM = 2000
# One line of text, and one quoted value: enough to see what came back; the JSON report has all.
LINE = 500
VALUE = 3000
SHOWN_PROBLEMS = 20

# Every character that Markdown, GitHub's tables, links, mentions, emoji or formulas may read
# as its own. As a numeric reference each stands for itself everywhere.
_MEANINGFUL = str.maketrans({c: f"&#{ord(c)};" for c in "\\`*_{}[]()#+!|~@:$<>&\"'^="})


def render(report: Report, checks: Mapping[str, Check], *, limit: int = LIMIT) -> str:
    """Return the summary, at most `limit` bytes of UTF-8: what does not fit is counted in it."""
    top = [*_verdict(report), *_table(report, checks)]
    bottom = [*_not_verified(report), *_left_behind(report), *_slowest(report), *_run(report)]
    red = [_failure(r, checks[r.check], report, "❌") for r in roots(report, checks)]
    soft = [_failure(r, checks[r.check], report, "⚠️") for r in warnings(report)]
    taken = [_accepted(r, checks[r.check]) for r in report.results if r.accepted]
    room = limit - _size((*top, *bottom)) - CUT_ROOM
    if room < 0:
        return "".join(_fitting([*top, *bottom], limit))
    shown: list[str] = []
    left_out: dict[str, int] = {}
    for title, blocks in (("Failures", red), ("Warnings", soft), ("Accepted", taken)):
        kept = _fitting([f"### {title}\n\n", *blocks], room) if blocks else []
        shown += kept
        room -= _size(kept)
        left_out[title.lower()] = len(blocks) - max(0, len(kept) - 1)
    return "".join((*top, *shown, *_cut(left_out), *bottom))


def text(words: str) -> str:
    """Return `words` as one line that Markdown and HTML show as they are, in tables too."""
    escaped = one_line(words, LINE).translate(_MEANINGFUL)
    return re.sub(r"(?i)\bwww\.", lambda match: f"{match[0][:-1]}&#46;", escaped)


def code(words: str) -> str:
    """Return `words` as one line of code, in tables too. A code span would end at a backtick."""
    return f"<code>{one_line(words, LINE).translate(_MEANINGFUL)}</code>"


def block(words: str) -> str:
    """Return `words` with their lines kept. The HTML block ends at `</pre>` and nowhere else."""
    return f"<pre>{html.escape(clipped(words, VALUE)) or ' '}</pre>\n"


def _size(parts: Iterable[str]) -> int:
    return sum(len(part.encode()) for part in parts)


def _fitting(parts: list[str], room: int) -> list[str]:
    """Return the first parts that fit into `room` bytes together."""
    kept = []
    for part in parts:
        room -= _size((part,))
        if room < 0:
            break
        kept.append(part)
    return kept


def _cut(left_out: dict[str, int]) -> list[str]:
    named = [f"{count} {noun}" for noun, count in left_out.items() if count]
    if not named:
        return []
    listed = ", ".join(named)
    return [f"> Cut at GitHub's limit: {listed} left out. The JSON report has them all.\n\n"]


def _verdict(report: Report) -> list[str]:
    if report.exit_code == 0:
        return [f"## ✅ toolbridge verify: green\n\n{text(report.target)}: {summary(report)}\n\n"]
    if report.exit_code == 5:
        return [f"## ⚪ toolbridge verify: {NOTHING_RAN}\n\n"]
    causes = report.causes[:SHOWN_CAUSES]
    parts = ["## ❌ toolbridge verify: red\n\n", *map(_cause, causes)]
    rest = len(report.causes) - len(causes)
    if rest:
        parts.append(f"{rest} more {'cause' if rest == 1 else 'causes'}, below.\n\n")
    told = {cause.headline for cause in report.causes}
    others = [problem for problem in report.problems if problem not in told]
    parts += [f"**The run:** {text(problem)}\n\n" for problem in others[:SHOWN_PROBLEMS]]
    if len(others) > SHOWN_PROBLEMS:
        parts.append(f"{len(others) - SHOWN_PROBLEMS} more problems of the run.\n\n")
    parts.append(f"{summary(report)}\n\n")
    return parts


def _cause(cause: Cause) -> str:
    explains = ", ".join(map(code, cause.explains))
    return (
        f"**{text(cause.headline)}**\n\n- **Fix:** {text(cause.remedy)}\n"
        + (f"- **This explains:** {explains}\n" if explains else "")
        + "\n"
    )


def _table(report: Report, checks: Mapping[str, Check]) -> list[str]:
    if not report.results:
        return []
    counts: dict[str, Counter[Outcome]] = {}
    for result in report.results:
        counts.setdefault(checks[result.check].area, Counter())[result.outcome] += 1
    total = sum(counts.values(), Counter[Outcome]())
    rows = [_row(text(area), counts[area]) for area in sorted(counts)]
    words = " | ".join(word for _, word in COUNTED)
    rule = "| --- |" + " ---: |" * (len(COUNTED) + 1)
    head = f"| area | {words} | all |\n{rule}\n"
    return [head, *rows, _row("**all**", total), "\n"]


def _row(name: str, counts: Counter[Outcome]) -> str:
    cells = [str(counts[outcome] or "") for outcome, _ in COUNTED]
    return f"| {' | '.join((name, *cells, str(counts.total())))} |\n"


def _failure(result: Result, declared: Check, report: Report, mark: str) -> str:
    grade = f"{declared.severity.value}, {', '.join(declared.catalogue)}"
    rows = (
        ("Expected", result.expected),
        ("Actual", result.actual),
        ("Detail", result.detail),
        ("Replay", replay(report, declared.id)),
    )
    quoted = "".join(f"**{label}**\n\n{block(value)}\n" for label, value in rows if value)
    # No blank line before `</summary>`: the HTML block would end there.
    return (
        f"<details><summary>{mark} {code(declared.id)} {text(declared.claim)} "
        f"({result.outcome.value}; {text(grade)})</summary>\n\n"
        f"{quoted}**Fix:** {text(declared.remedy)}\n\n"
        f"**Source:** {text(declared.source)}\n\n</details>\n\n"
    )


def _accepted(result: Result, declared: Check) -> str:
    return f"- {code(declared.id)} {text(declared.claim)}: accepted, {text(result.accepted)}\n\n"


def _not_verified(report: Report) -> list[str]:
    if not report.not_verified:
        return []
    groups = [
        f"- {len(group.checks)} {'check' if len(group.checks) == 1 else 'checks'}: "
        f"{text(group.reason)}{text(group.enabling)}\n"
        f"  <details><summary>which</summary>{', '.join(map(code, group.checks))}</details>\n"
        for group in report.not_verified
    ]
    return ["### Not verified\n\n", *groups, "\n"]


def _left_behind(report: Report) -> list[str]:
    lines = [f"- {text(line)}\n" for line in left_behind(report)]
    return [f"### {TITLE}\n\n", *lines, "\n"] if lines else []


def _slowest(report: Report) -> list[str]:
    rows = [f"| {code(r.check)} | {r.seconds:.2f} |\n" for r in slowest(report)]
    return ["### Slowest\n\n| check | seconds |\n| --- | ---: |\n", *rows, "\n"] if rows else []


def _run(report: Report) -> list[str]:
    facts = {
        "target": report.target,
        "mode": report.mode,
        "profile": report.profile,
        "seed": str(report.seed),
        "revision": str(report.extra.get("revision", "")),
        "started": report.started,
        "seconds": f"{report.seconds:.1f}",
        "toolbridge": report.version,
    }
    rows = [f"| {name} | {code(value)} |\n" for name, value in facts.items() if value]
    return ["### Run\n\n| | |\n| --- | --- |\n", *rows, "\n"]
