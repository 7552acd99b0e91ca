"""The decision core: from recorded probe results to one cause."""

import dataclasses

import pytest

from support.doctor_recordings import (
    BAD,
    INSIDE,
    RECORDINGS,
    REFUSED,
    SKEWED,
    Facts,
    Recording,
    failing,
    recorded,
)
from toolbridge_harness.doctor.decide import decide
from toolbridge_harness.doctor.model import ORDER, Verdict
from toolbridge_harness.doctor.rules import CODES, RULES
from toolbridge_harness.doctor.symptoms import SYMPTOMS


def _name(recording: Recording) -> str:
    return f"{recording.cause}-{recording.at}"


@pytest.mark.parametrize("recording", RECORDINGS, ids=_name)
def test_a_recording_has_its_cause_and_no_other(recording: Recording) -> None:
    """The cause, where it shows first, and how sure that is."""
    found = decide(recording.probes())

    assert (recording.cause, recording.at) == (found.symptom, found.at)
    assert (recording.certain, recording.inferred) == (found.certain, found.inferred)
    assert 1 == found.exit_code


@pytest.mark.parametrize("recording", RECORDINGS, ids=_name)
def test_layers_before_the_cause_are_ok_and_those_after_it_not_evaluated(
    recording: Recording,
) -> None:
    """A verdict for every probe that was made."""
    probes = recording.probes()
    place = ORDER.index(recording.at)
    expected = {
        probe.name: Verdict.OK if ORDER.index(probe.name) < place else Verdict.NOT_EVALUATED
        for probe in probes
    }

    assert expected | {recording.at: Verdict.FAULT} == dict(decide(probes).verdicts)


def test_every_cause_has_a_recording() -> None:
    """All but the hint about OAuth, which is a note of a deployment without a fault."""
    assert set(SYMPTOMS) - {"oauth"} == {recording.cause for recording in RECORDINGS}


def test_every_row_of_the_table_has_a_cause() -> None:
    """34 rows of the check catalogue, and the deployment guide's memory issues."""
    rows = {symptom.row for symptom in SYMPTOMS.values()}

    assert {str(row) for row in range(1, 35)} | {"guide: memory issues", "P8"} == rows


def test_rules_name_causes_and_probes_that_exist() -> None:
    """A misspelt name would be a rule that never shows."""
    assert set() == {rule.symptom for rule in RULES} - set(SYMPTOMS)
    assert set() == {rule.at for rule in RULES} - set(ORDER)
    assert set() == set(CODES.values()) - set(SYMPTOMS)


def test_a_sound_deployment_has_no_cause() -> None:
    """From inside and outside, and from outside alone."""
    for probes in (recorded({}), recorded({}, INSIDE)):
        found = decide(probes)
        assert (None, None, 0) == (found.symptom, found.at, found.exit_code)
        assert {Verdict.OK} == set(found.verdicts.values())


def test_without_a_call_there_is_no_verdict() -> None:
    """Nothing wrong was seen, and too little was looked at."""
    found = decide(recorded({}, ("admitted", "call", "repeat", "canary")))

    assert (None, 1) == (found.symptom, found.exit_code)
    assert ("no call was made: give a token",) == found.missing


def test_missing_metadata_is_a_note_where_nothing_else_is_wrong() -> None:
    """It explains a client that wants OAuth; a deployment without it is sound."""
    found = decide(recorded({"edge": {"resource_metadata": 404, "sound": True}}))

    assert (("oauth",), 0) == (found.notes, found.exit_code)


@pytest.mark.parametrize("outer", [r for r in RECORDINGS if r.at != "clock"], ids=_name)
def test_the_outer_of_two_faults_is_the_cause(outer: Recording) -> None:
    """A clock that differs is seen too, and comes last."""
    both = dataclasses.replace(outer, changed={**outer.changed, "clock": {}})
    found = decide(both.probes())

    assert (outer.cause, outer.at) == (found.symptom, found.at)
    assert Verdict.NOT_EVALUATED is found.verdicts["clock"]


def test_an_answer_that_no_row_explains_gets_no_cause() -> None:
    """It is said where, and that there is no verdict."""
    found = decide(recorded({"call": {"code": "teapot", "status": 418}}))

    assert (None, "call", 1) == (found.symptom, found.at, found.exit_code)
    assert Verdict.UNKNOWN is found.verdicts["call"]


def test_signed_probes_with_a_refused_token_are_set_aside() -> None:
    """The Go API has accepted the caller's token: only diagnose's own is bad."""
    changed: dict[str, Facts] = {"local_time": REFUSED, **failing("tenant_headers_rejected")}
    found, well = decide(recorded(changed)), decide(recorded({"local_time": REFUSED}))

    assert ("tenant_secret", "call", False) == (found.symptom, found.at, found.certain)
    assert Verdict.NOT_EVALUATED is found.verdicts["local_time"]
    assert (None, 1) == (well.symptom, well.exit_code)
    assert ("the Go API refuses the token that diagnose was given",) == well.missing
    assert well.missing == found.missing


def test_without_signed_probes_the_measured_skew_still_tells() -> None:
    """Diagnose ran without a token: 900 s are the clock, and none are not."""
    signed = ("local_time", "garbage_token", "unsigned", "flipped", "window", "binding")
    call = failing("tenant_headers_rejected")
    equal = {"secret": {"equal": True, "sound": True}}
    skewed, in_time = decide(recorded(call | SKEWED, signed)), decide(recorded(call, signed))
    stripped = decide(recorded(call | equal, signed))

    assert "clock_skew" == skewed.symptom
    assert "tenant_secret" == in_time.symptom
    assert "headers_stripped" == stripped.symptom
    assert {False} == {found.certain for found in (skewed, in_time, stripped)}


def test_a_fingerprint_that_differs_is_no_fault_where_signatures_are_accepted() -> None:
    """It was taken of another secret than the Go API's."""
    assert None is decide(recorded({"secret": {"equal": False, "sound": True}})).symptom
    assert "tenant_secret" == decide(recorded(BAD | {"secret": {"equal": False}})).symptom


def test_a_call_without_an_answer_is_the_go_api_most_likely() -> None:
    """The proxy answers health_check, and nothing in time for a call."""
    found = decide(recorded(failing("no_answer", status=None), INSIDE))

    assert ("api_slow", False, True) == (found.symptom, found.certain, found.inferred)
