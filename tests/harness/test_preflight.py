"""The first conversation."""

import json

import httpx
import pytest

from toolbridge_harness.preflight import Probe, diagnose, never_started
from toolbridge_harness.wire import parse

NAMES = ("initialize", "tools/list", "health_check", "an unknown method")


def _probe(name: str, status: int, body: object) -> Probe:
    text = body if isinstance(body, str) else json.dumps(body)
    return Probe(name, parse(httpx.Response(status, text=text), 0.1))


def _all(status: int, body: object) -> list[Probe]:
    return [_probe(name, status, body) for name in NAMES]


def _diagnosis(probes: list[Probe]) -> str | None:
    cause = diagnose(probes)
    return cause.id if cause else None


HEALTHY = [
    _probe("initialize", 200, {"result": {"protocolVersion": "2025-11-25"}}),
    _probe("tools/list", 200, {"result": {"tools": []}}),
    _probe("health_check", 200, {"result": {"content": []}}),
    _probe("an unknown method", 200, {"error": {"code": -32601}}),
]


@pytest.mark.parametrize(
    ("probes", "expected"),
    [
        (HEALTHY, None),
        ([Probe(n, None, "the target cannot be reached: x") for n in NAMES], "unreachable"),
        ([Probe(n, None, "expected an answer, got none") for n in NAMES], "hangs"),
        (_all(401, "unauthorized"), "401-to-everything"),
        (_all(404, "Not Found"), "404-to-everything"),
        (_all(502, "Bad Gateway"), "one-status-to-everything"),
        (_all(200, {"result": {"content": []}}), "canned-success"),
        (_all(200, "<html>hello</html>"), "canned-success"),
        ([_probe(n, 200, f"<html>{n}</html>") for n in NAMES], "not-mcp"),
    ],
)
def test_a_target_is_named_as_what_it_is(probes: list[Probe], expected: str | None) -> None:
    """Each kind of dead or dumb server has its own diagnosis; a healthy one has none."""
    assert (f"preflight-{expected}" if expected else None) == _diagnosis(probes)


def test_one_answer_among_timeouts_is_not_a_hang() -> None:
    """A target that answers something is tested, not written off."""
    probes = [*HEALTHY[:1], *(Probe(n, None, "none") for n in NAMES[1:])]

    assert _diagnosis(probes) is None


def test_a_proxy_on_another_port_is_told_where_to_listen() -> None:
    """It did start: running it by hand would show it working, so that is no advice."""
    found = never_started("nothing listens on port 20001 after 30 s: on 8001", runs=True)

    assert "the proxy runs, but not where it was told to" in found.headline
    assert "TOOLBRIDGE_PORT" in found.remedy
