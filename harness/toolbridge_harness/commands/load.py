"""`toolbridge load`: the p95 verdict, measured by Locust in a process of its own.

Importing Locust replaces the sockets of the process, so it never happens here.
"""

import asyncio
import contextlib
import importlib.util
import math
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from toolbridge_harness.config import JWT_SECRET, TENANT_ID, TOKENS_FILE, setting, split_url
from toolbridge_harness.errors import UsageProblem
from toolbridge_harness.processes import child_environment

INTERNAL, INTERRUPTED = 3, 130
_EXPECTED = {0, 1, 3, 4, 5}
# Given to Locust when they are set, so that minted tokens pass a proxy that checks them.
_CLAIMS = ("TOOLBRIDGE_JWT_ISSUER", "TOOLBRIDGE_JWT_AUDIENCE")
# Open answers are waited for (10 s), then every caller deletes what it created.
_STOP_SECONDS = 25.0
# The deployment guide's profile has 10 users with a second between requests.
_DEFAULT_RATE = 10.0
# 300 samples at the default rate take 30 s, and the first seconds warm up.
_DEFAULT_SECONDS = 35
# What Locust lets a user send: the API allows each user 10 requests/s, some calls need two.
_CALLER_RATE = 1.0


@dataclass(frozen=True)
class Plan:
    """What Locust is asked to do."""

    shape: str
    rate: float
    seconds: int
    budget_ms: float
    report: Path | None
    rehearsal: bool

    def command(self, url: str) -> list[str]:
        """Return the command line of Locust for this plan against `url`."""
        users = max(1, math.ceil(self.rate / _CALLER_RATE))
        steady = self.shape == "constant"
        return [
            *(sys.executable, "-m", "locust", "-f", str(_locustfile())),
            # Locust's own log and tables show rounded percentiles: only its warnings are wanted.
            *("--headless", "--only-summary", "--skip-log-setup"),
            *("-H", url, "-u", str(users), "--caller-rate", str(self.rate / users)),
            *("--shape", self.shape, "--budget-ms", str(self.budget_ms)),
            *(("-t", str(self.seconds)) if steady else ()),
            *(("--verdict-file", str(self.report.absolute())) if self.report else ()),
            *(("--rehearsal",) if self.rehearsal else ()),
        ]


@click.command()
@click.option("--url", metavar="URL", help="Load this deployment. [default: embedded proxy]")
@click.option(
    "--shape",
    type=click.Choice(["constant", "ramp"]),
    default="constant",
    show_default=True,
    help="A constant rate, or the deployment guide's ramp (2 minutes).",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True, max=1000),
    default=_DEFAULT_RATE,
    show_default=True,
    help="Requests per second, at the peak of a ramp; one caller for each.",
)
@click.option(
    "--duration",
    type=click.IntRange(1),
    metavar="SECONDS",
    help=f"How long to send at a constant rate. [default: {_DEFAULT_SECONDS}]",
)
@click.option(
    "--budget-ms",
    type=click.FloatRange(min=0, min_open=True),
    default=200.0,
    show_default=True,
    help="p95 must be below this.",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE",
    help="Also write the verdict as JSON.",
)
@click.option(
    "--rehearsal",
    is_flag=True,
    help="Be content with 80 samples over 3 s; the verdict says that it is not a gate verdict.",
)
def load(
    url: str | None,
    shape: str,
    rate: float,
    duration: int | None,
    budget_ms: float,
    report: Path | None,
    rehearsal: bool,
) -> int:
    """Put load on a proxy and judge p95 from raw samples.

    Exit codes: 0 below the budget, 1 not below it or no verdict, 3 internal error, 4 usage or
    configuration, 130 interrupted.
    """
    if importlib.util.find_spec("locust") is None:
        raise UsageProblem("Locust is not installed: pip install 'toolbridge-mcp[load]'")
    if not (math.isfinite(rate) and math.isfinite(budget_ms)):
        raise UsageProblem("--rate and --budget-ms must be numbers")
    if duration is not None and shape != "constant":
        raise UsageProblem(f"--duration does not go with --shape {shape}, which has its own")
    if report is not None and not report.absolute().parent.is_dir():
        raise UsageProblem(f"--report {report}: there is no folder {report.absolute().parent}")
    plan = Plan(shape, rate, duration or _DEFAULT_SECONDS, budget_ms, report, rehearsal)
    return asyncio.run(_load(url, plan))


