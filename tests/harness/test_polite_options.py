"""How a run is told what it may cost and do: options and toolbridge.toml."""

from pathlib import Path

import pytest

from toolbridge_harness.budget import SMALLEST
from toolbridge_harness.commands import verify as command
from toolbridge_harness.config import read_environment
from toolbridge_harness.errors import UsageProblem
from toolbridge_harness.model import Ask
from toolbridge_harness.registry import all_checks
from toolbridge_harness.verify import Options

URL = "https://proxy.test"


def _options(*arguments: str) -> Options:
    given = command.verify.make_context("verify", [*arguments]).params
    return command._options(given)


def _environment(folder: Path, lines: str) -> Path:
    path = folder / "toolbridge.toml"
    path.write_text(f'[env.staging]\nurl = "{URL}"\n{lines}\n')
    return path


def test_options_say_what_a_run_may_do() -> None:
    """Both kinds of checks can be allowed, and the budget is a number of requests."""
    options = _options(
        *("--url", URL, "--budget", "500", "--allow", "heavy", "--allow", "destructive")
    )

    assert (500, frozenset(Ask)) == (options.budget, options.allow)
    assert (None, frozenset()) == (_options("--url", URL).budget, _options("--url", URL).allow)


def test_an_environment_says_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """toolbridge.toml gives both; an option replaces the budget and adds to what is allowed."""
    _environment(tmp_path, 'budget = 500\nallow = ["heavy"]')
    monkeypatch.chdir(tmp_path)
    alone = _options("--env", "staging")
    more = _options("--env", "staging", "--budget", "900", "--allow", "destructive")

    assert (500, frozenset({Ask.HEAVY})) == (alone.budget, alone.allow)
    assert (900, frozenset(Ask)) == (more.budget, more.allow)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("budget = 5", f"budget of [env.staging] is a number of requests, at least {SMALLEST}"),
        ("budget = true", "budget of [env.staging] is a number"),
        ('budget = "500"', "budget of [env.staging] is a number"),
        ('allow = "heavy"', "allow of [env.staging] is a list of: heavy, destructive"),
        ('allow = ["all"]', "allow of [env.staging] is a list of: heavy, destructive"),
        ("allow = [[]]", "allow of [env.staging] is a list of: heavy, destructive"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, lines: str, said: str) -> None:
    """The line says which key of which environment is wrong, and what it takes."""
    path = _environment(tmp_path, lines)

    with pytest.raises(UsageProblem) as refused:
        read_environment("staging", path)
    assert said in refused.value.message


def test_a_budget_is_for_a_url() -> None:
    """A target of the harness's own is not spared, so a budget for it is a mistake."""
    with pytest.raises(UsageProblem, match="--budget goes with --url"):
        _options("--budget", "500")


def test_the_checks_that_ask_are_these() -> None:
    """What sends megabytes, floods or harms others asks; nothing that only refuses does."""
    asking = {name: c.asks for name, c in all_checks().items() if c.asks is not None}
    known = {
        "auth-encrypted": Ask.HEAVY,
        "auth-mutated-more": Ask.HEAVY,
        "limits-body-size": Ask.HEAVY,
        "limits-json-bombs": Ask.HEAVY,
        "transport-smuggling": Ask.DESTRUCTIVE,
    }

    assert known == {name: ask for name, ask in asking.items() if name in known}
