"""One verification run, from opening the target to the report."""

import asyncio
import contextlib
import datetime
import importlib.metadata
import random
import secrets
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
from aiolimiter import AsyncLimiter

from toolbridge_contract.control import ControlError
from toolbridge_harness.baseline import Accepted, apply_baseline, read_baseline
from toolbridge_harness.budget import LAST_QUESTION
from toolbridge_harness.causes import blame_strays, explain, strays_headline
from toolbridge_harness.cleanup import clean_up
from toolbridge_harness.config import split_url, token_source
from toolbridge_harness.courtesy import not_allowed, towards_url
from toolbridge_harness.deployment import Deployment
from toolbridge_harness.model import (
    UNSELECTED,
    Ask,
    Capability,
    Cause,
    Check,
    LeftBehind,
    NotVerified,
    Outcome,
    Profile,
    Report,
    Result,
    Vantage,
)
from toolbridge_harness.preflight import never_started, preflight, still_alive
from toolbridge_harness.progress import Progress
from toolbridge_harness.redact import Redactor
from toolbridge_harness.registry import all_checks
from toolbridge_harness.runner import Run, mock_gone, run_checks, unseen
from toolbridge_harness.stack import Launch, NeverStarted, Stack, embedded_stack
from toolbridge_harness.strays import strays
from toolbridge_harness.target import Target
from toolbridge_harness.tokens import Minted
from toolbridge_harness.verdicts import Untestable, Violation

# What a profile may take before the run is stopped: three times its goal on two quiet cores.
DEADLINES = {Profile.SMOKE: 30.0, Profile.GATE: 180.0, Profile.FULL: 720.0, Profile.SOAK: 3600.0}
# Requests per second to somebody's deployment: well below the Go API's 10/s for one user.
POLITE_RATE = 5.0
# A gate makes about 700 requests: 140 s at the polite rate.
PACED_FACTOR = 3
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
LOCAL_VANTAGES = frozenset(Vantage)
ENABLE = {
    Vantage.TOKENS: "set TOOLBRIDGE_JWT_SECRET and TOOLBRIDGE_TENANT_ID, or TOOLBRIDGE_TOKENS_FILE",
    Vantage.MINT: "set TOOLBRIDGE_JWT_SECRET and TOOLBRIDGE_TENANT_ID",
    Vantage.UPSTREAM: "verify the same build with --launch",
    Vantage.LOGS: "verify the same build with --launch",
    Vantage.RESTART: "verify the same build with --launch",
}


@dataclass(frozen=True)
class Options:
    """What one run was asked to do."""

    checks: Sequence[Check]
    profile: Profile
    url: str | None = None
    launch: Launch | None = None
    tenant: str | None = None
    require: frozenset[Vantage | Capability] | None = None
    lacks: frozenset[Capability] = frozenset()
    baseline: Path | None = None
    jobs: int | None = None
    seed: int = field(default_factory=lambda: secrets.randbelow(2**31))
    deadline: float | None = None
    rate: float | None = None
    budget: int | None = None
    allow: frozenset[Ask] = frozenset()

    @property
    def at_once(self) -> int:
        """How many checks run at a time."""
        return self.jobs or (2 if self.url else 8)

    @property
    def mode(self) -> str:
        """How the suite is pointed at its target."""
        if self.url is not None:
            return "black-box"
        return "grey-box" if self.launch is not None else "embedded"

    @property
    def target(self) -> str:
        """The target as a person would name it."""
        if self.url is not None:
            return self.url
        return self.launch.command if self.launch else "the bundled reference proxy"


class Interrupted(Exception):
    """The run was ended from outside; carries the report of what is known."""

    def __init__(self, report: Report) -> None:
        super().__init__("interrupted")
        self.report = report


async def verify(options: Options, progress: Progress) -> Report:
    """Run the checks that `options` names and return the report.

    Raises Interrupted, with the report so far, when the task is cancelled.
    """
    accepted = read_baseline(options.baseline) if options.baseline else []
    session = _Session(options, accepted)
    try:
        async with open_deployment(options, progress) as deployment:
            session.deployment = deployment
            try:
                await session.converse(progress)
            finally:
                await session.clean_up(progress)
    except NeverStarted as error:
        session.run.finish(never_started(str(error), runs=error.runs))
    except ControlError as error:
        session.run.finish(mock_gone(str(error)))
    except asyncio.CancelledError:
        session.run.finish(_INTERRUPTED)
        raise Interrupted(session.report()) from None
    return session.report()


