"""The report for code scanning: SARIF 2.1.0."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
import pytest
from hypothesis import given

from support.harness_fakes import a_report, failed
from support.report_samples import CHECKS, EVERYTHING, GOLDEN, GREEN, NOTHING, hostile_reports
from toolbridge_harness.model import Outcome, Report, Result
from toolbridge_harness.registry import all_checks
from toolbridge_harness.report import sarif
from toolbridge_harness.report.provenance import provenance

SCHEMA = Path(__file__).parents[1] / "support" / "sarif-schema-2.1.0.json"
VALIDATOR = jsonschema_rs.Draft4Validator(json.loads(SCHEMA.read_text()), validate_formats=True)


def _log(report: Report) -> Any:
    return json.loads(sarif.render(report, CHECKS))


def _results(report: Report) -> dict[str, Any]:
    return {result["ruleId"]: result for result in _log(report)["runs"][0]["results"]}


def test_everything_is_in_the_log() -> None:
    """Tool, rules, results, notifications and what the run was."""
    assert (GOLDEN / "everything.sarif").read_text() == sarif.render(EVERYTHING, CHECKS)


@pytest.mark.parametrize("report", [EVERYTHING, GREEN, NOTHING, a_report(problems=("it died",))])
def test_the_schema_accepts_it(report: Report) -> None:
    """The OASIS schema has no complaint."""
    assert [] == [error.message for error in VALIDATOR.iter_errors(_log(report))]


@given(report=hostile_reports)
def test_no_text_makes_the_log_invalid(report: Report) -> None:
    """Whatever a target sends, the log is UTF-8, valid, and links nowhere."""
    text = sarif.render(report, CHECKS)

    assert VALIDATOR.is_valid(json.loads(text.encode()))
    assert [] == [r["ruleId"] for r in _results(report).values() if "](" in r["message"]["text"]]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("version",), "2.0.0"),
        (("runs", 0, "tool", "driver", "name"), None),
        (("runs", 0, "results", 0, "level"), "critical"),
        (("runs", 0, "results", 0, "message"), "text"),
        (("runs", 0, "results", 0, "suppressions"), [{"kind": "baseline"}]),
        (("runs", 0, "invocations", 0, "startTimeUtc"), "yesterday"),
        (("runs", 0, "results", 0, "locations", 0, "physicalLocation", "region", "startLine"), 0),
    ],
)
def test_the_schema_refuses_what_is_wrong(path: tuple[str | int, ...], value: object) -> None:
    """The validator sees the fields that matter here."""
    log = _log(EVERYTHING)
    place = log
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value

    assert not VALIDATOR.is_valid(log)


def test_red_results_and_warnings_are_results() -> None:
    """What passed and what did not apply is none; the run's own problems are."""
    assert {
        "demo-b": "error",
        "demo-c": "error",
        "demo-d": "error",
        "other-e": "note",
        "other-f": "error",
        "other-g": "error",
        "run-complete": "error",
    } == {rule: result["level"] for rule, result in _results(EVERYTHING).items()}
    assert {} == _results(GREEN)


def test_every_result_has_a_line_of_the_repository() -> None:
    """GitHub refuses the whole upload when one has none."""
    places = [r["locations"][0]["physicalLocation"] for r in _results(EVERYTHING).values()]

    assert [
        {
            "artifactLocation": {"uri": "deploy/toolbridge.toml", "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": 1},
        }
    ] * 7 == places


def test_every_check_of_the_suite_makes_a_valid_rule() -> None:
    """A run in which everything failed is accepted, and below GitHub's limits."""
    checks = all_checks()
    text = sarif.render(a_report(*map(failed, checks)), checks)
    rules = json.loads(text)["runs"][0]["tool"]["driver"]["rules"]

    assert VALIDATOR.is_valid(json.loads(text))
    assert [*checks, sarif.RUN_RULE] == [rule["id"] for rule in rules]
    # 10 tags of a rule are shown, and 10 MB of a file are taken.
    assert max(len(rule["properties"]["tags"]) for rule in rules[:-1]) <= 10
    assert len(text) < 10_000_000


