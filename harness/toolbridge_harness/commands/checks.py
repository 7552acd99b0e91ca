"""`toolbridge checks`: what the suite claims, and why."""

import sys
from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Table

from toolbridge_harness.errors import UsageProblem
from toolbridge_harness.model import Check, Profile
from toolbridge_harness.registry import all_checks, select


@click.group()
def checks() -> None:
    """List and explain the checks."""


@checks.command("list")
@click.option(
    "--profile",
    type=click.Choice([p.value for p in Profile]),
    default=Profile.SOAK.value,
    help="Only what this profile runs. [default: all]",
)
@click.option("--only", multiple=True, metavar="ID|AREA", help="Only these.")
def list_checks(profile: str, only: Sequence[str]) -> None:
    """List the checks: id, severity, profile, what they need, and the claim."""
    chosen = select(Profile(profile), only)
    if not sys.stdout.isatty():
        for declared in chosen:
            click.echo("\t".join(_columns(declared)))
        return
    table = Table(box=None, header_style="bold")
    for title in ("check", "severity", "profile", "needs", "claim"):
        table.add_column(title, no_wrap=title == "check")
    for declared in chosen:
        table.add_row(*_columns(declared))
    Console().print(table)


def _columns(declared: Check) -> tuple[str, str, str, str, str]:
    needs = ",".join(sorted(declared.needs))
    return declared.id, declared.severity.value, declared.profile.value, needs, declared.claim


@checks.command()
@click.argument("check_id", metavar="ID")
def explain(check_id: str) -> None:
    """Say what a check claims, why it matters, and how to fix a red one."""
    declared = all_checks().get(check_id)
    if declared is None:
        raise UsageProblem(f"there is no check {check_id!r}: `toolbridge checks list` shows them")
    click.echo(explanation(declared))


def explanation(declared: Check) -> str:
    """Return everything a reader of a red check needs, as plain text."""
    rows = (
        ("claim", declared.claim),
        ("why it matters", declared.why),
        ("how it is tested", " ".join((declared.run.__doc__ or "").split())),
        ("how to fix", declared.remedy),
        ("severity", declared.severity.value),
        ("source", declared.source),
        ("catalogue", ", ".join(declared.catalogue)),
        ("needs", ", ".join(sorted(declared.needs))),
        ("profile", declared.profile.value),
        ("explained by", ", ".join(declared.explained_by)),
    )
    lines = [declared.id, *(f"  {label}: {text}" for label, text in rows if text)]
    return "\n".join(lines)
