"""What fills the check list besides checks: report files, a load test, files of the repository."""

import json
import math
import subprocess
import tomllib
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dotenv import dotenv_values

from toolbridge_harness.checklist.fill import Answer, State
from toolbridge_harness.errors import UsageProblem
from toolbridge_harness.model import Outcome, Report, Result

# The guide's success criterion, in milliseconds.
P95_BUDGET = 200.0
# git answers from the disk; a minute means that it waits for something that won't come.
_GIT_SECONDS = 60
REQUIRED_SETTINGS = (
    "TOOLBRIDGE_GO_API_BASE_URL",
    "TOOLBRIDGE_TENANT_ID",
    "TOOLBRIDGE_TENANT_HEADER_SECRET",
)
# Files that hold secrets by convention, in any folder; not their documented examples.
_SECRET_FILES = (
    ":(glob)**/.env",
    ":(glob)**/.env.*",
    ":(exclude,glob)**/.env*example",
    ":(exclude,glob)**/.env*sample",
    ":(exclude,glob)**/.env*template",
)
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}


def load_report(path: Path) -> Report:
    """Read what `toolbridge verify --report json:FILE` wrote; UsageProblem if it is not that.

    Results that can't be understood are left out, so that they count as not in the report.
    """
    content = read_json(path)
    results = content.get("results") if isinstance(content, dict) else None
    if not isinstance(results, list):
        raise UsageProblem(
            f"{path}: not a report of this tool: make one with "
            "`toolbridge verify --report json:FILE`"
        )
    seed, seconds = content.get("seed"), content.get("seconds")
    return Report(
        version=_text(content, "version"),
        target=_text(content, "target"),
        mode=_text(content, "mode"),
        profile=_text(content, "profile"),
        seed=seed if isinstance(seed, int) else 0,
        started=_text(content, "started"),
        seconds=float(seconds) if isinstance(seconds, int | float) else 0.0,
        results=tuple(result for entry in results if (result := _result(entry))),
        problems=_texts(content.get("problems")),
    )


def _result(entry: object) -> Result | None:
    if not isinstance(entry, dict) or not _text(entry, "check"):
        return None
    outcome = _OUTCOMES.get(_text(entry, "outcome").replace("_", " ").lower())
    if outcome is None:
        return None
    return Result(
        check=_text(entry, "check"),
        outcome=outcome,
        expected=_text(entry, "expected"),
        actual=_text(entry, "actual"),
        detail=_text(entry, "detail"),
    )


def load_answer(content: object) -> Answer:
    """Return what a load test's JSON report says about p95 < 200 ms; unknown shapes say nothing."""
    if not isinstance(content, dict):
        return Answer(State.UNCHECKED, "the load report has no verdict")
    verdict = (_text(content, "verdict") or _text(content, "outcome")).lower()
    reason = _text(content, "reason") or _text(content, "headline")
    if verdict == "fail":
        return Answer(State.NOT_MET, reason or "the load test failed")
    if verdict != "pass":
        what = f"the load test ended as {verdict}" if verdict else "the load report has no verdict"
        return Answer(State.UNCHECKED, f"{what}: {reason}" if reason else what)
    doubt = _doubt(content)
    if doubt:
        return Answer(State.UNCHECKED, f"the load test passed, but {doubt}")
    where = _text(content, "target")
    measured = f"p95 {_p95(content):.1f} ms over {content['samples']} samples"
    return Answer(State.MET, f"{measured} on {where}" if where else measured)


def _p95(content: Mapping[str, Any]) -> float:
    latency = content.get("latency_ms")
    value = content.get("p95_ms", latency.get("p95") if isinstance(latency, dict) else None)
    return float(value) if _is_number(value) else math.nan


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _doubt(content: Mapping[str, Any]) -> str:
    """Why a pass does not meet the row; empty when it does."""
    p95, samples, rule = _p95(content), content.get("samples"), content.get("rule")
    if math.isnan(p95) or not isinstance(samples, int) or samples < 1:
        return "its report names no p95 with a number of samples"
    if p95 >= P95_BUDGET:
        return f"its p95 is {p95:.0f} ms, not below {P95_BUDGET:.0f}"
    if isinstance(rule, dict) and not _as_wanted(rule):
        return f"it did not judge p95 < {P95_BUDGET:.0f} ms"
    if content.get("gate") is False or content.get("rehearsal") is True:
        return "it was a rehearsal"
    if _loopback(_text(content, "target")):
        return f"it ran against {_text(content, 'target')}, not against a deployment"
    return ""


