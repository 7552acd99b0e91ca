"""The deployment pages: commands that exist, links that lead somewhere, settings that are read."""

import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest

from toolbridge_harness import cli
from toolbridge_harness.checklist.rows import ROWS
from toolbridge_harness.checklist.text import Place
from toolbridge_harness.cli import toolbridge
from toolbridge_proxy.settings import Settings

ROOT = Path(__file__).parents[1]
PAGES = ["docs/deployment.md", "docs/secrets.md"]
GONE = "## Commands that are gone"
# flyctl's commands and flags as of 2026 that these pages use. Everything else is a slip, or a
# command of an older guide that ends in "unknown command".
FLY = {
    "apps create": {"--org"},
    "auth login": set(),
    "checks list": {"-a"},
    "config validate": {"--strict", "-c"},
    "dashboard metrics": {"-a"},
    "deploy": {"-a", "--build-arg", "--config", "--image"},
    "logs": {"-a", "--no-tail"},
    "platform regions": set(),
    "releases": {"-a", "--image"},
    "scale count": {"-a", "--region", "--yes"},
    "scale vm": {"-a", "--vm-memory"},
    "secrets deploy": {"-a"},
    "secrets import": {"-a", "--stage"},
    "secrets list": {"-a"},
    "secrets set": {"-a", "--stage"},
    "secrets unset": {"-a"},
    "ssh console": {"-a", "-C"},
    "status": {"-a", "--json"},
}
TOOLBRIDGE = set(cli.toolbridge.commands)
OTHER_SETTINGS = {"TOOLBRIDGE_TOKENS_FILE"}


def text(page: str) -> str:
    return (ROOT / page).read_text()


def in_use(page: str) -> str:
    """A page without its table of commands that are gone."""
    return text(page).partition(GONE)[0]


def blocks(page: str) -> list[str]:
    return re.findall(r"```bash\n(.*?)```", in_use(page), re.DOTALL)


def commands(program: str) -> list[str]:
    """Every command line of a program in the pages' blocks and inline code, and in the rows."""
    places = (Place("APP", "fly.toml"), Place("APP", "fly.toml", environment="staging"))
    found = [place.fill_in(text) for place in places for row in ROWS for text in (row.run, row.fix)]
    for page in PAGES:
        found += "\n".join(blocks(page)).replace("\\\n", " ").splitlines()
        found += re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", in_use(page), flags=re.DOTALL))
    starts = rf"(?:^|[|;(] ?|timeout 60 |\$\(){program} [^|;#)]*"
    return [
        hit.strip().lstrip("|;($ ").removeprefix("timeout 60 ")
        for line in found
        for hit in re.findall(starts, line.replace("\\|", "|"))
    ]


def words(command: str) -> list[str]:
    return shlex.split(command.replace("'", "").replace('"', ""))


def test_fly_commands_exist_today() -> None:
    """Each flyctl command and each of its flags is one that flyctl has."""
    used = commands("fly")
    assert len(used) > 40

    for command in used:
        # What runs inside of the machine has flags of its own.
        parts = words(command.partition("python -m")[0])[1:]
        name = next((n for n in (" ".join(parts[:2]), parts[0]) if n in FLY), None)
        assert name, command
        # None of the one-word commands takes an argument: what follows would be a subcommand.
        assert " " in name or not parts[1:] or parts[1].startswith(("-", "<")), command
        flags = {part for part in parts if re.fullmatch(r"-{1,2}[A-Za-z][a-z-]*", part)}
        assert flags <= FLY[name], command


def test_toolbridge_commands_and_options_exist() -> None:
    """Each command is part of the command line, with the options it really has."""
    used = commands("toolbridge")
    assert len(used) > 20

    for command in used:
        parts = words(command)[1:]
        assert parts[0] in TOOLBRIDGE, command
        declared = toolbridge.commands.get(parts[0])
        if declared is None or isinstance(declared, click.Group):
            continue
        known = {option for parameter in declared.params for option in parameter.opts}
        inner = command.partition("--launch")[0]
        flags = {part for part in words(inner) if part.startswith("--")}
        assert flags <= known, command


@pytest.mark.parametrize("page", PAGES)
def test_every_block_is_valid_shell(page: str) -> None:
    """A block can be pasted: bash parses each one."""
    assert blocks(page)
    for block in blocks(page):
        done = subprocess.run(["bash", "-n"], input=block, text=True, capture_output=True)
        assert (done.returncode, done.stderr) == (0, ""), block


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """Files exist and anchors are headings."""
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", text(page)):
        name, _, anchor = target.partition("#")
        path = (ROOT / page).parent / name if name else ROOT / page
        assert path.is_file(), target
        headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
        slugs = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}
        assert not anchor or anchor in slugs, target


@pytest.mark.parametrize("page", PAGES)
def test_settings_are_real(page: str) -> None:
    """Every TOOLBRIDGE_ name is a setting that something reads."""
    known = {f"TOOLBRIDGE_{name.upper()}" for name in Settings.model_fields} | OTHER_SETTINGS

    assert set(re.findall(r"TOOLBRIDGE_[A-Z_]+[A-Z]", text(page))) <= known


@pytest.mark.parametrize("page", PAGES)
def test_no_host_of_anybodys_deployment(page: str) -> None:
    """Addresses are the reader's own to fill in, loopback, or documentation."""
    hosts = set(re.findall(r"https?://([A-Za-z0-9.-]+)", text(page)))

    assert hosts <= {"YOUR-GO-API", "YOUR-APP.fly.dev", "127.0.0.1", "fly.io"}


def test_every_step_says_how_to_verify_it() -> None:
    """Each numbered step of the deployment page names a command that proves it."""
    steps = re.split(r"^## (?=\d\. )", in_use("docs/deployment.md"), flags=re.MULTILINE)[1:]

    assert [step[0] for step in steps] == list("12345678")
    for step in steps:
        assert "**Verify:**" in step or "toolbridge " in step, step[:40]


def test_no_secret_on_a_command_line() -> None:
    """Keys go through files and standard input: arguments show in history and process lists."""
    for page in PAGES:
        for block in blocks(page):
            assert not re.search(r"fly secrets set[^|<]*_SECRET=", block), block
            assert not re.search(r"--from-literal", block), block
