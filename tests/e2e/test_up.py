"""`toolbridge up` and what it prints to paste."""

import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator

import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

from support.command_line import TOOLBRIDGE, environment, toolbridge

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def printed() -> Iterator[str]:
    """What `toolbridge up` printed; it stays up for all tests of this module."""
    process = subprocess.Popen(
        [*TOOLBRIDGE, "up"], stdout=subprocess.PIPE, text=True, env=environment()
    )
    try:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("toolbridge sign"):
                break
        yield "".join(lines)
    finally:
        process.terminate()
        process.communicate(timeout=60)


def _part(printed: str, pattern: str) -> str:
    found = re.search(pattern, printed, re.MULTILINE | re.DOTALL)
    assert found, printed
    return found[1]


def _token(printed: str) -> str:
    return _part(printed, r"^export TOKEN=(\S+)$")


def test_the_curl_command_works_as_printed(printed: str) -> None:
    """Pasted into a shell, it creates a note."""
    assert shutil.which("curl"), "this test needs curl"
    command = _part(printed, r"^(curl -sS.*?)\n\n")

    done = subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        env=environment(TOKEN=_token(printed)),
        timeout=30,
    )

    note = json.loads(done.stdout)["result"]["structuredContent"]
    assert ("Hello", "World") == (note["payload"]["title"], note["payload"]["content"])


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_real_client_lists_and_calls(printed: str, mode: str) -> None:
    """FastMCP's own client works with URL and token as printed, in both eras."""
    url = _part(printed, r"^MCP endpoint\s+(\S+)$")
    transport = StreamableHttpTransport(url, auth=_token(printed))

    async with Client(transport, mode=mode) as client:
        tools = await client.list_tools()
        made = await client.call_tool("create_task", {"title": "from a client"})
        read = await client.call_tool("get_task", {"uid": made.data["uid"]})

    assert 41 == len(tools)
    assert "from a client" == read.data["payload"]["title"]


def test_the_printed_settings_mint_tokens_that_work(printed: str) -> None:
    """`toolbridge token` with the printed variables makes another user."""
    names = ("TOOLBRIDGE_TENANT_ID", "TOOLBRIDGE_JWT_SECRET")
    settings = {name: _part(printed, rf"^export {name}=(\S+)$") for name in names}

    done = subprocess.run(
        [*TOOLBRIDGE, "token", "--sub", "another-user"],
        capture_output=True,
        text=True,
        env=environment(**settings),
        timeout=30,
    )

    assert (0, 3) == (done.returncode, len(done.stdout.strip().split(".")))


def test_a_port_that_is_taken_is_one_line() -> None:
    """`toolbridge up --port` on a busy port says so and ends with 4."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        done = toolbridge("up", "--port", str(port))

    assert 4 == done.code
    assert f"port {port} is taken" in done.err
    assert "Traceback" not in done.err
