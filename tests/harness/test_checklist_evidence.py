"""What fills the check list besides checks: report files, a load test, the repository's files."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from toolbridge_harness.checklist.evidence import (
    env_answer,
    git_answer,
    https_answer,
    load_answer,
    load_report,
    repository_answers,
)
from toolbridge_harness.checklist.fill import Answer, State
from toolbridge_harness.errors import UsageProblem
from toolbridge_harness.model import Outcome, Report, Result
from toolbridge_harness.report import json_report
from toolbridge_loadtests.gate import judge
from toolbridge_loadtests.report import as_json
from toolbridge_loadtests.samples import Rule, Run, Sample

GOOD_LOAD = {
    "outcome": "pass",
    "gate": True,
    "headline": "p95 is 143.0 ms, below 200 ms",
    "target": "https://proxy.example",
    "samples": 1200,
    "latency_ms": {"p95": 143.04},
    "rule": {"percentile": 95, "budget_ms": 200.0},
}


def written(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_a_report_is_read_as_verify_writes_it(tmp_path: Path) -> None:
    """What verify writes comes back with its outcomes and words."""
    original = Report("0.1.0", "https://a.example", "black-box", "gate", 7, "2026-01-01", 1.5, ())
    # Without results, because those need the checks they are about.
    document = json.loads(json_report.render(original, {}))
    document["results"] = [
        {"check": "one-a", "outcome": "pass", "expected": "", "actual": "", "detail": ""},
        {"check": "two-b", "outcome": "not applicable", "detail": "no token", "new": 1},
    ]

    read = load_report(written(tmp_path / "run.json", document))

    assert original.target == read.target
    assert original.mode == read.mode
    assert (
        Result("one-a", Outcome.PASS),
        Result("two-b", Outcome.NOT_APPLICABLE, detail="no token"),
    ) == read.results


@pytest.mark.parametrize(
    "entry",
    [
        {"check": "one-a", "outcome": "splendid"},
        {"check": "one-a"},
        {"outcome": "pass"},
        {"check": 5, "outcome": "pass"},
        {"check": "one-a", "outcome": True},
        "one-a: pass",
        None,
    ],
)
def test_results_that_cannot_be_understood_are_left_out(tmp_path: Path, entry: Any) -> None:
    """An unknown shape is never taken for a pass."""
    assert load_report(written(tmp_path / "run.json", {"results": [entry]})).results == ()


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"results": {}}', "null", '"pass"'])
def test_a_file_that_is_no_report_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    """The line names the file and shows nothing of what is in it."""
    path = written(tmp_path / "run.json", content)

    with pytest.raises(UsageProblem, match=r"run\.json: not ") as refusal:
        load_report(path)

    assert "\n" not in refusal.value.message


def test_a_missing_report_is_refused(tmp_path: Path) -> None:
    """A wrong path is said, not traced back."""
    with pytest.raises(UsageProblem, match="cannot be read: No such file"):
        load_report(tmp_path / "none.json")


def test_a_passed_load_test_meets_p95() -> None:
    """The evidence has the figure, the sample and the target."""
    assert Answer(
        State.MET, "p95 143.0 ms over 1200 samples on https://proxy.example"
    ) == load_answer(GOOD_LOAD)


def test_the_load_tests_own_report_is_understood() -> None:
    """What the load test writes about a fast run meets p95, and about a slow one does not."""

    def judged(milliseconds: float) -> Answer:
        samples = [Sample("list_notes", at / 10, milliseconds, 0.0) for at in range(400)]
        run = Run(samples, target="https://proxy.example")
        return load_answer(as_json(judge(run, Rule())))

    assert judged(120) == Answer(
        State.MET, "p95 120.0 ms over 400 samples on https://proxy.example"
    )
    assert judged(450).state is State.NOT_MET


def test_a_flat_load_report_meets_p95_too() -> None:
    """The keys verdict, p95_ms, samples and reason are understood as well."""
    flat = {"verdict": "pass", "p95_ms": 150, "samples": 400, "reason": ""}

    assert Answer(State.MET, "p95 150.0 ms over 400 samples") == load_answer(flat)


def test_a_failed_load_test_is_not_met() -> None:
    """The reason is the load test's own."""
    failed = {"verdict": "fail", "p95_ms": 350, "samples": 400, "reason": "p95 is 350 ms"}

    assert Answer(State.NOT_MET, "p95 is 350 ms") == load_answer(failed)


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": "inconclusive"},
        {"outcome": "nothing was measured"},
        {"outcome": None},
        {"gate": False},
        {"rehearsal": True},
        {"samples": 0},
        {"samples": "many"},
        {"latency_ms": {"p95": None}},
        {"latency_ms": {"p95": True}},
        {"latency_ms": [143]},
        {"latency_ms": {"p95": 200}},
        {"rule": {"percentile": 50}},
        {"rule": {"budget_ms": 500}},
        {"rule": {"budget_ms": "any"}},
        {"target": "http://127.0.0.1:8001/mcp"},
        {"target": "http://localhost:8001"},
        {"target": "http://[::1]:8001"},
    ],
    ids=str,
)
def test_a_pass_in_doubt_could_not_be_checked(change: dict[str, Any]) -> None:
    """No verdict, no figure, a contradiction or a rehearsal is no evidence of p95 < 200 ms."""
    assert State.UNCHECKED is load_answer(GOOD_LOAD | change).state


