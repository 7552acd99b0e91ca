"""What a target is declared to lack does not apply, and cannot be required."""

from pathlib import Path
from typing import Any

import pytest

from support.harness_fakes import a_check, a_deployment
from toolbridge_harness.commands import verify as command
from toolbridge_harness.config import read_environment
from toolbridge_harness.errors import UsageProblem
from toolbridge_harness.model import Capability, Outcome, Result, Vantage
from toolbridge_harness.registry import all_checks
from toolbridge_harness.runner import run_check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verify import Options, _Session

URL = "https://proxy.test"


def _options(*arguments: str) -> Options:
    return command._options(command.verify.make_context("verify", [*arguments]).params)


async def _never(target: Target, caller: Caller) -> None:
    raise AssertionError("the check ran")


async def test_a_check_of_what_is_lacking_does_not_run() -> None:
    """It is not applicable, with the declaration as the reason."""
    declared = a_check("demo-keys", run=_never, capability=Capability.KEY_SETS)
    deployment = a_deployment(lacks=frozenset({Capability.KEY_SETS}))

    result = await run_check(declared, deployment, seed=1)

    assert Outcome.NOT_APPLICABLE == result.outcome
    assert "the target is declared to lack key-sets" == result.detail


async def test_a_check_of_something_else_runs() -> None:
    """A target that lacks one thing is tested on all the others."""
    ran = []

    async def run(target: Target, caller: Caller) -> None:
        ran.append(target.check)

    deployment = a_deployment(lacks=frozenset({Capability.KEY_SETS}))
    for name, capability in (("demo-metrics", Capability.METRICS), ("demo-any", None)):
        await run_check(a_check(name, run=run, capability=capability), deployment, seed=1)

    assert ["demo-metrics", "demo-any"] == ran


def test_options_and_environment_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What either of them declares is lacking."""
    lines = f'[env.staging]\nurl = "{URL}"\nlacks = ["metrics"]\n'
    (tmp_path / "toolbridge.toml").write_text(lines)
    monkeypatch.chdir(tmp_path)

    lacks = _options("--env", "staging", "--lacks", "key-sets").lacks

    assert {Capability.METRICS, Capability.KEY_SETS} == lacks
    assert frozenset() == _options().lacks


def test_an_unknown_capability_is_named(tmp_path: Path) -> None:
    """The line says which key of which environment is wrong, and what it takes."""
    path = tmp_path / "toolbridge.toml"
    path.write_text(f'[env.staging]\nurl = "{URL}"\nlacks = ["jwks"]\n')

    with pytest.raises(UsageProblem) as refused:
        read_environment("staging", path)
    known = "lacks of [env.staging] is a list of: key-sets, metrics, session-cache"
    assert refused.value.message.endswith(known)


def test_what_can_be_required_is_a_vantage_or_a_capability() -> None:
    """A word that is neither is refused with the list of both."""
    both = _options("--require", "logs, metrics").require or frozenset()
    with pytest.raises(UsageProblem, match=r"no vantage or capability 'jwks': outside, .*metrics"):
        _options("--require", "jwks")

    assert [Vantage.LOGS, Capability.METRICS] == sorted(both)


@pytest.mark.parametrize(
    ("required", "problems"),
    [
        ("metrics", ["metrics is required but declared to be lacking: serve it, or require less"]),
        ("key-sets,outside", []),
    ],
)
def test_a_requirement_beats_the_declaration(required: str, problems: list[str]) -> None:
    """Whoever requires a capability wants to know that it is not tested."""
    session = _Session(_options("--lacks", "metrics", "--require", required), [])
    session.deployment = a_deployment()

    assert problems == session._missing()


def test_a_replay_declares_it_too() -> None:
    """The command that repeats one check judges by the same declaration."""
    given = command.verify.make_context("verify", ["--lacks", "metrics"]).params

    assert ["--lacks", "metrics"] == command.repeated(given, command._options(given))


def test_each_capability_has_its_checks() -> None:
    """A declaration that changes nothing would be a promise of nothing."""
    about: dict[Any, list[str]] = {}
    for declared in all_checks().values():
        about.setdefault(declared.capability, []).append(declared.id)

    assert set(Capability) | {None} == set(about)
    assert ["hygiene-metrics"] == about[Capability.METRICS]
    assert "auth-keys-forged" in about[Capability.KEY_SETS]
    assert "sessions-single-flight" in about[Capability.SESSION_CACHE]


def test_the_report_lists_what_was_not_looked_at() -> None:
    """Declared lacks are no passes: they stand among what was not verified."""
    session = _Session(_options("--lacks", "metrics"), [])
    detail = "the target is declared to lack metrics"
    session.run.results["hygiene-metrics"] = Result(
        "hygiene-metrics", Outcome.NOT_APPLICABLE, detail=detail
    )

    listed = [(group.checks, group.reason) for group in session.report().not_verified]

    assert [(("hygiene-metrics",), detail)] == listed