def test_every_result_points_at_its_rule() -> None:
    """ruleIndex and ruleId agree."""
    run = _log(EVERYTHING)["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]

    assert [r["ruleId"] for r in run["results"]] == [rules[r["ruleIndex"]] for r in run["results"]]


def test_accepted_failures_are_suppressed_with_their_reason() -> None:
    """The others say that they are not."""
    suppressions = {rule: r["suppressions"] for rule, r in _results(EVERYTHING).items()}
    reason = {"kind": "external", "status": "accepted", "justification": "known since January"}

    assert [reason] == suppressions.pop("demo-d")
    assert [[]] * 6 == list(suppressions.values())


def _fingerprints(report: Report) -> list[str]:
    found = (r["partialFingerprints"] for r in _log(report)["runs"][0]["results"])
    return [fingerprint[sarif.FINGERPRINT] for fingerprint in found]


def test_fingerprints_stay_from_run_to_run() -> None:
    """Another seed, time, build and answer are the same alert; another target is not."""
    strays = "the proxy acts for the wrong user"
    first = a_report(failed("demo-b", "this"), problems=(f"{strays}: 2 of user a",))
    later = a_report(
        failed("demo-b", "that"), problems=(f"{strays}: 31 of user b",), seed=8, version="2"
    )

    assert _fingerprints(first) == _fingerprints(later)
    assert set(_fingerprints(first)).isdisjoint(
        _fingerprints(replace(later, target="https://other.test"))
    )


def test_fingerprints_tell_problems_apart() -> None:
    """No two results of a run are one alert."""
    assert 8 == len(set(_fingerprints(EVERYTHING)))


@pytest.mark.parametrize(
    ("fields", "category"),
    [
        ({"target": "https://a.test/mcp"}, "toolbridge/black-box/gate/a.test-mcp"),
        ({"mode": "grey-box", "target": "run image:sha-1"}, "toolbridge/grey-box/gate"),
        ({"mode": "embedded", "profile": "full"}, "toolbridge/embedded/full"),
    ],
)
def test_the_category_names_the_target(fields: dict[str, Any], category: str) -> None:
    """Runs on two targets do not close each other's alerts; a new build is no new target."""
    run = _log(replace(GREEN, **fields))["runs"][0]

    assert f"{category}/" == run["automationDetails"]["id"]


def test_severity_reaches_githubs_bands() -> None:
    """Critical above 9.0, high from 7.0, medium from 4.0, low from 0.1; info has none."""
    run = _log(a_report(*(Result(name, Outcome.PASS) for name in CHECKS)))["runs"][0]
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    graded = {name: rules[name]["properties"].get("security-severity") for name in CHECKS}

    assert ["9.5", "8.0", "5.5", "2.0", None] == list(graded.values())[:5]
    assert ["error", "error", "error", "warning", "note"] == [
        rules[name]["defaultConfiguration"]["level"] for name in list(CHECKS)[:5]
    ]


@pytest.mark.parametrize(
    ("report", "judged"), [(EVERYTHING, True), (GREEN, True), (NOTHING, False)]
)
def test_a_run_that_judged_nothing_closes_no_alert(report: Report, judged: bool) -> None:
    """GitHub takes an empty successful run for 'all fixed'."""
    invocation = _log(report)["runs"][0]["invocations"][0]

    assert judged is invocation["executionSuccessful"]
    assert judged or invocation["toolExecutionNotifications"]


@pytest.mark.parametrize(
    ("files", "given_file", "expected"),
    [
        (["toolbridge.toml", "pyproject.toml"], None, "toolbridge.toml"),
        (["pyproject.toml", "known.toml"], "known.toml", "known.toml"),
        (["pyproject.toml", "fly.toml"], "missing.toml", "pyproject.toml"),
        ([], None, "toolbridge.toml"),
        (["README.md"], "../outside.toml", "README.md"),
    ],
)
def test_the_file_is_the_callers(
    tmp_path: Path, files: list[str], given_file: str | None, expected: str
) -> None:
    """toolbridge.toml, else the baseline, else what a repository has; never one outside it."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in (*files, "../outside.toml"):
        (folder / name).touch()

    found = provenance(folder, {}, Path(given_file) if given_file else None)

    assert {"file": expected} == found


def test_the_file_is_named_from_the_root_of_the_repository(tmp_path: Path) -> None:
    """Code hosts know no working directory; spaces are escaped as in a URI."""
    (tmp_path / ".git").mkdir()
    folder = tmp_path / "a b"
    folder.mkdir()
    (folder / "toolbridge.toml").touch()
    place = provenance(folder, {"GITHUB_SHA": "0" * 40})
    result = next(iter(_results(replace(EVERYTHING, extra=place)).values()))
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]

    assert {"file": "a b/toolbridge.toml", "revision": "0" * 40} == place
    assert "a%20b/toolbridge.toml" == uri
    assert "" == urlsplit(uri).scheme


def test_only_a_revision_is_printed_as_one(tmp_path: Path) -> None:
    """What else such a variable holds stays where it is."""
    assert {} == {
        k: v for k, v in provenance(tmp_path, {"GIT_COMMIT": "hunter2"}).items() if k == "revision"
    }
