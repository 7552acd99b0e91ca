"""`toolbridge checklist`: the deployment guide's boxes, ticked where there is evidence."""

import re
import tomllib
from pathlib import Path

import click

from toolbridge_harness.checklist.evidence import (
    load_answer,
    load_report,
    read_json,
    repository_answers,
)
from toolbridge_harness.checklist.fill import LIVE_MODE, FilledRow, fill
from toolbridge_harness.checklist.rows import ROWS
from toolbridge_harness.checklist.text import Place, render
from toolbridge_harness.commands.verify import run_options
from toolbridge_harness.config import CONFIG_FILE, TENANT_ID, read_environment, setting, split_url
from toolbridge_harness.errors import UsageProblem
from toolbridge_harness.model import Profile, Report
from toolbridge_harness.registry import select
from toolbridge_harness.verify import Interrupted, Options

_FILE = click.Path(path_type=Path)


@click.command("checklist")
@click.option("--env", "environment", metavar="NAME", help="Environment; reads fly.NAME.toml.")
@click.option(
    "--report", "run", type=_FILE, help="Written by toolbridge verify --report json:FILE."
)
@click.option("--load-report", "load", type=_FILE, help="JSON report of toolbridge load.")
@click.option("--confirm", multiple=True, metavar="ROW", help="Row id you checked by hand.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
)
@click.pass_context
def checklist(
    context: click.Context,
    environment: str | None,
    run: Path | None,
    load: Path | None,
    confirm: tuple[str, ...],
    style: str,
) -> None:
    """Fill in the deployment check list from a run, a load test and this folder's files.

    With --env and no --report, the URL of [env.NAME] in toolbridge.toml is verified first.

    A row is ticked only with evidence. What nothing here can see stays open, with the command
    that answers it; --confirm records that you looked. Exit code 0 when every row is met.
    """
    _known(confirm)
    report = load_report(run) if run else None
    measured = read_json(load) if load else None
    place = _place(environment, report)
    if report and report.mode == LIVE_MODE:
        _same_target(place, report.target, run)
    if isinstance(measured, dict):
        _same_target(place, measured.get("target"), load)
    if report is None and environment is not None:
        report = _verified(environment)
    answers = repository_answers(Path(), place.config)
    if load:
        answers["success-p95"] = load_answer(measured)
    filled = fill(ROWS, report, answers, confirm)
    click.echo(render(filled, report, place, style))
    context.exit(exit_code(filled))


def _verified(environment: str) -> Report | None:
    """Verify the environment's URL; None where toolbridge.toml names none."""
    if not Path(CONFIG_FILE).is_file():
        return None
    named = read_environment(environment)
    if named.url is None:
        return None
    profile = Profile.GATE
    options = Options(
        checks=select(profile),
        profile=profile,
        url=named.url,
        tenant=named.tenant_id or setting(TENANT_ID),
        baseline=named.baseline,
    )
    try:
        return run_options(options)
    except Interrupted as interrupted:
        return interrupted.report


def exit_code(filled: list[FilledRow]) -> int:
    """Return 0 when every row is met, otherwise 1."""
    return 0 if all(entry.met for entry in filled) else 1


def _place(environment: str | None, report: Report | None) -> Place:
    if environment is not None and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", environment):
        raise UsageProblem(f"--env {environment!r} is not a name of letters, digits, - and _")
    config = Path(f"fly.{environment or 'staging'}.toml")
    url = _environment_url(environment, config)
    app = _app(config)
    if url is None and report and report.mode == LIVE_MODE:
        url = report.target
    return Place(app, config.name, environment, url or f"https://{app}.fly.dev")


def _environment_url(environment: str | None, config: Path) -> str | None:
    if environment is None:
        return None
    # The Fly.io file alone is enough: then the steps name the app, and no URL is compared.
    if config.is_file() and not Path(CONFIG_FILE).is_file():
        return None
    return read_environment(environment).url


def _app(config: Path) -> str:
    try:
        return str(tomllib.loads(config.read_text(encoding="utf-8"))["app"])
    except (OSError, ValueError, KeyError):
        return "APP"


def _same_target(place: Place, target: object, path: Path | None) -> None:
    """Refuse evidence from another deployment than the one that --env names."""
    if place.environment is None or not isinstance(target, str) or not target:
        return
    try:
        ours, theirs = split_url(place.url)[0], split_url(target)[0]
    except UsageProblem:
        return
    if ours != theirs:
        raise UsageProblem(
            f"{path} is about {theirs}, but --env {place.environment} is {ours}: "
            "give a report of the same deployment"
        )


def _known(confirm: tuple[str, ...]) -> None:
    ids = [row.id for row in ROWS]
    for name in confirm:
        if name not in ids:
            raise UsageProblem(f"--confirm {name}: no such row; the rows are {', '.join(ids)}")