@pytest.mark.parametrize("content", [None, [], "pass", 5, {}, {"p95_ms": 3}])
def test_an_unknown_load_report_could_not_be_checked(content: Any) -> None:
    """Other files are not taken for a verdict."""
    assert Answer(State.UNCHECKED, "the load report has no verdict") == load_answer(content)


@pytest.mark.parametrize(
    ("config", "state"),
    [
        ("[http_service]\nforce_https = true", State.MET),
        ("[http_service]\nforce_https = false", State.NOT_MET),
        ('[http_service]\nforce_https = "true"', State.NOT_MET),
        ("[http_service]\ninternal_port = 8001", State.NOT_MET),
        ('[[services]]\n[[services.ports]]\nhandlers = ["http"]\nforce_https = true', State.MET),
        (
            (
                "[http_service]\nforce_https = true\n"
                '[[services]]\n[[services.ports]]\nport = 8080\nhandlers = ["http"]'
            ),
            State.NOT_MET,
        ),
        ('[[services]]\n[[services.ports]]\nhandlers = ["http", "tls"]', State.UNCHECKED),
        ('app = "x"', State.UNCHECKED),
        ("not toml", State.UNCHECKED),
    ],
)
def test_https_is_enforced_where_every_http_port_says_so(
    tmp_path: Path, config: str, state: State
) -> None:
    """force_https must be the boolean true on each public http port."""
    assert state is https_answer(written(tmp_path / "fly.toml", config)).state


def test_a_filled_in_env_file_is_met_without_showing_values(tmp_path: Path) -> None:
    """The evidence names the settings and none of their values."""
    content = (
        "TOOLBRIDGE_GO_API_BASE_URL=https://api.example\n"
        "TOOLBRIDGE_TENANT_ID=t1\nTOOLBRIDGE_TENANT_HEADER_SECRET=hunter2-hunter2\n"
    )

    filled = env_answer(written(tmp_path / ".env", content))

    assert State.MET is filled.state
    assert "hunter2" not in filled.evidence


def test_an_env_file_with_gaps_is_not_met(tmp_path: Path) -> None:
    """A copied but empty .env names what is missing."""
    content = "TOOLBRIDGE_GO_API_BASE_URL=https://api.example\nTOOLBRIDGE_TENANT_ID=\n"

    assert Answer(
        State.NOT_MET,
        ".env has no value for TOOLBRIDGE_TENANT_ID, TOOLBRIDGE_TENANT_HEADER_SECRET",
    ) == env_answer(written(tmp_path / ".env", content))


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty git repository whose .gitignore has .env."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    git(tmp_path, "init", "--quiet")
    written(tmp_path / ".gitignore", ".env\n.env.*\n!.env.example\n")
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_an_ignored_env_file_is_met(repository: Path) -> None:
    """A .env that git ignores and never held is fine, and so is a committed example."""
    written(repository / ".env", "A=b")
    written(repository / ".env.example", "A=")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "-m", "first")

    assert Answer(State.MET, "git ignores .env, and no commit holds one") == git_answer(repository)


def test_an_env_file_that_is_not_ignored_is_not_met(repository: Path) -> None:
    """Without the rule the next commit could take it."""
    written(repository / ".gitignore", "dist/\n")

    assert Answer(State.NOT_MET, "git does not ignore .env: add it to .gitignore") == git_answer(
        repository
    )


@pytest.mark.parametrize("name", [".env", ".env.production", "deploy/.env"])
def test_a_staged_env_file_is_not_met(repository: Path, name: str) -> None:
    """A .env file on its way into a commit is named with the command that takes it back."""
    (repository / "deploy").mkdir()
    written(repository / name, "A=b")
    git(repository, "add", "--force", name)

    assert Answer(
        State.NOT_MET, f"staged for the next commit: git rm --cached {name}"
    ) == git_answer(repository)


def test_a_committed_and_deleted_env_file_is_not_met(repository: Path) -> None:
    """History keeps a secret: deleting the file does not help, rotating does."""
    written(repository / ".env", "A=b")
    git(repository, "add", "--force", ".env")
    git(repository, "commit", "--quiet", "-m", "oops")
    git(repository, "rm", "--quiet", ".env")
    git(repository, "commit", "--quiet", "-m", "gone")

    answer = git_answer(repository)

    assert answer is not None
    assert State.NOT_MET is answer.state
    assert "2 commits touch a .env file" in answer.evidence
    assert "rotate every secret in it" in answer.evidence


def test_without_files_there_are_no_answers(tmp_path: Path, monkeypatch: Any) -> None:
    """Outside of a repository nothing is claimed."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    assert repository_answers(tmp_path, "fly.staging.toml") == {}