def _as_wanted(rule: Mapping[str, Any]) -> bool:
    budget = rule.get("budget_ms", P95_BUDGET)
    return rule.get("percentile", 95) == 95 and _is_number(budget) and budget <= P95_BUDGET


def _loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def repository_answers(folder: Path, config: str) -> dict[str, Answer]:
    """Return what the files in `folder` say, by row id; `config` is the Fly.io file's name.

    A row whose file is not there is left out.
    """
    answers: dict[str, Answer] = {}
    if (folder / config).is_file():
        answers["security-https"] = https_answer(folder / config)
    if (folder / ".env").is_file():
        answers["before-env-file"] = env_answer(folder / ".env")
    committed = git_answer(folder)
    if committed:
        answers["security-git"] = committed
    return answers


def https_answer(path: Path) -> Answer:
    """Return whether every public http port that a Fly.io file declares redirects to https."""
    try:
        config = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return Answer(State.UNCHECKED, f"{path.name} cannot be read: {error}")
    forced = [value.get("force_https") is True for value in _public_ports(config)]
    if not forced:
        return Answer(State.UNCHECKED, f"{path.name} declares no public http service")
    if all(forced):
        return Answer(State.MET, f"{path.name}: force_https = true")
    return Answer(State.NOT_MET, f"{path.name}: a public http service lacks force_https = true")


def _public_ports(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    ports = [config["http_service"]] if isinstance(config.get("http_service"), dict) else []
    for service in config.get("services", []):
        for port in service.get("ports", []):
            handlers = port.get("handlers", [])
            if "http" in handlers and "tls" not in handlers:
                ports.append(port)
    return ports


def env_answer(path: Path) -> Answer:
    """Return whether a .env file has a value for each required setting; names them, no values."""
    try:
        values = dotenv_values(path, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        return Answer(State.UNCHECKED, f"{path.name} cannot be read: {type(error).__name__}")
    missing = [name for name in REQUIRED_SETTINGS if not (values.get(name) or "").strip()]
    if missing:
        return Answer(State.NOT_MET, f"{path.name} has no value for {', '.join(missing)}")
    return Answer(State.MET, f"{path.name} has {', '.join(REQUIRED_SETTINGS)}")


def git_answer(folder: Path) -> Answer | None:
    """Return whether git ignores .env and never held one; None where git can't tell."""
    ignored = _git(folder, "check-ignore", "--quiet", "--no-index", ".env")
    held = _git(folder, "log", "--all", "--format=%h", "--", *_SECRET_FILES)
    staged = _git(folder, "ls-files", "--", *_SECRET_FILES)
    # check-ignore: 0 ignored, 1 not ignored, 128 no repository.
    if ignored is None or ignored.returncode not in {0, 1} or held is None or staged is None:
        return None
    commits = held.stdout.split()
    if commits:
        return Answer(
            State.NOT_MET,
            f"{len(commits)} commits touch a .env file, the last one {commits[0]}: "
            "rotate every secret in it (docs/secrets.md)",
        )
    if staged.stdout.strip():
        names = " ".join(staged.stdout.split("\n")[:3]).strip()
        return Answer(State.NOT_MET, f"staged for the next commit: git rm --cached {names}")
    if ignored.returncode == 1:
        return Answer(State.NOT_MET, "git does not ignore .env: add it to .gitignore")
    return Answer(State.MET, "git ignores .env, and no commit holds one")


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str] | None:
    try:
        return subprocess.run(  # noqa: S603 - fixed words, no shell
            ["git", *arguments],  # noqa: S607 - the person's own git
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def read_json(path: Path) -> Any:
    """Return the content of a JSON file, or raise UsageProblem."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageProblem(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError:
        raise UsageProblem(f"{path}: not JSON") from None


def _text(content: Mapping[str, Any], name: str) -> str:
    value = content.get(name)
    return value if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
