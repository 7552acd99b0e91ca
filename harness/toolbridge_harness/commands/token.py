"""`toolbridge token`: a token to paste into Inspector, curl or Locust."""

import re
import sys
import time

import click

from toolbridge_contract.tokens import mint
from toolbridge_harness.config import JWT_SECRET, TENANT_ID, setting
from toolbridge_harness.errors import UsageProblem
from toolbridge_harness.local_settings import required, tidy

# RFC 7518 section 3.2: an HS256 key has at least the 256 bits of the hash.
SHORTEST_SECRET = 32
# A token that outlives a year is a password nobody rotates.
LONGEST_LIFETIME = 365 * 86_400

_LIFETIME = re.compile(r"(\d{1,9})([smhd]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


@click.command("token")
@click.option("--sub", required=True, metavar="USER", help="The user that the token is for.")
@click.option(
    "--tenant", metavar="ID", help="The tenant_id claim.  [default: TOOLBRIDGE_TENANT_ID]"
)
@click.option("--lifetime", default="1h", show_default=True, help="Seconds, or 15m, 1h, 7d.")
def token(sub: str, tenant: str | None, lifetime: str) -> None:
    """Mint an HS256 token and print it.

    The key is TOOLBRIDGE_JWT_SECRET, from the environment or .env. TOOLBRIDGE_JWT_ISSUER and
    TOOLBRIDGE_JWT_AUDIENCE become claims when they are set, as the proxy demands them then.

    \b
    curl -H "Authorization: Bearer $(toolbridge token --sub alice)" ...
    """
    seconds = lifetime_seconds(lifetime)
    if not tidy("--sub", sub):
        raise UsageProblem("--sub is empty: name the user that the token is for")
    tenant_id = tidy("--tenant", tenant or "") or required(
        TENANT_ID, "the proxy accepts its own tenant's tokens only (or: --tenant)"
    )
    now = time.time()
    minted = mint(sub, tenant_id, _secret(), lifetime=seconds, now=now, **_claims())
    click.echo(minted)
    if sys.stderr.isatty():
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + seconds))
        click.echo(f"user {sub}, tenant {tenant_id}, expires {until}", err=True)


def lifetime_seconds(text: str) -> int:
    """Return the seconds that `90`, `15m`, `1h` or `7d` mean; UsageProblem for anything else."""
    match = _LIFETIME.fullmatch(text.strip().lower())
    seconds = int(match[1]) * _SECONDS[match[2]] if match else 0
    if not 0 < seconds <= LONGEST_LIFETIME:
        raise UsageProblem(
            f"--lifetime {text!r} is not a lifetime: give seconds, or 15m, 1h, 7d, up to 365d"
        )
    return seconds


def _secret() -> str:
    secret = required(JWT_SECRET, "it is the key that signs tokens")
    size = len(secret.encode())
    if size < SHORTEST_SECRET:
        raise UsageProblem(
            f"{JWT_SECRET} has {size} bytes and the proxy refuses keys under "
            f"{SHORTEST_SECRET} (RFC 7518 section 3.2): make one with `openssl rand -base64 32`"
        )
    return secret


def _claims() -> dict[str, str]:
    named = {"iss": setting("TOOLBRIDGE_JWT_ISSUER"), "aud": setting("TOOLBRIDGE_JWT_AUDIENCE")}
    return {claim: value for claim, value in named.items() if value}
