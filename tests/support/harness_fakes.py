"""Checks, results and deployments made up for tests of the harness."""

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from toolbridge_harness.deployment import Deployment
from toolbridge_harness.model import Check, Outcome, Profile, Report, Result, Severity, Vantage
from toolbridge_harness.redact import Redactor
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.tokens import Minted

KEY = "k" * 32

CheckBody = Callable[[Target, Caller], Awaitable[None]]


async def holds(target: Target, caller: Caller) -> None:
    """A claim that holds."""


def a_check(name: str = "demo-holds", run: CheckBody = holds, **fields: Any) -> Check:
    """Return a check with every field filled; `fields` replace some."""
    made = Check(
        id=name,
        claim=f"The claim of {name} holds",
        severity=Severity.HIGH,
        catalogue=("ROW-1",),
        source="RFC 0",
        remedy=f"Fix {name}.",
        why="Because.",
        needs=frozenset({Vantage.OUTSIDE}),
        run=run,
        profile=Profile.GATE,
        broken=f"{name} is broken",
    )
    return dataclasses.replace(made, **fields)


def a_deployment(
    handler: Callable[[httpx.Request], httpx.Response] | None = None, **fields: Any
) -> Deployment:
    """Return a black-box deployment whose target is `handler`."""
    transport = httpx.MockTransport(handler or (lambda request: httpx.Response(200)))
    made = Deployment(
        origin="http://target.test",
        mcp_path="/mcp",
        tenant="t1",
        tokens=Minted(KEY, "t1"),
        vantages=frozenset({Vantage.OUTSIDE, Vantage.TOKENS, Vantage.MINT}),
        http=httpx.AsyncClient(transport=transport),
        redactor=Redactor([KEY]),
    )
    return dataclasses.replace(made, **fields)


def failed(name: str, actual: str = "something else", **fields: Any) -> Result:
    """Return the result of a check that failed."""
    return Result(name, Outcome.FAIL, expected="one thing", actual=actual, **fields)


def a_report(*results: Result, **fields: Any) -> Report:
    """Return a report over `results`."""
    made = Report(
        version="1.2.3",
        target="https://proxy.test",
        mode="black-box",
        profile="gate",
        seed=7,
        started="2026-01-02T03:04:05+00:00",
        seconds=1.5,
        results=results,
    )
    return dataclasses.replace(made, **fields)
