"""The deployment guides' own snippets, run as printed: the one in use and this repository's."""

import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import httpx
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

from interop.node import ROOT, STABLE, NodeTools
from interop.shell import fly_that_prints, localised, run
from support.command_line import environment
from toolbridge_contract.tools import HEALTH_CHECK, TOOL_NAMES
from toolbridge_harness.stack import Stack

pytestmark = pytest.mark.interop

OURS = (ROOT / "docs" / "deployment.md").read_text().partition("## Commands that are gone")[0]
SCRIPT = (Path(__file__).parent / "guide" / "test-staging.py.txt").read_text()
INDEX = {"name": "toolbridge", "mcp": "/mcp", "health": "/healthz", "ready": "/readyz"}
# The guide in use, its addresses, and what it says the reader will see.
LOCAL, DEPLOYED = "http://localhost:8001", "https://${APP_URL}"
GO_API = "https://toolbridgeapi.erauner.dev"
CURLS = [
    (f"curl {LOCAL}/", LOCAL, INDEX),
    (f"curl {DEPLOYED}/", DEPLOYED, INDEX),
    (f"curl {GO_API}/healthz", GO_API, "ok"),
]
INSPECTORS = [
    (f"npx @modelcontextprotocol/inspector {LOCAL}", LOCAL),
    (f"npx @modelcontextprotocol/inspector {DEPLOYED}", DEPLOYED),
]
# What follows `fly logs -a …|`, and whether grep finds something after good traffic.
LOG_COMMANDS = [
    ("fly logs -a toolbridge-mcp-staging | grep -i error", False),
    ('fly logs -a toolbridge-mcp-staging | grep "tenant_id"', True),
    ("fly logs -a toolbridge-mcp-staging | grep signature", True),
]
# The same for the greps of docs/deployment.md, by their patterns.
OUR_GREPS = {
    "error": False,
    "tenant_id": True,
    "eyJ[A-Za-z0-9_-]{10}|[0-9a-fA-F]{64}": False,
}
OUR_CURLS = {
    "http://127.0.0.1:8001/readyz": {"status": "ready", "notes": []},
    "https://YOUR-GO-API/healthz": "ok",
}

# The interpreter with httpx and PyJWT, whatever `python` is in this shell.
PYTHON = shlex.quote(sys.executable)

Shell = Callable[[str], CompletedProcess[str]]


def _here(stack: Stack, address: str) -> str:
    """Return what stands for `address` on this machine, keeping `localhost` where it is."""
    if address in (GO_API, "https://YOUR-GO-API"):
        return stack.mock_url
    host = "localhost" if "localhost" in address else "127.0.0.1"
    return f"http://{host}:{httpx.URL(stack.proxy_url).port}"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell in an empty folder."""
    assert shutil.which("curl"), "these tests need curl: install it"
    return lambda command: run(command, tmp_path, environment())


def _said(done: CompletedProcess[str]) -> object:
    """What curl printed, as JSON where it is."""
    assert 0 == done.returncode, done.stderr
    return json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout


@pytest.mark.parametrize(
    ("command", "address", "expected"), CURLS, ids=["local", "deployed", "go-api"]
)
def test_curl(stack: Stack, shell: Shell, command: str, address: str, expected: object) -> None:
    """The guide promises "404 or JSON response" for the proxy, and a healthy Go API."""
    done = shell(localised(command, {address: _here(stack, address)}))

    assert expected == _said(done)


def test_the_request_of_the_load_script(stack: Stack, shell: Shell) -> None:
    """The guide's k6 script sends GET / with a made-up token, and wants 200 or 404."""
    done = shell(
        "curl -s -o answer -w '%{http_code}' -H 'Authorization: Bearer test-token' "
        f"{stack.proxy_url}/"
    )

    assert (0, "200") == (done.returncode, done.stdout)


def _own_script(stack: Stack, folder: Path) -> Path:
    """Write the guide's test script as its reader does, with the three values filled in."""
    path = folder / "test-staging.py"
    changes = {
        "https://toolbridge-mcp-staging.fly.dev": stack.proxy_url,
        '"dev-secret"': f'"{stack.jwt_secret}"',
        '"staging-tenant-001"': f'"{stack.tenant_id}"',
    }
    path.write_text(localised(SCRIPT, changes))
    return path


def test_the_test_script(stack: Stack, shell: Shell, tmp_path: Path) -> None:
    """`python test-staging.py` prints what the proxy's index answers."""
    _own_script(stack, tmp_path)

    done = shell(f"{PYTHON} test-staging.py")

    status, _, response = done.stdout.partition("\nResponse: ")
    assert (0, "Status: 200") == (done.returncode, status)
    assert INDEX == json.loads(response)


async def test_the_test_scripts_token_is_accepted(
    stack: Stack, shell: Shell, tmp_path: Path
) -> None:
    """The token that the script makes with PyJWT opens the tools, which GET / cannot show."""
    _own_script(stack, tmp_path)
    make = "g['generate_jwt_token'](g['USER_ID'], g['TENANT_ID'])"
    code = f"import runpy; g = runpy.run_path('test-staging.py'); print({make})"

    token = shell(f'{PYTHON} -c "{code}"').stdout.strip()
    async with Client(StreamableHttpTransport(f"{stack.proxy_url}/", auth=token)) as client:
        listed = await client.call_tool("list_notes", {})

    assert [] == listed.data["items"]


