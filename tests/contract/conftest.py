"""One served mock for all tests that need a process, and clients of it."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from support.contract_server import (
    CONTROL_TOKEN,
    ServedMock,
    fresh_subject,
    served_mock,
)
from toolbridge_contract.control import MockControl


@pytest.fixture(scope="session")
def mock() -> Iterator[ServedMock]:
    with served_mock() as served:
        yield served


@pytest.fixture
async def control(mock: ServedMock) -> AsyncIterator[MockControl]:
    async with MockControl(mock.control_url, CONTROL_TOKEN) as client:
        yield client
        await client.clear_faults()
        await client.set_clock_offset(0)
        await client.shorten_sessions(None)


@pytest.fixture
async def client(mock: ServedMock) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=mock.url, timeout=10) as opened:
        yield opened


@pytest.fixture
def subject() -> str:
    return fresh_subject()
