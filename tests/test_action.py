"""action.yml: its structure, and its shell steps as a runner runs them."""

import re
from pathlib import Path

import pytest

from mutants.running import launch_command
from support.action_steps import ACTION, ROOT, STEPS, Runner, step
from support.command_line import read_json
from toolbridge_harness.commands.verify import verify
from toolbridge_harness.report.files import FORMATS

TEXT = (ROOT / "action.yml").read_text()
SCRIPTS = [one["run"] for one in STEPS if "run" in one]
# What the action does with an input itself; every other one is an option of verify.
OWN = {"reports", "upload-sarif", "python"}


def test_it_is_a_composite_action_whose_steps_are_whole() -> None:
    """Each step runs bash or uses an action of a fixed major version."""
    assert "composite" == ACTION["runs"]["using"]
    for one in STEPS:
        assert "bash" == one["shell"] if "run" in one else re.search(r"@v\d+$", one["uses"]), one


def test_every_input_is_used_and_described() -> None:
    """No input is accepted and ignored, and none is used that nobody can give."""
    used = set(re.findall(r"inputs\.([a-z-]+)", TEXT))

    assert set(ACTION["inputs"]) == used
    assert [] == [n for n, one in ACTION["inputs"].items() if not one["description"].strip()]
    assert [] == [n for n, one in ACTION["inputs"].items() if not isinstance(one["default"], str)]


def test_every_other_input_is_the_option_of_that_name() -> None:
    """The action speaks the command line's language, and each option gets its own input."""
    options = {option for parameter in verify.params for option in parameter.opts}
    given = dict(re.findall(r'given (--[a-z-]+) "\$([A-Z_a-z]+)"', step("Verify")["run"]))
    inputs = {f"--{name}" for name in ACTION["inputs"].keys() - OWN}

    assert inputs == set(given)
    assert inputs <= options
    # Their values are told apart by the script.
    del given["--only"], given["--lacks"]
    sources = {option: step("Verify")["env"][variable] for option, variable in given.items()}
    assert {option: f"${{{{ inputs.{option[2:]} }}}}" for option in sources} == sources


def test_no_input_is_put_into_a_script() -> None:
    """A value with a quote in it would be read as a part of the script."""
    assert [] == [script for script in SCRIPTS if "${{" in script]


def test_no_secret_is_an_input() -> None:
    """Inputs are printed in the log; secrets come by the environment alone."""
    assert [] == [n for n in ACTION["inputs"] if re.search("secret|token|key|password|tenant", n)]
    assert "secrets." not in TEXT


def test_every_variable_of_a_script_is_there() -> None:
    """Scripts read what their step sets, or what the runner gives."""
    runner = {"RUNNER_TEMP", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"}
    for one in STEPS:
        if "run" in one:
            read = set(re.findall(r"\$\{?([A-Z][A-Z_]+)", one["run"]))
            assert set(one["env"]) == read - runner, one["name"]


def test_the_reports_have_formats_that_there_are() -> None:
    """Files for programs and people, the summary, and annotations."""
    formats = set(re.findall(r'given --report "([a-z]+):', step("Verify")["run"]))

    assert {"json", "junit", "html", "sarif", "markdown", "github"} == formats
    assert formats <= set(FORMATS)


def test_findings_are_uploaded_only_when_asked_for() -> None:
    """Also after a red verdict, and never when there are none."""
    upload = step("Upload the findings")["if"]

    assert "false" == ACTION["inputs"]["upload-sarif"]["default"]
    assert [
        "always()",
        "inputs.upload-sarif == 'true'",
        "steps.verify.outputs.sarif == 'true'",
    ] == (upload.split(" && "))


def test_the_suite_is_installed_from_the_actions_own_checkout(tmp_path: Path) -> None:
    """What runs is the version that the caller named, and not what an index has."""
    runner = Runner(tmp_path)

    assert 0 == runner.run("Install the suite").returncode
    assert f"{ROOT}[harness]" == (tmp_path / "pip").read_text().splitlines()[-1]


def test_wrong_usage_fails_the_step_and_leaves_nothing_to_upload(tmp_path: Path) -> None:
    """The exit code is that of the command, and a value is one word whatever it holds."""
    runner = Runner(tmp_path, url="x'; touch broken; '", only="auth-* tenant", upload_sarif="true")
    runner.run("Install the suite")

    done = runner.run("Verify")

    assert (4, "exit-code=4\n") == (done.returncode, runner.output.read_text())
    assert "touch broken" in done.stderr
    assert not (tmp_path / "broken").exists()


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("inputs", "code", "first_line"),
    [
        ({}, 0, "GREEN the bundled reference proxy"),
        ({"launch": launch_command("any-tenant")}, 1, "RED callers of another"),
    ],
)
def test_the_steps_verify_and_report(
    inputs: dict[str, str], code: int, first_line: str, tmp_path: Path
) -> None:
    """Verdict as exit code, summary page, annotations, and each report in its file."""
    runner = Runner(tmp_path, only="tenant-wrong control-*", reports="out put", **inputs)
    runner.run("Install the suite")

    done = runner.run("Verify")

    assert code == done.returncode
    assert f"exit-code={code}\nsarif=true\n" == runner.output.read_text()
    assert code == read_json(tmp_path / "out put" / "run.json")["exit_code"]
    written = {file.name for file in (tmp_path / "out put").iterdir()}
    assert {"run.json", "junit.xml", "report.html", "run.sarif"} == written
    assert runner.summary.read_text().startswith("## ")
    assert any(
        line.startswith("::error" if code else "::notice") for line in done.stdout.split("\n")
    )
    assert any(line.startswith(first_line) for line in done.stdout.splitlines())
