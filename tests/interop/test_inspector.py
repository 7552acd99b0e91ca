"""The MCP Inspector's command line against the reference proxy, in both protocol eras."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from interop.inspector import AUTH_REQUIRED, SECONDS, TOOL_ERROR, Inspector
from interop.node import STABLE, NodeTools
from toolbridge_contract.tools import HEALTH_CHECK, TOOL_NAMES
from toolbridge_harness.commands.up import instructions
from toolbridge_harness.stack import Stack

pytestmark = pytest.mark.interop

NO_SUCH_NOTE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(params=["legacy", "modern"])
def inspector(node: NodeTools, home: Path, request: pytest.FixtureRequest) -> Inspector:
    """The Inspector in one era."""
    return Inspector(node, home, request.param)


def _error(result: dict[str, Any]) -> Any:
    return result["structuredContent"]["error"]


def test_it_lists_the_tools_without_a_token(inspector: Inspector, mcp_url: str) -> None:
    """All 41 names, and no schema that --strict calls unportable (it would exit with 6)."""
    answer = inspector(mcp_url, "tools/list", "--strict")

    assert 0 == answer.code
    assert TOOL_NAMES | {HEALTH_CHECK} == {tool["name"] for tool in answer.result["tools"]}
    assert 41 == len(answer.result["tools"])


def test_it_speaks_the_era_that_was_asked_for(inspector: Inspector, mcp_url: str) -> None:
    """Only modern results carry the server's name in their _meta: the eras are not one."""
    answer = inspector.call(mcp_url, HEALTH_CHECK)

    modern = "io.modelcontextprotocol/serverInfo" in answer.result.get("_meta", {})
    assert (inspector.era == "modern") == modern


def test_health_check_needs_no_token(inspector: Inspector, mcp_url: str) -> None:
    """The tool that the deployment guide names first works for everybody."""
    answer = inspector.call(mcp_url, HEALTH_CHECK)

    assert (0, {"status": "ok"}) == (answer.code, answer.result["structuredContent"])


def test_a_created_note_is_read_back_and_listed(
    inspector: Inspector, mcp_url: str, token: str
) -> None:
    """create_note, get_note and list_notes with a header tell one story."""
    title, content = "Größe → 1½", 'a "quoted"\nline'

    made = inspector.call(mcp_url, "create_note", token, title=title, content=content)
    uid = made.result["structuredContent"]["uid"]
    read = inspector.call(mcp_url, "get_note", token, uid=uid)
    listed = inspector.call(mcp_url, "list_notes", token)

    note = read.result["structuredContent"]
    assert (0, 0, 0) == (made.code, read.code, listed.code)
    assert (uid, title, content) == (
        note["uid"],
        note["payload"]["title"],
        note["payload"]["content"],
    )
    assert [uid] == [item["uid"] for item in listed.result["structuredContent"]["items"]]


def test_a_tool_error_is_exit_code_5(inspector: Inspector, mcp_url: str, token: str) -> None:
    """The Inspector tells a tool error from a result, and prints the proxy's error object."""
    answer = inspector.call(mcp_url, "get_note", token, uid=NO_SUCH_NOTE)

    assert (TOOL_ERROR, "tool_is_error") == (answer.code, answer.problem)
    assert ("not_found", NO_SUCH_NOTE) == (
        _error(answer.result)["code"],
        _error(answer.result)["uid"],
    )


@pytest.mark.parametrize("token", [None, "not-a-token"])
def test_without_a_valid_token_it_says_that_one_is_needed(
    inspector: Inspector, mcp_url: str, token: str | None
) -> None:
    """The 401 reaches the user as such: exit code 3, and no result."""
    answer = inspector.call(mcp_url, "list_notes", token)

    assert (AUTH_REQUIRED, "auth_required", "") == (answer.code, answer.problem, answer.out)


def test_the_command_that_up_prints_works_as_printed(
    node: NodeTools, stack: Stack, home: Path
) -> None:
    """Pasted into a shell that has Node.js, it lists the notes of the new user: none."""
    exports, _, rest = instructions(stack, "inspector-user").partition("\ncurl:\n")
    exported = next(line for line in exports.splitlines() if line.startswith("export TOKEN="))
    command = rest[rest.index("npx ") :].partition("\n\n")[0]

    done = subprocess.run(
        ["bash", "-c", f"{exported}\n{command} --format json"],
        # npx takes what is installed in the folder where it runs.
        cwd=node.folder / STABLE,
        env=node.environment(home) | {"npm_config_offline": "true"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )

    assert 0 == done.returncode, done.stderr
    assert [] == json.loads(done.stdout)["result"]["structuredContent"]["items"]
