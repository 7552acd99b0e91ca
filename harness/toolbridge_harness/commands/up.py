"""`toolbridge up`: the mock Go API and the reference proxy in the foreground, to play with."""

import asyncio

import click

from toolbridge_contract.tokens import mint
from toolbridge_harness.errors import UsageProblem
from toolbridge_harness.interruption import cancel_on_signals
from toolbridge_harness.stack import Launch, NeverStarted, Stack, embedded_stack

# A working day, so that the token printed at the start outlives the session.
TOKEN_SECONDS = 12 * 3600
# The proxy's own default: a person who debugs by hand is slower than a check.
UPSTREAM_DEADLINE = 25.0


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="The proxy's port. [default: free]")
@click.option("--sub", default="demo-user", show_default=True, help="Whom the token is for.")
def up(port: int | None, sub: str) -> int:
    """Run the mock Go API and the reference proxy until Ctrl-C.

    Prints the URL, a token, and commands to paste for curl and the MCP Inspector.
    """
    try:
        return asyncio.run(_serve(port, sub))
    except NeverStarted as error:
        raise UsageProblem(f"the proxy did not start: {error}") from None


async def _serve(port: int | None, sub: str) -> int:
    cancel_on_signals()
    launch = Launch(port=port, upstream_deadline=UPSTREAM_DEADLINE)
    try:
        async with embedded_stack(launch) as stack:
            click.echo(instructions(stack, sub))
            code = await stack.proxy.wait()
            click.echo(f"the proxy ended with exit code {code}: {stack.proxy.last_words}", err=True)
            return 1
    except asyncio.CancelledError:
        return 130


def instructions(stack: Stack, sub: str) -> str:
    """Return what to paste, for the running stack."""
    token = mint(sub, stack.tenant_id, stack.jwt_secret, lifetime=TOKEN_SECONDS)
    mcp = f"{stack.proxy_url}/mcp"
    call = (
        '{"jsonrpc":"2.0","id":1,"method":"tools/call",'
        '"params":{"name":"create_note","arguments":{"title":"Hello","content":"World"}}}'
    )
    return f"""\
ToolBridge is up: the reference proxy in front of the mock Go API. Ctrl-C ends both.

MCP endpoint  {mcp}
mock Go API   {stack.mock_url}
metrics       http://127.0.0.1:{stack.metrics_port}/metrics
tenant        {stack.tenant_id}

A token for {sub!r}, valid for {TOKEN_SECONDS // 3600} hours:

export TOKEN={token}

curl:

curl -sS {mcp} \\
  -H "Authorization: Bearer $TOKEN" \\
  -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \\
  -H 'MCP-Protocol-Version: 2025-11-25' \\
  -d '{call}'

MCP Inspector (Node 22 or newer):

npx @modelcontextprotocol/inspector --cli {mcp} --transport http \\
  --method tools/call --tool-name list_notes --header "Authorization: Bearer $TOKEN"

To sign requests to the mock yourself, or mint more tokens:

export TOOLBRIDGE_TENANT_ID={stack.tenant_id}
export TOOLBRIDGE_JWT_SECRET={stack.jwt_secret}
export TOOLBRIDGE_TENANT_HEADER_SECRET={stack.tenant_secret}
toolbridge token --sub another-user
toolbridge sign --curl"""
