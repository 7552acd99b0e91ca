"""The doctor's answer, for people and for programs. Pure; everything passes the redactor."""

import json
from collections.abc import Sequence
from typing import Any

from toolbridge_harness.doctor.model import Diagnosis, Probe, Verdict
from toolbridge_harness.doctor.symptoms import SYMPTOMS
from toolbridge_harness.redact import Redactor

UNEXPLAINED = "this is not as expected, and no row of the table explains it"
LOOK_ON = "Read the proxy's log for this call; run `toolbridge verify` for a second opinion."
INFERRED = (
    "inferred from the proxy's error code, not observed: give the output of "
    "`python -m toolbridge_proxy diagnose` to --diagnose to look inside"
)
UNCERTAIN = "most likely: another cause would look the same from here"


def headline(diagnosis: Diagnosis) -> str:
    """Return the first line: the cause, or that there is none."""
    if diagnosis.symptom is not None:
        return f"ROOT CAUSE {SYMPTOMS[diagnosis.symptom].cause}"
    if diagnosis.at is not None:
        return f"NO VERDICT {UNEXPLAINED}"
    if diagnosis.missing:
        return f"NO VERDICT nothing wrong as far as could be seen; {'; '.join(diagnosis.missing)}"
    return "NOTHING FOUND every layer answers as it should"


def as_text(target: str, probes: Sequence[Probe], diagnosis: Diagnosis, redactor: Redactor) -> str:
    """Return cause, remedy and every probe as text."""
    lines = [headline(diagnosis), f"  target    {target}"]
    if diagnosis.at is not None:
        at = next(probe for probe in probes if probe.name == diagnosis.at)
        lines += [f"  seen      {at.id} {at.sent}: {at.got}", f"  fix       {_remedy(diagnosis)}"]
        lines += [f"  how sure  {text}" for text in _doubts(diagnosis)]
        if diagnosis.symptom is not None:
            lines.append(f"  row       {SYMPTOMS[diagnosis.symptom].row}")
    lines += [f"  note      {SYMPTOMS[n].cause}. {SYMPTOMS[n].remedy}" for n in diagnosis.notes]
    lines += [f"  missing   {text}" for text in diagnosis.missing]
    for probe in probes:
        lines += ["", *_probe_lines(probe, diagnosis)]
    return redactor.clean("\n".join(lines))


def _remedy(diagnosis: Diagnosis) -> str:
    return SYMPTOMS[diagnosis.symptom].remedy if diagnosis.symptom is not None else LOOK_ON


def _doubts(diagnosis: Diagnosis) -> list[str]:
    doubts = [(diagnosis.inferred, INFERRED), (not diagnosis.certain, UNCERTAIN)]
    return [text for applies, text in doubts if applies]


def _probe_lines(probe: Probe, diagnosis: Diagnosis) -> list[str]:
    verdict = diagnosis.verdicts[probe.name]
    lines = [f"{probe.id} {probe.name}: {verdict.value}", f"    sent      {probe.sent}"]
    lines += [f"    got       {probe.got}", f"    expected  {probe.expected}"]
    if verdict in (Verdict.FAULT, Verdict.UNKNOWN):
        lines.append(f"    fix       {_remedy(diagnosis)}")
    return lines


def as_json(target: str, probes: Sequence[Probe], diagnosis: Diagnosis, redactor: Redactor) -> str:
    """Return the same as one JSON document of format 1."""
    row = SYMPTOMS.get(diagnosis.symptom or "")
    document: dict[str, Any] = {
        "format": 1,
        "target": target,
        "headline": headline(diagnosis),
        "cause": diagnosis.symptom,
        "row": row.row if row else None,
        "at": diagnosis.at,
        "remedy": _remedy(diagnosis) if diagnosis.at else None,
        "certain": diagnosis.certain,
        "inferred": diagnosis.inferred,
        "notes": list(diagnosis.notes),
        "missing": list(diagnosis.missing),
        "probes": [
            {
                "id": probe.id,
                "name": probe.name,
                "verdict": diagnosis.verdicts[probe.name].value,
                "sent": probe.sent,
                "got": probe.got,
                "expected": probe.expected,
            }
            for probe in probes
        ],
    }
    return json.dumps(_clean(document, redactor), indent=2)


def _clean(value: Any, redactor: Redactor) -> Any:
    """Clean texts one by one: JSON's escapes would hide what they hold from the redactor."""
    if isinstance(value, str):
        return redactor.clean(value)
    if isinstance(value, dict):
        return {key: _clean(entry, redactor) for key, entry in value.items()}
    return [_clean(entry, redactor) for entry in value] if isinstance(value, list) else value
