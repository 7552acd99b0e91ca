"""Fixtures of the proxy's tests: a fake Go API, and retries that do not wait."""

from collections.abc import AsyncIterator, Iterator

import pytest
import respx

from support.proxy_app import Mcp, running
from support.proxy_upstream import FakeGoApi
from toolbridge_proxy import upstream


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry at once."""
    monkeypatch.setattr(upstream, "RETRY_PAUSE_SECONDS", (0.0, 0.0))


@pytest.fixture
def go_api() -> Iterator[FakeGoApi]:
    """The Go API behind respx."""
    with respx.mock(assert_all_called=False) as router:
        yield FakeGoApi(router)


@pytest.fixture(params=["legacy", "modern"])
async def both_eras(request: pytest.FixtureRequest, go_api: FakeGoApi) -> AsyncIterator[Mcp]:
    """The application, spoken to in each of the two protocol eras."""
    async with running(modern=request.param == "modern") as mcp:
        yield mcp


@pytest.fixture
async def mcp(go_api: FakeGoApi) -> AsyncIterator[Mcp]:
    """The application in front of the fake Go API."""
    async with running() as client:
        yield client