_INTERRUPTED = Cause(
    "run-interrupted", "the run was interrupted before it ended", "Run it again.", ()
)


class _Session:
    """The parts of one run, joined in the order in which they happen."""

    def __init__(self, options: Options, accepted: Sequence[Accepted]) -> None:
        self.options = options
        self.accepted = accepted
        self.run = Run(options.checks)
        self.deployment: Deployment | None = None
        self.stray_lines: list[str] = []
        self.left_behind: tuple[LeftBehind, ...] = ()
        self.started = time.time()

    async def converse(self, progress: Progress) -> None:
        """Sanity first, then the checks, then sanity again."""
        deployment = self.deployment
        if deployment is None:
            return
        progress.say("asking the target a first question")
        target = Target(deployment, "preflight", random.Random(self.options.seed))
        caller = target.caller()
        first = await preflight(target, caller)
        target.close()
        if first.fatal is not None:
            self.run.finish(first.fatal)
            return
        deployment.stateful, deployment.eras = first.stateful, first.eras
        deployment.lacks = self.options.lacks
        progress.start(len(self.run.checks))
        await run_checks(
            self.run,
            deployment,
            seed=self.options.seed,
            jobs=self.options.at_once,
            seconds=self.options.deadline or self._deadline(deployment),
            progress=progress,
        )
        if self.run.cut_short is not None:
            return
        deployment.courtesy.budget.release(LAST_QUESTION)
        last = await still_alive(target, caller)
        if last is not None:
            self.run.finish(last)
        if deployment.mock is not None:
            self.stray_lines = strays(await deployment.mock.requests(), deployment.callers)

    async def clean_up(self, progress: Progress) -> None:
        """Delete what the checks created, however the run ended."""
        if self.deployment is None:
            return
        if count := len(self.deployment.courtesy.created.open):
            progress.say(f"deleting {count} objects that the checks created")
        self.left_behind = await clean_up(self.deployment)

    def _deadline(self, deployment: Deployment) -> float:
        seconds = DEADLINES[self.options.profile]
        return seconds if deployment.pace is None else seconds * PACED_FACTOR

    def report(self) -> Report:
        """Judge what was recorded."""
        results: tuple[Result, ...] = tuple(self.run.results[k] for k in sorted(self.run.results))
        results, problems = apply_baseline(results, self.accepted, _today())
        results, mixed = blame_strays(results, all_checks(), self.stray_lines)
        results, causes = explain(results, all_checks())
        causes = (*mixed, *causes)
        if self.stray_lines:
            problems = (*problems, strays_headline(self.stray_lines))
        cut = self.run.cut_short
        if cut is not None:
            untold = tuple(r.check for r in results if r.cause == cut.id)
            causes = (replace(cut, explains=untold), *causes)
            problems = (cut.headline, *problems)
        return Report(
            version=importlib.metadata.version("toolbridge-mcp"),
            target=self.options.target,
            mode=self.options.mode,
            profile=self.options.profile.value,
            seed=self.options.seed,
            started=datetime.datetime.fromtimestamp(self.started, datetime.UTC).isoformat(),
            seconds=time.time() - self.started,
            results=results,
            causes=causes,
            not_verified=self._not_verified(),
            problems=(*problems, *self._missing()),
            extra={UNSELECTED: sorted(set(all_checks()) - set(self.run.results))},
            left_behind=self.left_behind,
        )

    def _missing(self) -> list[str]:
        """Vantages and capabilities that this run had to have and had not."""
        if self.deployment is None:
            return []
        required = self.options.require
        if required is None:
            gate = self.options.profile is not Profile.SMOKE
            required = frozenset({Vantage.TOKENS} if self.options.url and gate else ())
        vantages = {name for name in required if isinstance(name, Vantage)}
        return [
            *(
                f"the vantage {name.value} is required but missing: {ENABLE[name]}"
                for name in sorted(vantages - self.deployment.vantages)
            ),
            *(
                f"{name.value} is required but declared to be lacking: serve it, or require less"
                for name in sorted(required & self.options.lacks)
            ),
        ]

    def _not_verified(self) -> tuple[NotVerified, ...]:
        groups = tuple(
            NotVerified(
                tuple(sorted(checks)),
                "needs " + " and ".join(sorted(missing)),
                "; ".join(dict.fromkeys(ENABLE[name] for name in sorted(missing))),
            )
            for missing, checks in sorted(
                unseen(self.run).items(), key=lambda item: sorted(item[0])
            )
        )
        groups = (*groups, *not_allowed(tuple(self.run.results.values())))
        return (*groups, *_without_subject(self.run.results.values(), groups))


