"""Which layer fails first: a pure function of what the probes saw (check catalogue 4.3)."""

from collections.abc import Mapping, Sequence

from toolbridge_harness.doctor.model import ORDER, Diagnosis, Probe, Verdict
from toolbridge_harness.doctor.rules import AMBIGUOUS, CODES, OBSERVED, RULES, Evidence, Rule

# Codes of calls whose token the Go API has accepted: its JWT gate answers before all others.
TOKEN_ACCEPTED = {
    *("", "tenant_headers_rejected", "session_unavailable", "upstream_forbidden"),
    *("epoch_mismatch", "rate_limited"),
}
SIGNED = ("local_time", "garbage_token", "unsigned", "flipped", "window", "binding")


def decide(probes: Sequence[Probe]) -> Diagnosis:
    """Return the first failing layer's cause; whatever comes after it is not evaluated."""
    made = {probe.name: probe for probe in probes}
    evidence = Evidence(made)
    skipped = SIGNED if _diagnose_token_refused(evidence) else ()
    evidence = Evidence({name: made[name] for name in made if name not in skipped})
    aside = dict.fromkeys((name for name in made if name in skipped), Verdict.NOT_EVALUATED)
    refused = ("the Go API refuses the token that diagnose was given",) if aside else ()
    for name in (name for name in ORDER if name in evidence.probes):
        for rule in _rules(name, evidence):
            if rule.applies(evidence):
                verdicts = _verdicts(made, name, Verdict.FAULT) | aside
                return Diagnosis(
                    rule.symptom, name, rule.certain, rule.inferred, verdicts, missing=refused
                )
        if not made[name].ok:
            return Diagnosis(at=name, verdicts=_verdicts(made, name, Verdict.UNKNOWN) | aside)
    verdicts = dict.fromkeys(made, Verdict.OK) | aside
    return Diagnosis(verdicts=verdicts, notes=_notes(evidence), missing=_missing(made) + refused)


def _verdicts(made: Mapping[str, Probe], at: str, verdict: Verdict) -> dict[str, Verdict]:
    place = ORDER.index(at)
    before = {name: Verdict.OK for name in made if ORDER.index(name) < place}
    after = {name: Verdict.NOT_EVALUATED for name in made if ORDER.index(name) > place}
    return before | {at: verdict} | after


def _notes(evidence: Evidence) -> tuple[str, ...]:
    return ("oauth",) if evidence("edge", "resource_metadata") == 404 else ()


def _missing(made: Mapping[str, Probe]) -> tuple[str, ...]:
    return () if "call" in made else ("no call was made: give a token",)


def _diagnose_token_refused(e: Evidence) -> bool:
    """Whether the signed probes tell nothing: their token is refused, the caller's is not."""
    return e("local_time", "says") == "unauthorized" and e("call", "code") in TOKEN_ACCEPTED


def _rules(name: str, evidence: Evidence) -> list[Rule]:
    declared = [rule for rule in RULES if rule.at == name]
    if name not in ("call", "repeat", "canary"):
        return declared
    codes = evidence(name, "codes") or [evidence(name, "code")]
    named = [CODES[code] for code in codes if code in CODES]
    return declared + [
        Rule(name, symptom, lambda _: True, symptom not in AMBIGUOUS, symptom not in OBSERVED)
        for symptom in named[:1]
    ]