@pytest.fixture
def npx(node: NodeTools, home: Path) -> Shell:
    """A shell that has Node.js, in the folder where `npx` finds the Inspector."""
    return lambda command: run(
        command, node.folder / STABLE, node.environment(home) | {"npm_config_offline": "true"}
    )


@pytest.mark.parametrize(("command", "address"), INSPECTORS, ids=["local", "deployed"])
def test_the_inspector_on_the_bare_address(
    stack: Stack, npx: Shell, command: str, address: str
) -> None:
    """Its URL without /mcp is served; today's Inspector has to be told the transport."""
    url = localised(command, {address: _here(stack, address)}).replace(
        "inspector ", "inspector --cli "
    )

    listed = npx(f"{url} --transport http --method tools/list --format json")
    health = npx(
        f"{url} --transport http --method tools/call --tool-name {HEALTH_CHECK} --format json"
    )

    tools = json.loads(listed.stdout)["result"]["tools"]
    assert TOOL_NAMES | {HEALTH_CHECK} == {tool["name"] for tool in tools}
    assert {"status": "ok"} == json.loads(health.stdout)["result"]["structuredContent"]


def test_the_inspector_command_of_the_guide_names_no_transport(stack: Stack, npx: Shell) -> None:
    """As it stands it ends before it connects: only /mcp and /sse tell today's Inspector."""
    command, address = INSPECTORS[0]

    done = npx(localised(command, {address: _here(stack, address)}))

    assert 1 == done.returncode
    assert "Transport type not specified" in done.stderr


async def _good_traffic(stack: Stack, token: str) -> None:
    async with Client(StreamableHttpTransport(f"{stack.proxy_url}/mcp", auth=token)) as client:
        made = await client.call_tool("create_note", {"title": "a note", "content": "text"})
        await client.call_tool("get_note", {"uid": made.data["uid"]})


@pytest.fixture
async def fly(stack: Stack, token: str, tmp_path: Path) -> Shell:
    """A shell where `fly logs` prints what the proxy logged of good traffic at DEBUG."""
    before = len(stack.proxy.log)
    await _good_traffic(stack, token)
    folder = fly_that_prints(stack.proxy.log[before:], tmp_path)
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    return lambda command: run(command, tmp_path, environment(PATH=path, APP="toolbridge"))


@pytest.mark.parametrize(
    ("command", "found"), LOG_COMMANDS, ids=["error", "tenant_id", "signature"]
)
def test_log_commands(fly: Shell, command: str, found: bool) -> None:
    """No line of good traffic says error; tenant_id and the signing step are there to be found."""
    done = fly(command)

    assert (0 if found else 1, found) == (done.returncode, bool(done.stdout)), done.stdout


def _our_shell_lines() -> list[str]:
    blocks = re.findall(r"```bash\n(.*?)```", OURS, re.DOTALL)
    return "\n".join(blocks).replace("\\\n", " ").splitlines()


def test_log_commands_of_our_guide(fly: Shell) -> None:
    """Each grep over `fly logs` in docs/deployment.md finds what the page says it finds."""
    commands = [line for line in _our_shell_lines() if "fly logs" in line and "| grep" in line]
    patterns = {command.split()[-1].strip("'"): command for command in commands}

    found = {pattern: bool(fly(command).stdout) for pattern, command in patterns.items()}

    assert OUR_GREPS == found


def test_curl_commands_of_our_guide(stack: Stack, shell: Shell) -> None:
    """Each curl in docs/deployment.md answers what the page says."""
    inline = re.findall(r"`(curl [^`\n]+)`", OURS)
    commands = [line for line in _our_shell_lines() if line.startswith("curl ")] + inline

    said = {}
    for command in commands:
        url = command.split()[-1]
        base = url.rpartition("/")[0]
        said[url] = _said(shell(localised(command, {base: _here(stack, base)})))

    assert OUR_CURLS == said


def test_the_inspector_as_our_guide_says(stack: Stack, npx: Shell) -> None:
    """Streamable HTTP at the address that docs/deployment.md gives lists the tools."""
    assert "npx @modelcontextprotocol/inspector" in _our_shell_lines()
    address = re.search(r"choose Streamable HTTP and `(\S+)/mcp`", OURS)
    assert address, "docs/deployment.md no longer says which address to choose in the Inspector"
    url = localised(f"{address[1]}/mcp", {address[1]: _here(stack, address[1])})

    done = npx(f"npx @modelcontextprotocol/inspector --cli {url} --method tools/list --format json")

    assert 41 == len(json.loads(done.stdout)["result"]["tools"])


def test_a_snippet_that_leads_elsewhere_is_not_run() -> None:
    """An address that was not replaced stops the test before anything is asked."""
    with pytest.raises(ValueError, match=r"would ask toolbridgeapi\.erauner\.dev"):
        localised(f"curl {GO_API}/healthz", {"curl": "curl"})
    with pytest.raises(ValueError, match="has no 'http://elsewhere'"):
        localised("curl http://127.0.0.1/", {"http://elsewhere": "x"})
