"""What the interop tests share: Node.js tools, one running stack, a token."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from interop.node import NodeMissing, NodeTools, default_folder, install
from support.running_stack import running_stack
from toolbridge_contract.tokens import mint
from toolbridge_harness.commands.up import UPSTREAM_DEADLINE
from toolbridge_harness.stack import Launch, Stack

NODE_TOOLS = pytest.StashKey[NodeTools]()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Install what the chosen tests need, before any test's time limit runs."""
    if not any("node" in getattr(item, "fixturenames", ()) for item in session.items):
        return
    if session.config.option.collectonly:
        return
    try:
        session.config.stash[NODE_TOOLS] = install(default_folder(), _sayer(session.config))
    except NodeMissing as missing:
        pytest.exit(str(missing), returncode=pytest.ExitCode.TESTS_FAILED)


def _sayer(config: pytest.Config) -> Callable[[str], None]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return reporter.write_line if reporter is not None else lambda _: None


@pytest.fixture(scope="session")
def node(pytestconfig: pytest.Config) -> NodeTools:
    """The pinned Node.js tools."""
    return pytestconfig.stash[NODE_TOOLS]


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """What `toolbridge up` runs: the mock Go API and the reference proxy, as processes.

    At DEBUG, because the deployment guides look at the log of such a proxy.
    """
    launch = Launch(upstream_deadline=UPSTREAM_DEADLINE, settings={"TOOLBRIDGE_LOG_LEVEL": "DEBUG"})
    with running_stack(launch) as running:
        yield running


@pytest.fixture(scope="session")
def mcp_url(stack: Stack) -> str:
    """The MCP endpoint."""
    return f"{stack.proxy_url}/mcp"


@pytest.fixture
def token(stack: Stack) -> str:
    """A token of a user that no other test is."""
    return mint(f"interop-{uuid.uuid4().hex}", stack.tenant_id, stack.jwt_secret)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder for clients that keep settings and logins."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder
