"""The processes of an embedded or grey-box run: the mock Go API, and a proxy in front of it."""

import asyncio
import contextlib
import json
import secrets
import shlex
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from toolbridge_contract.control import MockControl
from toolbridge_harness.errors import UsageProblem
from toolbridge_harness.processes import Process, child_environment, free_port, port_is_free
from toolbridge_harness.redact import Redactor

EMBEDDED_PROXY = f"{shlex.quote(sys.executable)} -m toolbridge_proxy"
TENANT = "verify-tenant"
# A container may have to be unpacked first; a Python proxy needs two or three seconds.
START_SECONDS = 30.0
# The deadline that the proxy is given for one tool call, so that waits in checks stay short.
UPSTREAM_DEADLINE = 2.0
_POLL_SECONDS = 0.05


class NeverStarted(Exception):
    """The proxy did not get as far as accepting connections.

    `runs` when its process is there, but does not listen where it was told to.
    """

    def __init__(self, how: str, *, runs: bool = False) -> None:
        super().__init__(how)
        self.runs = runs


@dataclass(frozen=True)
class Launch:
    """How to start the proxy under test."""

    command: str = EMBEDDED_PROXY
    mock_host: str = "127.0.0.1"
    """The address that the mock binds and that the proxy is told."""
    stop_command: str | None = None
    upstream_deadline: float = UPSTREAM_DEADLINE
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None
    start_seconds: float = START_SECONDS


@dataclass(frozen=True)
class Mock:
    """A running mock Go API, and the secrets that it verifies with."""

    process: Process
    url: str
    control: MockControl
    jwt_secret: str
    tenant_secret: str


@dataclass(frozen=True)
class Started:
    """A proxy process, not necessarily up yet, and what it was given."""

    process: Process
    url: str
    settings: dict[str, str]
    start_seconds: float

    async def ready(self) -> None:
        """Return once the port accepts connections; NeverStarted when that does not happen."""
        await _until_listening(self.process, self.url, self.start_seconds)


@dataclass(frozen=True)
class Starter:
    """Starts the proxy under test, as often as it is asked to, each time on ports of its own."""

    launch: Launch
    folder: Path
    """Where the files with the settings are written: gone at the end of the run."""

    @contextlib.asynccontextmanager
    async def start(
        self, mock: Mock, changes: Mapping[str, str | None] | None = None
    ) -> AsyncIterator[Started]:
        """Start the proxy before `mock` and yield it at once; its end is the end of the block.

        `changes` are environment variables on top of the usual settings; None leaves one out.
        """
        port = self.launch.port if changes is None else None
        number = str(port or free_port())
        wanted = {**self._settings(mock, number), **self.launch.settings, **(changes or {})}
        settings = {name: value for name, value in wanted.items() if value is not None}
        name = f"toolbridge-{secrets.token_hex(4)}"
        env_file = self.folder / f"{name}.env"
        env_file.touch(mode=0o600)
        env_file.write_text("".join(f"{k}={v}\n" for k, v in settings.items()))
        names = {
            "port": number,
            "metrics_port": settings["TOOLBRIDGE_METRICS_PORT"],
            "env_file": str(env_file),
            "name": name,
        }
        async with contextlib.AsyncExitStack() as stack:
            process = await _start_proxy(stack, self.launch, names, settings)
            url = f"http://127.0.0.1:{number}"
            yield Started(process, url, settings, self.launch.start_seconds)

    def _settings(self, mock: Mock, port: str) -> dict[str, str]:
        return {
            "TOOLBRIDGE_GO_API_BASE_URL": mock.url,
            "TOOLBRIDGE_TENANT_ID": TENANT,
            "TOOLBRIDGE_TENANT_HEADER_SECRET": mock.tenant_secret,
            "TOOLBRIDGE_JWT_SECRET": mock.jwt_secret,
            "TOOLBRIDGE_HOST": "127.0.0.1",
            "TOOLBRIDGE_PORT": port,
            "TOOLBRIDGE_METRICS_PORT": str(free_port()),
            "TOOLBRIDGE_UPSTREAM_TIMEOUT_SECONDS": f"{self.launch.upstream_deadline:g}",
        }

    @property
    def takes_any_text(self) -> bool:
        """Whether settings reach the proxy as they are: a file of lines cannot hold line breaks."""
        return "{env_file}" not in self.launch.command


@dataclass
class Stack:
    """What runs, and what was given to it."""

    proxy_url: str
    mock_url: str
    mock: MockControl
    mock_process: Process
    tenant_id: str
    jwt_secret: str
    tenant_secret: str
    proxy: Process
    settings: dict[str, str]
    metrics_port: int
    starter: Starter
    upstream: Mock


