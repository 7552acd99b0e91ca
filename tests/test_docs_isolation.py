"""docs/isolation.md says what the checks of the isolation group are, all of them."""

import itertools
import re
import shlex
from pathlib import Path

import pytest

from toolbridge_harness import cli
from toolbridge_harness.commands.checks import markdown_table
from toolbridge_harness.model import Profile
from toolbridge_harness.registry import all_checks, select

PAGE = (Path(__file__).parents[1] / "docs" / "isolation.md").read_text()


def _selected(command: str) -> list[str]:
    """Return the --only values of a command on the page, which may be wrapped."""
    (found,) = re.findall(
        rf"toolbridge {command}((?: +--?[a-z-]+ [a-z-]+)+)", " ".join(PAGE.split())
    )
    words = shlex.split(found)
    return [value for option, value in itertools.pairwise(words) if option == "--only"]


GROUP = [declared.id for declared in select(Profile.SOAK, _selected("checks table"))]


def test_the_table_of_checks_is_fresh() -> None:
    """It is what the command that the page names prints, from head to last row."""
    table = markdown_table(select(Profile.SOAK, _selected("checks table")))

    assert f"\n\n{table}\n" in PAGE


def test_the_group_is_whole() -> None:
    """Every check of the two areas, and of sessions that belong to a user, is in it."""
    areas = {name for name, one in all_checks().items() if one.area in ("tenant", "isolation")}
    rows = {"SES-03", "SES-04", "SES-26", "SES-27", "SES-30"}
    sessions = {name for name, one in all_checks().items() if rows & set(one.catalogue)}

    assert sorted(areas | sessions) == GROUP


def test_the_command_runs_the_group_and_its_control() -> None:
    """The page's verify command selects the same checks, and the call that must succeed."""
    chosen = [one.id for one in select(Profile.SOAK, _selected("verify"))]

    assert ["control-token", *GROUP] == chosen


def test_what_a_correct_proxy_answers_is_said_of_each_check() -> None:
    """The table of answers names every check of the group, and none that is not."""
    section = PAGE.partition("## What a correct proxy answers")[2].partition("\n## ")[0]
    named = re.findall(r"`((?:tenant|isolation|sessions)-[a-z-]+)`", section)

    assert GROUP == sorted(set(named))


def test_the_readme_leads_to_the_page() -> None:
    """Who reads the README finds it."""
    assert "(docs/isolation.md)" in (Path(__file__).parents[1] / "README.md").read_text()


def test_the_table_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    """The command line prints what the page holds."""
    assert 0 == cli.run(["checks", "table", "--only", "sessions-own"])
    assert capsys.readouterr().out.splitlines()[2] in PAGE
