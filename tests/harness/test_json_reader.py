"""The reader of recorded runs: what verify wrote comes back whole, and nothing else is taken."""

import json
import tempfile
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given

from support.harness_fakes import a_check, failed
from support.recorded_runs import edited, recording, recordings, write
from toolbridge_harness.errors import UsageProblem
from toolbridge_harness.model import Cause, Exchange, Outcome, Result
from toolbridge_harness.report import json_report
from toolbridge_harness.report.files import FORMATS
from toolbridge_harness.report.json_reader import Recording, read

RUN = recording(
    Result("demo-a", Outcome.PASS, seconds=0.25),
    failed("demo-b", exchanges=(Exchange("POST /mcp", "HTTP 200", 0.1),)),
    causes=(Cause("demo-b", "demo-b is broken", "Fix demo-b.", ()),),
)
SCHEMA = json.loads(files("toolbridge_harness.report").joinpath("run.schema.json").read_text())


def written_and_read(run: Recording) -> Recording:
    with tempfile.TemporaryDirectory() as folder:
        return read(write(Path(folder) / "run.json", run))


def every_report(run: Recording) -> dict[str, str]:
    return {name: render(run.report, run.checks) for name, render in FORMATS.items()}


@given(run=recordings())
def test_every_report_of_a_run_can_be_made_again(run: Recording) -> None:
    """A report made of what was read is, letter by letter, the report of the run."""
    assert every_report(run) == every_report(written_and_read(run))


@given(run=recordings())
def test_a_run_comes_back_equal(run: Recording) -> None:
    """Every field of the report is read back, whether a report format shows it or not."""
    assert run.report == written_and_read(run).report


@given(run=recordings())
def test_what_is_written_is_what_the_schema_says(run: Recording) -> None:
    """Every run that can be written satisfies the schema that is shipped with the package."""
    document = json.loads(json_report.render(run.report, run.checks))

    assert [] == [
        e.message for e in jsonschema_rs.Draft202012Validator(SCHEMA).iter_errors(document)
    ]


def test_the_schema_names_every_key_and_no_other() -> None:
    """A key that is written without a word about it, or described and never written, is a bug."""
    document = json.loads(json_report.render(RUN.report, RUN.checks))
    result = document["results"][1]

    jsonschema_rs.meta.validate(SCHEMA)
    assert set(SCHEMA["properties"]) == set(document)
    assert set(SCHEMA["$defs"]["result"]["properties"]) == set(result)
    assert set(SCHEMA["$defs"]["exchange"]["properties"]) == set(result["exchanges"][0])
    assert set(SCHEMA["$defs"]["cause"]["properties"]) == set(document["causes"][0])


def test_a_check_that_the_suite_no_longer_has_keeps_its_words() -> None:
    """The file carries what a check declared; only what it does is not in it."""
    declared = a_check("gone-long-ago", explained_by=("demo-a",))
    run = recording(failed("gone-long-ago"), checks={"gone-long-ago": declared})

    restored = written_and_read(run).checks["gone-long-ago"]

    # All but the function, which no file holds.
    assert declared == replace(restored, run=declared.run)


async def test_a_recorded_check_cannot_be_run() -> None:
    """Whoever tries is told, instead of being given a pass."""
    restored = written_and_read(RUN).checks["demo-a"]

    with pytest.raises(RuntimeError, match="cannot be run"):
        await restored.run()


def test_half_a_character_is_written_as_unknown() -> None:
    """A lone surrogate, which a target can send and UTF-8 cannot hold, does not lose the run."""
    run = recording(failed("demo-a", "half \ud800 of it"))

    assert "half � of it" == written_and_read(run).report.results[0].actual


def test_unknown_keys_are_no_reason_to_refuse(tmp_path: Path) -> None:
    """A newer suite may add keys at every level within a format."""
    document = json.loads(json_report.render(RUN.report, RUN.checks))
    for place in (document, document["results"][1], document["causes"][0]):
        place["later"] = {"more": 1}
    path = tmp_path / "run.json"
    path.write_text(json.dumps(document))

    assert RUN.report == read(path).report


def test_a_run_from_before_the_checks_were_recorded_whole_is_read(tmp_path: Path) -> None:
    """The first runs of this format lack some words of a check; their reports need none."""
    document = json.loads(json_report.render(RUN.report, RUN.checks))
    for key in ("why", "needs", "profile", "alone", "explained_by", "broken"):
        del document["results"][1][key]
    path = tmp_path / "run.json"
    path.write_text(json.dumps(document))

    old = read(path)

    assert RUN.report == old.report
    assert "this does not hold: The claim of demo-b holds" == old.checks["demo-b"].broken


RESULT: dict[str, Any] = json.loads(json_report.render(RUN.report, RUN.checks))["results"][1]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"schema": None}, "no schema number"),
        ({"schema": "1"}, "no schema number"),
        ({"schema": True}, "no schema number"),
        ({"schema": 0}, "no schema number"),
        ({"results": None}, "no schema number and results"),
        ({"schema": 2}, "a run of format 2, made by a newer toolbridge.*upgrade"),
        ({"results": {}}, "results: "),
        ({"version": None}, "version: "),
        ({"seed": "7"}, "seed: "),
        ({"seconds": True}, "seconds: "),
        ({"seconds": float("nan")}, "it is not JSON"),
        ({"problems": "none"}, "problems: "),
        ({"mode": "[bold]"}, "mode holds more than words"),
        ({"results": [RESULT | {"outcome": "splendid"}]}, r"results\.0\.outcome: "),
        ({"results": [RESULT | {"claim": 5}]}, r"results\.0\.claim: "),
        ({"results": [RESULT | {"alone": "yes"}]}, r"results\.0\.alone: "),
        ({"results": [RESULT | {"severity": "awful"}]}, r"results\.0\.severity: "),
        ({"results": [RESULT | {"check": "[/]"}]}, r"results\.0\.check: not the id"),
        ({"results": [RESULT | {"catalogue": ["[/]"]}]}, r"results\.0\.catalogue holds more"),
        ({"results": [RESULT, RESULT]}, r"results\.1\.check: demo-b is there twice"),
        ({"results": [{"check": "demo-b", "outcome": "fail"}]}, r"results\.0\.claim: "),
    ],
)
def test_what_is_no_run_is_refused(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    """The line names the file, the place in it and what to do."""
    path = edited(tmp_path / "run.json", RUN, **changes)

    with pytest.raises(UsageProblem, match=problem) as refused:
        read(path)
    assert refused.value.message.startswith(f"{path}: ")
    assert 1 == len(refused.value.message.splitlines())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"schema": 1, "results": [], "seconds": NaN}',
        b'{"schema": 1, "results": [{"check": "demo-a", ',
        b'{"schema": 1' + b"0" * 5000 + b', "results": []}',
        b"<testsuites/>",
    ],
)
def test_what_is_not_even_close_is_refused(tmp_path: Path, content: bytes) -> None:
    """Half a file, another format, and things that break parsers end in the same words."""
    path = tmp_path / "run.json"
    path.write_bytes(content)

    with pytest.raises(UsageProblem, match=r"not a recorded run: .*toolbridge verify --report"):
        read(path)


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    """A folder and a missing file say which they are."""
    with pytest.raises(UsageProblem, match="cannot be read: Is a directory"):
        read(tmp_path)
    with pytest.raises(UsageProblem, match=r"none\.json: cannot be read: No such file"):
        read(tmp_path / "none.json")
