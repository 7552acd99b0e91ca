"""The filled check list as text, Markdown or JSON. Pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from toolbridge_harness.checklist.fill import FilledRow, Section, State
from toolbridge_harness.model import Report
from toolbridge_harness.redact import Redactor

_MARKS = {State.MET: "[x]", State.NOT_MET: "[!]", State.UNCHECKED: "[?]"}


@dataclass(frozen=True)
class Place:
    """What the commands of a list are about."""

    app: str
    config: str
    environment: str | None = None
    url: str = "https://APP.fly.dev"

    def fill_in(self, text: str) -> str:
        """Put names and addresses into a row's command."""
        which = f"--env {self.environment}" if self.environment else f"--url {self.url}"
        verify = f"toolbridge verify {which} --profile gate --report json:run.json"
        # Not str.format: the commands have braces of their own.
        for name, value in {
            "{app}": self.app,
            "{config}": self.config,
            "{verify}": verify,
            "{url}": self.url,
        }.items():
            text = text.replace(name, value)
        return text


def render(filled: Sequence[FilledRow], report: Report | None, place: Place, style: str) -> str:
    """Return the whole document in `style`: text, markdown or json. Secrets are taken out."""
    styles = {"text": as_text, "markdown": as_markdown, "json": as_json}
    return Redactor().clean(styles[style](filled, report, place))


def as_text(filled: Sequence[FilledRow], report: Report | None, place: Place) -> str:
    """For a terminal: [x] met, [!] not met, [?] could not be checked."""
    lines = [f"Deployment check list of {place.app}", *_origin(report)]
    for section, rows in _sections(filled):
        lines += ["", section.value]
        for entry in rows:
            lines.append(f"  {_MARKS[entry.state]} {entry.row.text.replace('**', '')}")
            lines.append(f"      {entry.state}: {place.fill_in(entry.answer.evidence)}")
            if not entry.met:
                lines.append(f"      wanted: {entry.row.evidence}")
                lines.append(f"      run: {place.fill_in(entry.next_step)}")
                lines += [f"      then: --confirm {entry.row.id}"] * _by_hand(entry)
    return "\n".join([*lines, "", summary(filled)])


def as_markdown(filled: Sequence[FilledRow], report: Report | None, place: Place) -> str:
    """For an issue or a pull request: the guide's own boxes, ticked where met."""
    lines = [f"# Deployment check list of {place.app}", *_origin(report)]
    for section, rows in _sections(filled):
        lines += ["", f"## {section.value}", ""]
        for entry in rows:
            lines.append(f"- [{'x' if entry.met else ' '}] {entry.row.text}")
            lines.append(f"  - {entry.state}: {_plain(place.fill_in(entry.answer.evidence))}")
            if not entry.met:
                lines.append(f"  - wanted: {_plain(entry.row.evidence)}")
                lines.append(f"  - run: {_code(place.fill_in(entry.next_step))}")
    return "\n".join([*lines, "", summary(filled)])


def as_json(filled: Sequence[FilledRow], report: Report | None, place: Place) -> str:
    """For a program: every row with id, wording, state, evidence and next command."""
    rows = [
        {
            "id": entry.row.id,
            "section": entry.row.section.value,
            "text": entry.row.text,
            "state": entry.state.value,
            "evidence": place.fill_in(entry.answer.evidence),
            "wanted": entry.row.evidence,
            "checks": list(entry.row.checks),
            "failed": list(entry.answer.failed),
            "run": place.fill_in(entry.next_step),
        }
        for entry in filled
    ]
    run = report and {"target": report.target, "mode": report.mode, "started": report.started}
    document = {
        "app": place.app,
        "run": run,
        "complete": all(entry.met for entry in filled),
        "counts": {state.value: count for state, count in _counts(filled).items()},
        "rows": rows,
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def summary(filled: Sequence[FilledRow]) -> str:
    """One line: how many rows are in each state."""
    return ", ".join(f"{count} {state}" for state, count in _counts(filled).items())


def _counts(filled: Sequence[FilledRow]) -> dict[State, int]:
    return {state: sum(entry.state is state for entry in filled) for state in State}


def _sections(filled: Sequence[FilledRow]) -> list[tuple[Section, list[FilledRow]]]:
    grouped = ((s, [entry for entry in filled if entry.row.section is s]) for s in Section)
    return [(section, rows) for section, rows in grouped if rows]


def _origin(report: Report | None) -> list[str]:
    if report is None:
        return ["", "No run was given: what needs one could not be checked."]
    lines = ["", f"Run: {report.mode} on {report.target}, {report.started or 'at an unknown time'}"]
    return lines + [f"The run itself is red: {problem}" for problem in report.problems]


def _by_hand(entry: FilledRow) -> bool:
    own = ("toolbridge", "{verify}")
    return entry.state is State.UNCHECKED and not entry.row.run.startswith(own)


def _plain(text: str) -> str:
    # What the target answered must not turn into links, tags or headings of the document.
    return "".join(f"\\{char}" if char in "\\`*_[]<>|#" else char for char in text)


def _code(text: str) -> str:
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}"