def _locustfile() -> Path:
    found = importlib.util.find_spec("toolbridge_loadtests")
    if found is None or found.origin is None:
        raise UsageProblem("toolbridge_loadtests is not installed: reinstall toolbridge-mcp[load]")
    return Path(found.origin).with_name("entry.py")


@contextlib.asynccontextmanager
async def _target(url: str | None) -> AsyncIterator[tuple[str, dict[str, str]]]:
    """Yield the MCP endpoint and the settings by which Locust's users get their tokens."""
    if url is not None:
        origin, path = split_url(url)
        yield origin + path, _settings_for_url()
        return
    from toolbridge_harness.stack import NeverStarted, embedded_stack

    async with contextlib.AsyncExitStack() as running:
        try:
            stack = await running.enter_async_context(embedded_stack())
        except NeverStarted as problem:
            raise UsageProblem(f"the embedded proxy did not start: {problem}") from None
        yield f"{stack.proxy_url}/mcp", {JWT_SECRET: stack.jwt_secret, TENANT_ID: stack.tenant_id}


def _settings_for_url() -> dict[str, str]:
    tokens = setting(TOKENS_FILE)
    if tokens:
        return {TOKENS_FILE: str(Path(tokens).absolute())}
    names = (JWT_SECRET, TENANT_ID)
    missing = [name for name in names if not setting(name)]
    if missing:
        raise UsageProblem(
            f"{' and '.join(missing)} not set: set {JWT_SECRET} and {TENANT_ID} to mint tokens, "
            f"or {TOKENS_FILE} to a file of ready ones"
        )
    return {name: value for name in (*names, *_CLAIMS) if (value := setting(name))}


async def _load(url: str | None, plan: Plan) -> int:
    """Run the test; Ctrl-C and SIGTERM stop Locust, and what it knows is still printed."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        async with _target(url) as (endpoint, settings):
            code, text = await _locust(plan.command(endpoint), settings)
    except asyncio.CancelledError:
        return INTERRUPTED
    click.echo(text, nl=False)
    if code in _EXPECTED or code == INTERRUPTED:
        return code
    click.echo(f"toolbridge: Locust ended with exit code {code} and no verdict", err=True)
    return INTERNAL


async def _locust(command: list[str], settings: Mapping[str, str]) -> tuple[int, str]:
    """Run Locust to its end and return its exit code and the verdict it printed."""
    environment = {
        name: value
        for name, value in child_environment(settings).items()
        # Somebody's Locust defaults must not change what a gate measures.
        if not name.startswith("LOCUST_")
    }
    # An empty folder: a locust.conf or pyproject.toml where the user stands has no say either.
    with tempfile.TemporaryDirectory(prefix="toolbridge-load-") as folder:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            cwd=folder,
            env=environment,
            # Ctrl-C reaches this process alone, which then asks Locust to finish.
            start_new_session=True,
        )
        output = asyncio.ensure_future(process.communicate())
        try:
            text, _ = await asyncio.shield(output)
            code = process.returncode if process.returncode is not None else INTERNAL
        except asyncio.CancelledError:
            text = await _interrupt(process, output)
            code = INTERRUPTED
    return code, text.decode(errors="replace")


async def _interrupt(
    process: asyncio.subprocess.Process, output: "asyncio.Future[tuple[bytes, bytes]]"
) -> bytes:
    """Ask Locust to finish, and return what it knows; a second Ctrl-C ends it at once."""
    click.echo("toolbridge: interrupted; waiting for open answers (Ctrl-C again: quit)", err=True)
    try:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        text, _ = await asyncio.wait_for(asyncio.shield(output), _STOP_SECONDS)
    except (TimeoutError, asyncio.CancelledError):
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        text, _ = await output
    return text
