"""A check's view of the proxy through a front, and around it."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import httpx

from toolbridge_harness.fronts.edge import PUBLIC_NAME, PUBLIC_URL, edge_front, named_client
from toolbridge_harness.fronts.relaying import Address
from toolbridge_harness.fronts.round_robin import RoundRobin, round_robin
from toolbridge_harness.fronts.tls import TlsRelay, tls_relay
from toolbridge_harness.restarts import Attempt, Settings
from toolbridge_harness.target import Target
from toolbridge_harness.verdicts import NotApplicable, Violation

# A TLS handshake is part of a connection, whose time-out is a share of the call's deadline: with
# both cores busy, the share of the harness's usual 2 s can be too short for it. A check waits 10 s.
_TLS_DEADLINE = "6"


def address_of(url: str) -> Address:
    """Return host and port of a URL, or of `host:port`."""
    parsed = httpx.URL(url if "://" in url else f"http://{url}")
    return parsed.host, parsed.port or (443 if parsed.scheme == "https" else 80)


@dataclass(frozen=True)
class BehindEdge:
    """One proxy that knows its public URL, from both sides of its edge."""

    outside: Target
    """Through the edge, under the public https URL."""
    inside: Target
    """Around the edge, in plain, under the public name."""
    direct: Target
    """Around the edge, for sockets of a check's own."""


@contextlib.asynccontextmanager
async def behind_edge(
    target: Target, settings: Settings | None = None
) -> AsyncIterator[BehindEdge]:
    """Start the proxy with a public https URL, and an edge that serves it."""
    changed = {"TOOLBRIDGE_PUBLIC_URL": PUBLIC_URL, **(settings or {})}
    async with contextlib.AsyncExitStack() as stack:
        direct = await stack.enter_async_context(target.restarted(changed))
        proxy = address_of(direct.origin)
        front = await stack.enter_async_context(edge_front(proxy))
        through = named_client(front.listener.address, front.authority)
        outside = await stack.enter_async_context(through)
        inside = await stack.enter_async_context(named_client(proxy))
        given = direct.deployment
        yield BehindEdge(
            replace(direct, deployment=replace(given, origin=PUBLIC_URL, http=outside)),
            replace(direct, deployment=replace(given, origin=f"http://{PUBLIC_NAME}", http=inside)),
            direct,
        )


@contextlib.asynccontextmanager
async def over_tls(target: Target) -> AsyncIterator[tuple[Target, TlsRelay]]:
    """Start the proxy with a Go API that speaks TLS, whose authority it is told."""
    starter = target.stack.starter
    backend = address_of(target.deployment.mock_address)
    async with tls_relay(backend, starter.launch.mock_host) as relay:
        file = starter.folder / f"authority-{relay.listener.port}.pem"
        relay.write_authority(file)
        settings = {
            "TOOLBRIDGE_GO_API_BASE_URL": relay.url,
            "TOOLBRIDGE_UPSTREAM_CA_FILE": str(file),
            "TOOLBRIDGE_UPSTREAM_TIMEOUT_SECONDS": _TLS_DEADLINE,
        }
        async with target.attempted(settings) as attempt:
            if not await attempt.comes_up():
                if not starter.takes_any_text:
                    # A container reads its settings from a file, and no other file from here.
                    raise NotApplicable("the proxy cannot read a file of this machine")
                raise _never_up(target, attempt, settings)
            yield replace(target, deployment=attempt.deployment), relay


@contextlib.asynccontextmanager
async def two_machines(target: Target) -> AsyncIterator[tuple[Target, RoundRobin]]:
    """Start the proxy twice with the same settings, behind a balancer without affinity."""
    async with target.attempted({}) as first, target.attempted({}) as second:
        for attempt in (first, second):
            if not await attempt.comes_up():
                raise _never_up(target, attempt, {})
        machines = [address_of(a.deployment.origin) for a in (first, second)]
        async with round_robin(machines) as front:
            yield replace(target, deployment=replace(first.deployment, origin=front.url)), front


def _never_up(target: Target, attempt: Attempt, settings: Settings) -> Violation:
    changed = ", ".join(settings) or "those that it has"
    said = target.deployment.redactor.clean(attempt.started.process.last_words)
    return Violation(f"the proxy to start with other settings ({changed})", said)
