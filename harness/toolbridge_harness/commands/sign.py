"""`toolbridge sign`: the tenant headers of one request to the Go API, for debugging by curl."""

import shlex
import sys
import time

import click

from toolbridge_contract.signing import MAX_SKEW_SECONDS, tenant_headers
from toolbridge_harness.config import TENANT_ID, TENANT_SECRET
from toolbridge_harness.errors import UsageProblem
from toolbridge_harness.local_settings import required, tidy

# The last second of the year 9999: later ones have no calendar date everywhere.
_FAR = 253_402_300_799


@click.command("sign")
@click.option("--tenant", metavar="ID", help="The tenant.  [default: TOOLBRIDGE_TENANT_ID]")
@click.option(
    "--timestamp-ms",
    type=click.IntRange(min=0),
    metavar="MS",
    help="Milliseconds since 1970, to reproduce a signature.  [default: now]",
)
@click.option("--curl", "as_curl", is_flag=True, help="Print -H arguments instead of lines.")
def sign(tenant: str | None, timestamp_ms: int | None, as_curl: bool) -> None:
    """Sign for a tenant and print the three X-TB headers.

    The key is TOOLBRIDGE_TENANT_HEADER_SECRET, from the environment or .env. The Go API accepts
    the headers for five minutes before and after their timestamp.

    In a pipe: toolbridge sign | curl -H @- URL. With --curl the arguments are quoted for a shell:
    eval "curl $(toolbridge sign --curl) URL".
    """
    tenant_id = tidy("--tenant", tenant or "") or required(
        TENANT_ID, "it is what gets signed (or: --tenant)"
    )
    if not tenant_id.isprintable():
        raise UsageProblem("the tenant holds a line break or control character: no header can")
    secret = required(TENANT_SECRET, "it is the key of the signature")
    now = int(time.time() * 1000) if timestamp_ms is None else timestamp_ms
    headers = [f"{name}: {value}" for name, value in tenant_headers(tenant_id, secret, now).items()]
    if as_curl:
        click.echo(" ".join(f"-H {shlex.quote(header)}" for header in headers))
    else:
        click.echo("\n".join(headers))
    if sys.stderr.isatty():
        until = time.strftime("%H:%M:%SZ", time.gmtime(min(now / 1000 + MAX_SKEW_SECONDS, _FAR)))
        click.echo(f"the Go API accepts these until {until}", err=True)
