"""`toolbridge verify`: run the checks against a target and say what was found."""

import asyncio
import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from toolbridge_harness.budget import SMALLEST
from toolbridge_harness.commands.output import print_document
from toolbridge_harness.config import (
    TENANT_ID,
    Environment,
    read_environment,
    setting,
    split_url,
)
from toolbridge_harness.errors import UsageProblem
from toolbridge_harness.interruption import cancel_on_signals
from toolbridge_harness.model import Ask, Capability, Profile, Report, Vantage
from toolbridge_harness.progress import progress_for_stderr
from toolbridge_harness.registry import all_checks, select
from toolbridge_harness.report.files import (
    FORMATS,
    Destination,
    parse_destinations,
    without_commands,
    write_reports,
)
from toolbridge_harness.report.provenance import provenance
from toolbridge_harness.report.terminal import REPLAY, render
from toolbridge_harness.stack import Launch
from toolbridge_harness.verify import Interrupted, Options
from toolbridge_harness.verify import verify as run_verification

INTERRUPTED = 130
# The options of a run that change nothing for one check of it, or that a replay says itself.
# What is left says whom it asks and how, what else makes the run red, and when it is cut short.
NOT_REPEATED = frozenset({"only", "profile", "seed", "jobs", "baseline", "reports"})


@click.command()
@click.option("--url", metavar="URL", help="Verify this live deployment (black-box).")
@click.option(
    "--launch",
    metavar="CMD",
    help="Start this proxy and verify it (grey-box). {port}, {metrics_port}, {env_file} and "
    "{name} are put in.",
)
@click.option(
    "--profile",
    type=click.Choice([p.value for p in Profile]),
    help="How much to run. [default: gate]",
)
@click.option(
    "--only",
    multiple=True,
    metavar="ID|AREA",
    help="Run only these: ids, areas, severities, catalogue rows, or patterns with *.",
)
@click.option("--env", "environment", metavar="NAME", help="Use [env.NAME] of toolbridge.toml.")
@click.option(
    "--require", metavar="VANTAGE,…", help="Be red when one of these, or a capability, is missing."
)
@click.option(
    "--lacks",
    multiple=True,
    type=click.Choice([capability.value for capability in Capability]),
    help="The target does without this: what is about it does not apply.",
)
@click.option(
    "--baseline", type=click.Path(path_type=Path), metavar="FILE", help="Accepted failures."
)
@click.option("--jobs", type=click.IntRange(1, 64), help="Checks at a time. [default: 8, 2 live]")
@click.option("--seed", type=click.IntRange(0), help="Repeat the order and content of a run.")
@click.option(
    "--deadline",
    type=click.FloatRange(1, 86_400),
    metavar="SECONDS",
    help="Stop the run then.",
)
@click.option(
    "--rate",
    type=click.FloatRange(0.1, 1000),
    metavar="N",
    help="Requests per second with --url. [default: 5, unbounded on loopback]",
)
@click.option(
    "--budget",
    type=click.IntRange(SMALLEST),
    metavar="N",
    help="Requests of the whole run with --url. [default: 2000, unbounded on loopback]",
)
@click.option(
    "--allow",
    multiple=True,
    type=click.Choice([ask.value for ask in Ask]),
    help="With --url, also make checks that are heavy or destructive.",
)
@click.option("--mock-host", default="127.0.0.1", metavar="ADDRESS", help="Where the mock listens.")
@click.option("--stop-cmd", metavar="CMD", help="Run at the end of a --launch run.")
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="FORMAT:FILE",
    help=f"Also write {', '.join(FORMATS)}; github:- goes to standard output.",
)
def verify(**given: Any) -> int:
    """Run the checks against a target.

    Without --url and --launch, the bundled reference proxy is verified in front of the mock
    Go API. Secrets for --url come from TOOLBRIDGE_JWT_SECRET and TOOLBRIDGE_TENANT_ID, or
    TOOLBRIDGE_TOKENS_FILE.
    """
    destinations = parse_destinations(given["reports"])
    options = _options(given)
    about: dict[str, Any] = {
        **provenance(Path.cwd(), os.environ, options.baseline),
        REPLAY: repeated(given, options),
    }
    try:
        report = run_options(options)
    except Interrupted as interrupted:
        _publish(_annotated(interrupted.report, about), destinations)
        return INTERRUPTED
    _publish(_annotated(report, about), destinations)
    return report.exit_code


