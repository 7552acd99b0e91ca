"""Samples and runs made up for tests of the gate."""

import json
from collections.abc import Sequence
from typing import Any

from toolbridge_loadtests.samples import Run, Sample

START = 1_700_000_000.0


def samples(
    latencies: Sequence[float | None], *, seconds: float = 60.0, error: str = "HTTP 500"
) -> list[Sample]:
    """One sample per latency in ms, spread evenly over `seconds`; None is a failed request."""
    step = seconds / max(1, len(latencies) - 1)
    return [
        Sample(
            tool="get_note" if number % 2 else "create_note",
            at=START + number * step,
            milliseconds=5.0 if latency is None else latency,
            lateness=0.0,
            error=error if latency is None else "",
            detail="the server is ill" if latency is None else "",
        )
        for number, latency in enumerate(latencies)
    ]


def run(latencies: Sequence[float | None], *, seconds: float = 60.0, **facts: Any) -> Run:
    """A run of `samples`."""
    facts.setdefault("target", "https://staging.example/mcp")
    return Run(samples=samples(latencies, seconds=seconds), callers=10, **facts)


def mixed(slow: int, count: int, *, slow_ms: float | None = 300.0) -> list[float | None]:
    """`count` latencies of 20 ms, `slow` of them replaced and spread evenly."""
    latencies: list[float | None] = [20.0] * count
    for number in range(slow):
        latencies[number * count // slow] = slow_ms
    return latencies


def answer(result: object, *, number: int = 1) -> str:
    """A JSON-RPC answer as text."""
    return json.dumps({"jsonrpc": "2.0", "id": number, "result": result})