def _without_subject(results: Iterable[Result], others: Iterable[NotVerified]) -> list[NotVerified]:
    """Return the checks whose subject the target lacks, grouped by what is lacking."""
    told = {check for group in others for check in group.checks}
    lacking: dict[str, list[str]] = {}
    for result in results:
        if result.outcome is Outcome.NOT_APPLICABLE and result.check not in told:
            lacking.setdefault(result.detail, []).append(result.check)
    return [NotVerified(tuple(sorted(names)), what) for what, names in sorted(lacking.items())]


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()


@contextlib.asynccontextmanager
async def open_deployment(options: Options, progress: Progress) -> AsyncIterator[Deployment]:
    """Start or reach the target and yield it; everything started is ended afterwards."""
    if options.url is not None:
        async with _client(trust_env=True) as http:
            yield _live(options, http)
        return
    progress.say("starting the mock Go API and the proxy")
    async with embedded_stack(options.launch) as stack, _client(trust_env=False) as http:
        yield local_deployment(stack, http)


def _live(options: Options, http: httpx.AsyncClient) -> Deployment:
    origin, path = split_url(options.url or "")
    tokens = token_source(options.tenant)
    loopback = httpx.URL(origin).host in LOOPBACK
    rate = options.rate or (None if loopback else POLITE_RATE)
    return Deployment(
        origin=origin,
        mcp_path=path,
        tenant=options.tenant or "",
        tokens=tokens,
        vantages=frozenset({Vantage.OUTSIDE}) | tokens.vantages,
        http=http,
        redactor=Redactor(tokens.secrets),
        # One request per slot: no bursts that the owner of the deployment would notice.
        pace=AsyncLimiter(1, 1 / rate) if rate else None,
        courtesy=towards_url(
            loopback=loopback,
            rate=options.rate,
            budget=options.budget,
            allow=options.allow,
            jobs=options.at_once,
        ),
    )


def local_deployment(stack: Stack, http: httpx.AsyncClient) -> Deployment:
    """Return the deployment that `stack` runs."""
    tokens = Minted(stack.jwt_secret, stack.tenant_id)
    return Deployment(
        origin=stack.proxy_url,
        mcp_path="/mcp",
        tenant=stack.tenant_id,
        tokens=tokens,
        vantages=LOCAL_VANTAGES,
        http=http,
        redactor=Redactor([stack.jwt_secret, stack.tenant_secret]),
        mock=stack.mock,
        process=stack.proxy,
        mock_process=stack.mock_process,
        mock_address=stack.mock_url.split("://")[1],
        tenant_secret=stack.tenant_secret,
        upstream_deadline=float(stack.settings["TOOLBRIDGE_UPSTREAM_TIMEOUT_SECONDS"]),
        stack=stack,
    )


@contextlib.asynccontextmanager
async def _client(*, trust_env: bool) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client that keeps no cookies and follows nothing: each request stands alone."""
    # As many as checks run at a time: the pool looks at every idle connection for every request.
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=8)
    async with httpx.AsyncClient(
        trust_env=trust_env, follow_redirects=False, limits=limits, headers={}
    ) as http:
        for name in ("user-agent", "accept", "accept-encoding"):
            http.headers.pop(name, None)
        yield http


__all__ = ["Interrupted", "Options", "Untestable", "Violation", "verify"]