def _annotated(report: Report, about: dict[str, Any]) -> Report:
    return replace(report, extra={**report.extra, **about})


def repeated(given: dict[str, Any], options: Options) -> list[str]:
    """Return the options that repeat a run, but for which checks and the seed.

    What is the default is left out. The profile is none for an environment, which may name
    another one.
    """
    words = []
    for parameter in verify.params:
        value = given[str(parameter.name)]
        if parameter.name in NOT_REPEATED or value in (None, parameter.default):
            continue
        for one in value if isinstance(value, tuple) else (value,):
            words.append(parameter.opts[0])
            if one is not True:
                words.append(f"{one:.15g}" if isinstance(one, float) else str(one))
    if options.profile is not Profile.GATE or given["environment"]:
        words += ["--profile", options.profile.value]
    return words


def run_options(options: Options) -> Report:
    """Run a verification with progress on standard error; raises Interrupted."""
    return asyncio.run(_run(options))


async def _run(options: Options) -> Report:
    cancel_on_signals()
    with progress_for_stderr() as progress:
        return await run_verification(options, progress)


def _options(given: dict[str, Any]) -> Options:
    named = given["environment"]
    environment = read_environment(named) if named else Environment(name="")
    url = _url(given, environment)
    if given["deadline"] is not None and math.isnan(given["deadline"]):
        raise UsageProblem("--deadline is a number of seconds")
    if given["budget"] and url is None:
        raise UsageProblem("--budget goes with --url: any other target is the harness's own")
    profile = _profile(given["profile"] or environment.profile or Profile.GATE.value)
    require = given["require"].split(",") if given["require"] else environment.require
    options = Options(
        checks=select(profile, given["only"]),
        profile=profile,
        url=url,
        launch=_launch(given),
        tenant=environment.tenant_id or (setting(TENANT_ID) if url else None),
        require=None if require is None else frozenset(map(_required, require)),
        baseline=given["baseline"] or environment.baseline,
        jobs=given["jobs"],
        deadline=given["deadline"],
        rate=given["rate"],
        budget=given["budget"] or environment.budget,
        allow=frozenset(map(Ask, given["allow"])) | environment.allow,
        lacks=frozenset(map(Capability, given["lacks"])) | environment.lacks,
    )
    return options if given["seed"] is None else replace(options, seed=given["seed"])


def _url(given: dict[str, Any], environment: Environment) -> str | None:
    """Return the URL to verify, None for a proxy of our own. Emptiness is never a choice."""
    for option in ("url", "launch"):
        if given[option] is not None and not given[option].strip():
            raise UsageProblem(f"--{option} is empty: is a variable unset?")
    if given["url"] and given["launch"]:
        raise UsageProblem("--url and --launch exclude each other: one target per run")
    if given["launch"]:
        return None
    url: str | None = given["url"] or environment.url
    if url is None and environment.name:
        raise UsageProblem(f"[env.{environment.name}] of toolbridge.toml has no url")
    if url is not None:
        split_url(url)
    return url


def _launch(given: dict[str, Any]) -> Launch | None:
    if given["launch"]:
        return Launch(
            command=given["launch"],
            mock_host=given["mock_host"],
            stop_command=given["stop_cmd"],
        )
    if given["stop_cmd"] or given["mock_host"] != "127.0.0.1":
        raise UsageProblem("--stop-cmd and --mock-host go with --launch")
    return None


def _profile(name: str) -> Profile:
    try:
        return Profile(name)
    except ValueError:
        raise UsageProblem(f"there is no profile {name!r}: {', '.join(Profile)}") from None


def _required(name: str) -> Vantage | Capability:
    for kind in (Vantage, Capability):
        if name.strip() in list(kind):
            return kind(name.strip())
    known = ", ".join([*Vantage, *Capability])
    raise UsageProblem(f"there is no vantage or capability {name.strip()!r}: {known}")


def _publish(report: Report, destinations: list[Destination]) -> None:
    # Files first: whatever happens to standard output, CI finds the results of this run.
    write_reports(destinations, report, all_checks())
    with without_commands(destinations):
        print_document(
            lambda colour, width: render(report, all_checks(), colour=colour, width=width)
        )
