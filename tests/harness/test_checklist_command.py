"""`toolbridge checklist` as a person calls it."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from toolbridge_harness.checklist.rows import ROWS
from toolbridge_harness.commands.checklist import checklist

FLY = 'app = "our-app"\n[http_service]\nforce_https = true\n'
LOAD = {
    "outcome": "pass",
    "target": "https://our-app.example",
    "samples": 900,
    "latency_ms": {"p95": 120},
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder that is in no repository."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(checklist, arguments)


def report(folder: Path, mode: str = "black-box", **outcomes: str) -> str:
    checks = {check: "pass" for row in ROWS for check in row.checks}
    checks |= {name.replace("__", "-"): value for name, value in outcomes.items()}
    content: dict[str, Any] = {
        "target": "https://our-app.example",
        "mode": mode,
        "results": [{"check": check, "outcome": value} for check, value in checks.items()],
    }
    return written(folder / "run.json", content)


def written(path: Path, content: dict[str, Any]) -> str:
    path.write_text(json.dumps(content))
    return str(path)


def states(result: Result) -> dict[str, str]:
    return {row["id"]: row["state"] for row in json.loads(result.stdout)["rows"]}


def test_without_evidence_everything_is_open_and_red() -> None:
    """No report, no files: every row is open, none is ticked, and the exit code is 1."""
    result = run()

    assert result.exit_code == 1
    assert result.stdout.count("[?]") == 19
    assert "[x]" not in result.stdout
    assert result.stdout.endswith("0 met, 0 not met, 19 could not be checked\n")


def test_open_rows_carry_the_command_for_this_app(folder: Path) -> None:
    """The app's name comes from the Fly.io file."""
    (folder / "fly.staging.toml").write_text(FLY)

    output = run().stdout

    assert "run: fly status -a our-app\n" in output
    assert "then: --confirm success-healthy\n" in output
    assert "{" not in output.replace("{10}", "").replace("{64}", "")


def test_markdown_ticks_exactly_the_rows_that_are_met(folder: Path) -> None:
    """[x] is for met rows, [ ] for all others, in the guide's words."""
    result = run("--report", report(folder, tools__inventory="fail"), "--format", "markdown")

    output = result.stdout
    assert result.exit_code == 1
    assert output.count("- [x] ") == 6
    assert output.count("- [ ] ") == 13
    assert "- [x] JWT validation working (test with invalid token)\n" in output
    assert "- [ ] Can list MCP tools via inspector\n  - not met: tools-inventory failed\n" in output
    assert "run: `toolbridge checks explain tools-inventory`" in output


def test_the_list_is_complete_when_everything_is_known(folder: Path) -> None:
    """Checks, a load test, files and a person together fill all rows, and the exit code is 0."""
    (folder / "fly.staging.toml").write_text(FLY)
    by_hand = [row.id for row in ROWS if not row.checks and row.id != "success-p95"]
    confirmed = [word for row_id in by_hand for word in ("--confirm", row_id)]
    load = written(folder / "load.json", LOAD)

    result = run("--report", report(folder), "--load-report", load, "--format", "json", *confirmed)

    assert {"met"} == set(states(result).values())
    assert json.loads(result.stdout)["complete"] is True
    assert result.exit_code == 0


def test_a_run_of_the_bundled_proxy_ticks_nothing_about_a_deployment(folder: Path) -> None:
    """An embedded run passed, and the deployment's rows stay open all the same."""
    result = run("--report", report(folder, mode="embedded"), "--format", "json")

    assert [row for row, state in states(result).items() if state == "met"] == ["security-logs"]


def test_a_load_report_of_an_unknown_shape_ticks_nothing(folder: Path) -> None:
    """The p95 row stays open when the file is something else."""
    result = run("--load-report", written(folder / "load.json", {"a": 1}), "--format", "json")

    assert states(result)["success-p95"] == "could not be checked"


def test_secrets_in_a_foreign_report_are_not_repeated(folder: Path) -> None:
    """A token in a report's text is taken out of the list."""
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJlc2ln"
    entry = {"check": "tools-inventory", "outcome": "fail", "expected": "40", "actual": token}

    output = run("--report", written(folder / "run.json", {"results": [entry]})).stdout

    assert "expected 40, got <token>" in output
    assert token not in output


def test_markup_in_a_report_stays_text(folder: Path) -> None:
    """What a target answered cannot become a link or a tag of the document."""
    entry = {"check": "tools-inventory", "outcome": "fail", "expected": "4", "actual": "<b>[a](b)"}

    path = written(folder / "run.json", {"results": [entry]})
    output = run("--report", path, "--format", "markdown").stdout

    assert r"got \<b\>\[a\](b)" in output


def test_env_chooses_the_fly_file(folder: Path) -> None:
    """--env tenant-1 reads fly.tenant-1.toml, and the steps name the environment."""
    (folder / "fly.tenant-1.toml").write_text(FLY)

    output = run("--env", "tenant-1").stdout

    assert "met: fly.tenant-1.toml: force_https = true" in output
    assert "run: toolbridge verify --env tenant-1 --profile gate" in output


@pytest.mark.parametrize("option", ["--report", "--load-report"])
def test_evidence_of_another_deployment_is_refused(folder: Path, option: str) -> None:
    """A report of one environment does not tick the boxes of another."""
    (folder / "toolbridge.toml").write_text('[env.prod]\nurl = "https://prod.example"\n')
    path = report(folder) if option == "--report" else written(folder / "load.json", LOAD)

    result = run("--env", "prod", option, path)

    assert result.exit_code == 4
    assert "is about https://our-app.example, but --env prod is https://prod.example" in (
        result.stderr
    )


def test_evidence_of_the_same_deployment_is_taken(folder: Path) -> None:
    """The path of a URL and an explicit port do not matter."""
    (folder / "toolbridge.toml").write_text('[env.prod]\nurl = "https://our-app.example/mcp"\n')

    result = run("--env", "prod", "--report", report(folder), "--format", "json")

    assert states(result)["success-tools-listed"] == "met"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--report", "none.json"], "none.json: cannot be read: No such file or directory"),
        (["--load-report", "none.json"], "none.json: cannot be read: No such file or directory"),
        (["--confirm", "success-p59"], "--confirm success-p59: no such row; the rows are before-"),
        (["--env", "../etc"], "--env '../etc' is not a name of letters, digits, - and _"),
        (["--env", "prod"], "toolbridge.toml: cannot be read: No such file or directory"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_4(arguments: list[str], line: str) -> None:
    """The line says what is wrong, and nothing goes to standard output."""
    result = run(*arguments)

    assert result.exit_code == 4
    assert result.stderr.startswith(f"toolbridge: {line}")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