@contextlib.asynccontextmanager
async def embedded_stack(launch: Launch | None = None) -> AsyncIterator[Stack]:
    """Start the mock and the proxy, yield them, and end both whatever happens.

    Raises NeverStarted when the proxy does not open its port, and UsageProblem when the
    command cannot be run at all.
    """
    launch = launch or Launch()
    if launch.port is not None and not port_is_free(launch.port):
        # Found out later, it would look as if the other server were the proxy.
        raise UsageProblem(f"port {launch.port} is taken: stop what listens there, or name another")
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="toolbridge-")))
        starter = Starter(launch, folder)
        mock = await stack.enter_async_context(running_mock(launch.mock_host))
        proxy = await stack.enter_async_context(starter.start(mock))
        try:
            await proxy.ready()
        except NeverStarted as error:
            clean = Redactor([mock.jwt_secret, mock.tenant_secret]).clean
            raise NeverStarted(clean(str(error)), runs=error.runs) from None
        yield Stack(
            proxy_url=proxy.url,
            mock_url=mock.url,
            mock=mock.control,
            mock_process=mock.process,
            tenant_id=proxy.settings["TOOLBRIDGE_TENANT_ID"],
            jwt_secret=mock.jwt_secret,
            tenant_secret=mock.tenant_secret,
            proxy=proxy.process,
            settings=proxy.settings,
            metrics_port=int(proxy.settings["TOOLBRIDGE_METRICS_PORT"]),
            starter=starter,
            upstream=mock,
        )


@contextlib.asynccontextmanager
async def running_mock(
    host: str,
    jwt_secret: str | None = None,
    tenant_secret: str | None = None,
    tenant_scoped: bool = False,
) -> AsyncIterator[Mock]:
    """Start a mock Go API on `host` with these secrets (random ones if not given); yield it."""
    jwt_secret = jwt_secret or secrets.token_urlsafe(48)
    tenant_secret = tenant_secret or secrets.token_urlsafe(48)
    async with contextlib.AsyncExitStack() as stack:
        control_token = secrets.token_urlsafe(24)
        environment = child_environment({"TOOLBRIDGE_MOCK_CONTROL_TOKEN": control_token}) | {
            "JWT_HS256_SECRET": jwt_secret,
            "TENANT_HEADER_SECRET": tenant_secret,
        }
        command = [sys.executable, "-m", "toolbridge_contract", "serve", "--host", host]
        command += ["--tenant-scoped"] if tenant_scoped else []
        process = await Process.start(command, environment, "mock Go API")
        stack.push_async_callback(process.stop)
        announced = await _announcement(process, host)
        control = MockControl(announced["control_url"], control_token)
        stack.push_async_callback(control.aclose)
        yield Mock(process, announced["url"], control, jwt_secret, tenant_secret)


async def _announcement(process: Process, host: str) -> dict[str, str]:
    """Wait for the line in which the mock says where it listens."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        for line in process.log.splitlines(keepends=True):
            if line.startswith("{") and line.endswith("\n"):
                announced: dict[str, str] = json.loads(line)
                return announced
        if process.exit_code is not None:
            raise UsageProblem(f"the mock Go API cannot listen on {host}: {process.last_words}")
        await asyncio.sleep(_POLL_SECONDS)
    raise UsageProblem(
        f"the mock Go API did not start within {START_SECONDS:g} s: {process.last_words}"
    )


async def _start_proxy(
    stack: contextlib.AsyncExitStack,
    launch: Launch,
    names: Mapping[str, str],
    settings: Mapping[str, str],
) -> Process:
    command = expand(launch.command, names, "--launch")
    environment = child_environment(settings)
    if launch.stop_command is not None:
        stop = expand(launch.stop_command, names, "--stop-cmd")
        stack.push_async_callback(_run_to_end, stop, environment)
    proxy = await Process.start(command, environment, "proxy")
    stack.push_async_callback(proxy.stop)
    return proxy


def expand(command: str, names: Mapping[str, str], option: str) -> list[str]:
    """Split a command line as a shell would, and put the values of {port} and so on into it."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageProblem(f"{option}: {error}") from None
    if not words:
        raise UsageProblem(f"{option}: the command is empty")
    for name, value in names.items():
        words = [word.replace("{" + name + "}", value) for word in words]
    return words


async def _run_to_end(command: list[str], environment: Mapping[str, str]) -> None:
    process = await Process.start(command, environment, "stop command")
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), START_SECONDS)
    await process.stop()


async def _until_listening(proxy: Process, url: str, seconds: float) -> None:
    """Return once the port accepts connections; what it answers is not judged here."""
    target = httpx.URL(url)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if proxy.exit_code is not None:
            said = proxy.last_words
            raise NeverStarted(f"it ended with exit code {proxy.exit_code}: {said}")
        try:
            _, writer = await asyncio.open_connection(target.host, target.port)
        except OSError:
            await asyncio.sleep(_POLL_SECONDS)
            continue
        writer.close()
        # Another server may have the port, for want of which the proxy is about to end.
        await asyncio.sleep(_POLL_SECONDS)
        if proxy.exit_code is None:
            return
    raise NeverStarted(
        f"nothing listens on port {target.port} after {seconds:g} s: {proxy.last_words}",
        runs=True,
    )
