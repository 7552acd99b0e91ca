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
    """The proxy did not get as far as accepting connections."""


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
        jwt_secret, tenant_secret = secrets.token_urlsafe(48), secrets.token_urlsafe(48)
        mock_process, mock_url, mock = await _start_mock(
            stack, jwt_secret, tenant_secret, launch.mock_host
        )
        port, metrics_port = launch.port or free_port(), free_port()
        settings = {
            "TOOLBRIDGE_GO_API_BASE_URL": mock_url,
            "TOOLBRIDGE_TENANT_ID": TENANT,
            "TOOLBRIDGE_TENANT_HEADER_SECRET": tenant_secret,
            "TOOLBRIDGE_JWT_SECRET": jwt_secret,
            "TOOLBRIDGE_HOST": "127.0.0.1",
            "TOOLBRIDGE_PORT": str(port),
            "TOOLBRIDGE_METRICS_PORT": str(metrics_port),
            "TOOLBRIDGE_UPSTREAM_TIMEOUT_SECONDS": f"{launch.upstream_deadline:g}",
            **launch.settings,
        }
        env_file = folder / "proxy.env"
        env_file.touch(mode=0o600)
        env_file.write_text("".join(f"{k}={v}\n" for k, v in settings.items()))
        names = {
            "port": str(port),
            "metrics_port": str(metrics_port),
            "env_file": str(env_file),
            "name": f"toolbridge-{secrets.token_hex(4)}",
        }
        proxy = await _start_proxy(stack, launch, names, settings)
        url = f"http://127.0.0.1:{port}"
        try:
            await _until_listening(proxy, url, launch.start_seconds)
        except NeverStarted as error:
            clean = Redactor([jwt_secret, tenant_secret]).clean
            raise NeverStarted(clean(str(error))) from None
        yield Stack(
            proxy_url=url,
            mock_url=mock_url,
            mock=mock,
            mock_process=mock_process,
            tenant_id=settings["TOOLBRIDGE_TENANT_ID"],
            jwt_secret=jwt_secret,
            tenant_secret=tenant_secret,
            proxy=proxy,
            settings=settings,
            metrics_port=metrics_port,
        )


async def _start_mock(
    stack: contextlib.AsyncExitStack, jwt_secret: str, tenant_secret: str, host: str
) -> tuple[Process, str, MockControl]:
    control_token = secrets.token_urlsafe(24)
    environment = child_environment({"TOOLBRIDGE_MOCK_CONTROL_TOKEN": control_token}) | {
        "JWT_HS256_SECRET": jwt_secret,
        "TENANT_HEADER_SECRET": tenant_secret,
    }
    command = [sys.executable, "-m", "toolbridge_contract", "serve", "--host", host]
    process = await Process.start(command, environment, "mock Go API")
    stack.push_async_callback(process.stop)
    announced = await _announcement(process, host)
    mock = MockControl(announced["control_url"], control_token)
    stack.push_async_callback(mock.aclose)
    return process, announced["url"], mock


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
        return
    raise NeverStarted(
        f"nothing listens on port {target.port} after {seconds:g} s: {proxy.last_words}"
    )
