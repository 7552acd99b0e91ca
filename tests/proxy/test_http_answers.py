"""What any answer carries, and what none shows."""

import json
from typing import Any

import httpx
import pytest

from support.proxy_app import Mcp, default_token
from support.proxy_messages import LIST
from support.proxy_upstream import UID, FakeGoApi


async def test_every_answer_is_correlated_timed_and_uncached(mcp: Mcp, go_api: FakeGoApi) -> None:
    """The caller's id is kept; time is split into total, session and upstream."""
    headers = {"X-Correlation-ID": "my-id.1"}
    response = await mcp.post("tools/call", LIST, token=default_token(), headers=headers)
    timing = [part.split(";")[0] for part in response.headers["Server-Timing"].split(", ")]
    assert ["session", "total", "upstream"] == timing
    assert ("my-id.1", "no-store", "nosniff") == (
        response.headers["X-Correlation-ID"],
        response.headers["Cache-Control"],
        response.headers["X-Content-Type-Options"],
    )
    sent = {r.headers["X-Correlation-ID"] for r in go_api.requests + go_api.sessions}
    assert {"my-id.1"} == sent


@pytest.mark.parametrize("bad", ["a b", "x" * 65, "é", "a\tb", ""])
async def test_an_odd_correlation_id_is_replaced(bad: str, mcp: Mcp) -> None:
    """Only short plain ids are taken over."""
    request = mcp.http.build_request("GET", "/healthz")
    request.headers.raw.append((b"X-Correlation-ID", bad.encode()))
    raw = [*request.headers.raw, (b"X-Correlation-ID", bad.encode())]
    response = await mcp.http.get("/healthz", headers=httpx.Headers(raw))
    assert len(response.headers["X-Correlation-ID"]) == 32


async def test_a_crash_shows_nothing(
    mcp: Mcp, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error of ours is 500 with a generic body, or `internal` from a tool."""

    def crash(*_: Any) -> Any:
        raise RuntimeError("canary secret")

    monkeypatch.setattr("toolbridge_proxy.operations._refuse_keys", crash)
    error = await mcp.error("patch_note", uid=UID, updates={"a": 1})
    monkeypatch.setattr("toolbridge_proxy.gate._parsed", crash)
    response = await mcp.post("ping")
    assert ("internal", 500, -32603) == (
        error["code"],
        response.status_code,
        response.json()["error"]["code"],
    )
    assert "canary" not in json.dumps(error) + response.text


def test_the_private_attributes_of_fastmcp_exist() -> None:
    """Two private attributes are used; a new FastMCP without them must be seen here."""
    from fastmcp import FastMCP

    server = FastMCP("x")._mcp_server
    assert {"tools/list", "tools/call", "ping", "server/discover"} < server._request_handlers.keys()
    assert server.get_capabilities().extensions


async def test_an_answer_that_is_always_the_same_does_not_grow(mcp: Mcp) -> None:
    """Each liveness answer has each header once."""
    answers = [await mcp.http.get("/healthz") for _ in range(3)]
    assert 1 == len({len(answer.headers.raw) for answer in answers})
