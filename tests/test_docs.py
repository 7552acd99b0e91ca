"""The documents say what is true."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from toolbridge_contract.provider.command import select as select_cases
from toolbridge_harness import cli
from toolbridge_harness.commands.checks import markdown
from toolbridge_harness.model import Profile, Vantage
from toolbridge_harness.registry import all_checks
from toolbridge_harness.registry import select as select_checks

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", *(f"docs/{p.name}" for p in sorted((ROOT / "docs").glob("*.md")))]


def _text(page: str) -> str:
    return (ROOT / page).read_text()


def _code(page: str) -> list[str]:
    """Return the lines of shell blocks, continued lines joined."""
    blocks = re.findall(r"```(?:bash|console|sh)\n(.*?)```", _text(page), re.DOTALL)
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]


def test_the_check_reference_is_fresh() -> None:
    """docs/checks.md is what `toolbridge checks reference` prints."""
    assert markdown(list(all_checks().values())) == _text("docs/checks.md")


@pytest.mark.parametrize("page", PAGES)
def test_commands_in_the_documents_exist(page: str) -> None:
    """Every `toolbridge …` in a shell block is a command with options that it has."""
    for line in _code(page):
        for part in re.findall(r"(?:^|[/ ])toolbridge ([a-z][^|;#>)&]*)", line):
            words = shlex.split(part)
            command = cli.toolbridge.commands[words[0]]
            commands = getattr(command, "commands", {})
            if commands:
                command = commands[words[1]]
            known = {option for p in command.params for option in p.opts}
            used = {word.partition("=")[0] for word in words if word.startswith("--")}
            assert set() == used - known - {"--help", "--port", "--tenant-scoped"}, line


@pytest.mark.parametrize("page", PAGES)
def test_cases_and_checks_named_in_the_documents_exist(page: str) -> None:
    """Every --only in a shell block names something that there is."""
    for line in _code(page):
        names = re.findall(r"--only (\S+)", line)
        if "contract verify" in line:
            assert names == [] or select_cases(names)
        else:
            assert names == [] or select_checks(Profile.SOAK, names)


def test_the_command_line_loads_no_cases() -> None:
    """The other commands do not pay for the 600 provider cases."""
    script = "import sys, toolbridge_harness.cli as _; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert "toolbridge_contract.provider.cases" not in done.stdout.split()


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """Every relative link names a file that is there."""
    folder = (ROOT / page).parent
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", _text(page))

    assert [] == [link for link in links if not (folder / link).exists()]


def test_ci_runs_the_readmes_test_command() -> None:
    """.ci/run ends with the very line that the README gives for the tests."""
    last = (ROOT / ".ci" / "run").read_text().rstrip().splitlines()[-1]

    assert last in _code("README.md")


def test_the_readme_names_every_profile_and_vantage() -> None:
    """What a reader can choose is in the README."""
    text = _text("README.md")

    assert [] == [name for name in (*Profile, *Vantage) if f"`{name}`" not in text]


def test_the_changelog_has_this_version() -> None:
    """Every released version, and what comes next, is in CHANGELOG.md."""
    assert "## [Unreleased]" in _text("CHANGELOG.md")
