"""The proxy once more, with other settings: for claims about how it starts and is configured."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace

from toolbridge_harness.deployment import Deployment
from toolbridge_harness.stack import Mock, NeverStarted, Stack, Started
from toolbridge_harness.tokens import Minted

Settings = Mapping[str, str | None]


@dataclass
class Attempt:
    """A start with other settings: it may come up, or end and say why."""

    started: Started
    deployment: Deployment
    """The run's deployment, with the started proxy in the place of the first one."""

    async def comes_up(self) -> bool:
        """Whether the proxy listens in the end; False once its process has ended instead."""
        try:
            await self.started.ready()
        except NeverStarted:
            return False
        return True

    @property
    def exit_code(self) -> int | None:
        """The exit code, None while it runs."""
        return self.started.process.exit_code

    @property
    def log(self) -> str:
        """Everything that it wrote to standard output and error, unredacted."""
        return self.started.process.log


@contextlib.asynccontextmanager
async def attempt(
    deployment: Deployment, stack: Stack, changes: Settings, mock: Mock | None = None
) -> AsyncIterator[Attempt]:
    """Start one more proxy with `changes`, before the run's mock or another, and yield it."""
    before = mock or stack.upstream
    async with stack.starter.start(before, changes) as up:
        yield Attempt(up, _seen_through(deployment, up, before))


def _seen_through(deployment: Deployment, up: Started, mock: Mock) -> Deployment:
    given = up.settings
    claims = {
        "iss": given.get("TOOLBRIDGE_JWT_ISSUER"),
        "aud": given.get("TOOLBRIDGE_JWT_AUDIENCE"),
    }
    tenant = given.get("TOOLBRIDGE_TENANT_ID", "")
    key = given.get("TOOLBRIDGE_JWT_SECRET") or mock.jwt_secret
    return replace(
        deployment,
        origin=up.url,
        tenant=tenant,
        tokens=Minted(key, tenant, {name: value for name, value in claims.items() if value}),
        mock=mock.control,
        process=up.process,
        mock_process=mock.process,
        mock_address=mock.url.split("://")[1],
        tenant_secret=given.get("TOOLBRIDGE_TENANT_HEADER_SECRET", ""),
    )
