"""`toolbridge doctor`: the first layer that fails, from the caller to the Go API's database."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from toolbridge_harness.config import (
    JWT_SECRET,
    TENANT_ID,
    TENANT_SECRET,
    TOKENS_FILE,
    setting,
    split_url,
    token_source,
)
from toolbridge_harness.doctor.decide import decide
from toolbridge_harness.doctor.examine import Patient, examine
from toolbridge_harness.doctor.inside import read_inside, tenant_inside
from toolbridge_harness.doctor.render import as_json, as_text
from toolbridge_harness.errors import UsageProblem
from toolbridge_harness.redact import Redactor
from toolbridge_harness.tokens import NoTokens, TokenSource

TOKEN = "TOOLBRIDGE_TOKEN"  # noqa: S105 - the name of a variable
_FILE = click.Path(path_type=Path)


@click.command("doctor")
@click.argument("url", metavar="URL")
@click.option(
    "--diagnose",
    type=_FILE,
    metavar="FILE|-",
    help="Output of `python -m toolbridge_proxy diagnose` in the proxy's machine.",
)
@click.option("--token-file", type=_FILE, metavar="FILE", help=f"Your token.  [default: {TOKEN}]")
@click.option(
    "--api-fingerprint",
    metavar="HEX",
    help="Fingerprint of the Go API's tenant secret (8 hex digits; docs/diagnose.md).",
)
@click.option("--canary", is_flag=True, help="Also write one note, and delete it again.")
@click.option("--json", "machine", is_flag=True, help="Print one JSON document.")
@click.pass_context
def doctor(
    context: click.Context,
    url: str,
    diagnose: Path | None,
    token_file: Path | None,
    api_fingerprint: str | None,
    canary: bool,
    machine: bool,
) -> None:
    """Find the root cause of what is wrong with a deployment.

    One factor changes per probe, from the caller outwards; the first layer that fails is the
    cause. Without --diagnose, what lies behind the proxy is inferred from its error codes.

    Your token comes from TOOLBRIDGE_TOKEN or --token-file; without one, a token is minted with
    TOOLBRIDGE_JWT_SECRET and TOOLBRIDGE_TENANT_ID. Exit code 0: nothing found, 1: a root cause or
    no verdict.
    """
    origin, path = split_url(url)
    document = read_inside(diagnose) if diagnose else None
    tenant = setting(TENANT_ID)
    own = _own_token(token_file)
    patient = Patient(
        origin=origin,
        mcp_path=path,
        source=_source(tenant, document),
        token=own,
        tenant=tenant,
        document=document,
        api_fingerprint=_fingerprint(api_fingerprint),
        write=canary,
    )
    redactor = Redactor([*patient.source.secrets, *([own] if own else [])])
    redactor.add(setting(TENANT_SECRET) or "")
    probes = examine(patient)
    diagnosis = decide(probes)
    click.echo((as_json if machine else as_text)(origin + path, probes, diagnosis, redactor))
    context.exit(diagnosis.exit_code)


def _source(tenant: str | None, document: Mapping[str, Any] | None) -> TokenSource:
    """Return where tokens come from; the tenant may be known from inside alone."""
    known = tenant or (tenant_inside(document) if document else None)
    if known is None and not setting(TOKENS_FILE) and setting(TOKEN):
        # The given token is enough; the key without a tenant only mints nothing.
        return NoTokens()
    if known is None and setting(JWT_SECRET) and not setting(TOKENS_FILE):
        raise UsageProblem(f"{JWT_SECRET} needs {TENANT_ID}, or --diagnose, which names the tenant")
    return token_source(known)


def _own_token(path: Path | None) -> str | None:
    if path is None:
        text = setting(TOKEN)
    else:
        try:
            text = path.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise UsageProblem(f"--token-file {path}: cannot be read: {reason}") from None
    found = re.sub(r"(?i)\Abearer\s+", "", text or "")
    if path is not None and not found:
        raise UsageProblem(f"--token-file {path} is empty: it holds the token")
    if not re.fullmatch(r"[\x21-\x7e]*", found):
        raise UsageProblem("the token has blanks or characters that no token has: copy it again")
    return found or None


def _fingerprint(given: str | None) -> str | None:
    if given is not None and not re.fullmatch(r"[0-9a-fA-F]{8}", given):
        raise UsageProblem("--api-fingerprint is not 8 hex digits: see docs/diagnose.md")
    return given
