"""Two proxies behind a load balancer without affinity, before one Go API: nothing is lost."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastmcp import Client, FastMCP
from fastmcp.client.transports import StreamableHttpTransport
from mcp import MCPError

from support.contract_caller import JWT_SECRET, TENANT
from support.contract_server import (
    CONTROL_TOKEN,
    ServedMock,
    fresh_subject,
    served_mock,
    wait_for_requests,
)
from support.e2e_proxies import Fleet
from support.proxy_app import Mcp
from support.round_robin import RoundRobin, round_robin, serving
from toolbridge_contract.control import Fault, MockControl
from toolbridge_contract.tokens import mint
from toolbridge_contract.tools import CHAT, ENTITIES, NOTE, TASK, Entity

pytestmark = pytest.mark.e2e

# What the required arguments of the five entities are given, and who must exist before them.
GIVEN = {"title": "T", "content": "C", "parent_type": "note"}
PARENTS = {"parent_uid": NOTE, "chat_uid": CHAT}


@dataclass
class World:
    """One caller without affinity: the front, the Go API behind it, and the caller's token."""

    front: RoundRobin
    control: MockControl
    subject: str
    mcp: Mcp
    token: str
    calls: int = 0

    async def call(self, tool: str, **arguments: Any) -> Any:
        """Call a tool that must work; return its structured content."""
        result = await self.mcp.call(tool, token=self.token, **arguments)
        assert not result.get("isError"), result
        self.calls += 1
        return result["structuredContent"]

    async def create(self, entity: Entity) -> tuple[str, dict[str, str]]:
        """Create an object, its parent first; return its uid and the arguments."""
        arguments = {name: GIVEN[name] for name in sorted(entity.required & GIVEN.keys())}
        for name in sorted(entity.required & PARENTS.keys()):
            arguments[name] = (await self.create(PARENTS[name]))[0]
        made = await self.call(entity.tool("create"), **arguments)
        return made["uid"], arguments

    async def live(self, entity: Entity) -> None:
        """Take one object through everything that can happen to it."""
        uid, arguments = await self.create(entity)
        again = {name: value for name, value in arguments.items() if name in entity.update}
        action = next(iter(entity.actions))
        await self.call(entity.tool("update"), uid=uid, **again)
        patched = await self.call(entity.tool("patch"), uid=uid, updates={"colour": "blue"})
        read = await self.call(entity.tool("get"), uid=uid)
        await self.call(entity.tool("process"), uid=uid, action=action)
        await self.call(entity.tool("archive"), uid=uid)
        listed = await self.call(entity.tool("list"))
        await self.call(entity.tool("delete"), uid=uid)
        gone = await self.call(entity.tool("get"), uid=uid, include_deleted=True)

        assert ("blue", patched["version"]) == (read["payload"]["colour"], read["version"])
        assert uid in [item["uid"] for item in listed["items"]]
        assert (uid, True) == (gone["uid"], gone["payload"]["sync"]["isDeleted"])


@pytest.fixture(scope="module")
def mock() -> Iterator[ServedMock]:
    """One Go API; its rate limit is not what is tested here."""
    with served_mock("--no-rate-limit") as mock:
        yield mock


@pytest.fixture(scope="module")
def fleet(mock: ServedMock) -> Iterator[Fleet]:
    """Two proxies before it."""
    fleet = Fleet(mock.url, 2)
    try:
        yield fleet
    finally:
        fleet.close()


@asynccontextmanager
async def without_affinity(
    mock: ServedMock, fleet: Fleet, *, modern: bool = False
) -> AsyncIterator[World]:
    subject = fresh_subject()
    async with (
        round_robin(fleet.ports) as front,
        MockControl(mock.control_url, CONTROL_TOKEN) as control,
        httpx.AsyncClient(base_url=front.url, trust_env=False, timeout=30) as http,
    ):
        token = mint(subject, TENANT, JWT_SECRET)
        yield World(front, control, subject, Mcp(http, modern), token)
        assert [] == [v for r in await control.requests(subject) for v in r.violations]


async def negotiate(mcp: Mcp, token: str) -> list[httpx.Response]:
    """Do what a client of the era does before its first call."""
    if mcp.modern:
        return [await mcp.post("server/discover", token=token)]
    about = {"capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}
    return [
        await mcp.post("initialize", {"protocolVersion": "2025-11-25"} | about, token=token),
        await mcp.http.post(
            "/mcp",
            json={"jsonrpc": "2.0", "method": "notifications/initialized"},
            headers={"Accept": "application/json, text/event-stream"},
        ),
    ]


def logged(fleet: Fleet) -> list[int]:
    """How many tool calls each proxy has logged so far."""
    return [len(proxy.events("tool_call")) for proxy in fleet.proxies]


async def calls_served(fleet: Fleet, total: int, before: list[int]) -> list[int]:
    """Return how many calls each proxy has logged beyond `before`, once they are `total`.

    A log line may come after the answer that it is about.
    """
    async with asyncio.timeout(10):
        while True:
            own = [now - old for now, old in zip(logged(fleet), before, strict=True)]
            if sum(own) >= total:
                return own
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("era", ["legacy", "modern"])
async def test_raw_http_needs_no_affinity(mock: ServedMock, fleet: Fleet, era: str) -> None:
    """Every entity lives its whole life across both proxies, a wipe in the middle included."""
    before = logged(fleet)
    async with without_affinity(mock, fleet, modern=era == "modern") as world:
        answers = await negotiate(world.mcp, world.token)
        listed = await world.mcp.post("tools/list", token=world.token)
        for number, entity in enumerate(ENTITIES):
            if number == 2:
                await world.call("create_note", title="lost", content="in the wipe")
                await world.control.wipe(world.subject)
                empty = await world.call("list_notes")
            await world.live(entity)
        recorded = await world.control.requests(world.subject)

    assert [] == [a.status_code for a in answers if a.status_code not in (200, 202)]
    assert 41 == len(listed.json()["result"]["tools"])
    assert [] == empty["items"]
    own = await calls_served(fleet, world.calls, before)
    # Strictly in turn: an odd number may leave one more on one side.
    assert (world.calls, True) == (sum(own), abs(own[0] - own[1]) <= 1)
    # One sync session for each proxy, and another one for each after the wipe.
    assert [201] * 4 == [r.status for r in recorded if r.target == "/v1/sync/sessions"]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_real_client_needs_no_affinity(mock: ServedMock, fleet: Fleet, mode: Any) -> None:
    """FastMCP's own client initializes, lists and calls across both proxies and a wipe."""
    before = logged(fleet)
    async with without_affinity(mock, fleet) as world:
        transport = StreamableHttpTransport(f"{world.front.url}/mcp", auth=world.token)
        async with Client(transport, mode=mode) as client:
            tools = await client.list_tools()
            first = (await client.call_tool("create_task", {"title": "one"})).data
            read = (await client.call_tool("get_task", {"uid": first["uid"]})).data
            await world.control.wipe(world.subject)
            second = (await client.call_tool("create_task", {"title": "two"})).data
            patch = {"uid": second["uid"], "updates": {"status": "done"}}
            patched = (await client.call_tool("patch_task", patch)).data
            listed = (await client.call_tool("list_tasks")).data
            await client.call_tool("delete_task", {"uid": second["uid"]})

    assert (41, "one", "done") == (
        len(tools), read["payload"]["title"], patched["payload"]["status"],
    )  # fmt: skip
    assert [second["uid"]] == [item["uid"] for item in listed["items"]]
    own = await calls_served(fleet, 6, before)
    assert (6, True) == (sum(own), min(own) >= 1)


async def test_callers_at_the_same_time_stay_apart(mock: ServedMock, fleet: Fleet) -> None:
    """Four callers, each through both proxies: each lists its own objects alone."""
    async with without_affinity(mock, fleet) as world:
        callers = [
            World(
                world.front, world.control, name, world.mcp, mint(name, TENANT, JWT_SECRET)
            )
            for name in (fresh_subject() for _ in range(4))
        ]  # fmt: skip
        await asyncio.gather(*(caller.live(NOTE) for caller in callers))
        seen = [(await caller.call("list_notes", include_deleted=True)) for caller in callers]
        sessions = [
            [r.status for r in await world.control.requests(caller.subject) if r.method == "POST"]
            for caller in callers
        ]

    assert [1] * 4 == [len(page["items"]) for page in seen]
    assert 20 <= min(world.front.served.values())
    assert all({201, 200} == set(statuses) for statuses in sessions)


async def test_a_drained_proxy_is_replaced_and_nothing_is_lost(
    mock: ServedMock, fleet: Fleet
) -> None:
    """A rolling deploy: calls in flight end well, later ones go to the other, then to the new."""
    async with without_affinity(mock, fleet) as world:
        await world.live(NOTE)
        already = len(await world.control.requests(world.subject))
        await world.control.inject(Fault(caller=world.subject, kind="hang", path="/v1/notes"))
        held = [asyncio.create_task(world.call("list_notes")) for _ in range(4)]
        await wait_for_requests(world.control, world.subject, already + len(held))
        fleet.proxies[0].signal(signal.SIGTERM)
        await fleet.proxies[0].refuses_connections()
        await world.live(TASK)
        refused = world.front.refused
        await world.control.clear_faults()
        answers = await asyncio.gather(*held)
        code = await fleet.proxies[0].ended(10)
        world.front.ports[0] = await fleet.replace(0)
        await world.live(NOTE)

    assert [[]] * 4 == [answer["items"] for answer in answers]
    assert code in (0, -signal.SIGTERM)
    assert refused >= 4
    assert 4 <= world.front.served[world.front.ports[0]]


async def test_a_killed_proxy_is_replaced_and_nothing_is_lost(
    mock: ServedMock, fleet: Fleet
) -> None:
    """A crash between two calls: what one proxy knew, the other and the new one do not miss."""
    async with without_affinity(mock, fleet) as world:
        uid = (await world.call("create_note", title="T", content="kept"))["uid"]
        await world.call("get_note", uid=uid)
        fleet.proxies[1].signal(signal.SIGKILL)
        code = await fleet.proxies[1].ended(10)
        alone = [await world.call("get_note", uid=uid) for _ in range(4)]
        refused = world.front.refused
        world.front.ports[1] = await fleet.replace(1)
        together = [await world.call("get_note", uid=uid) for _ in range(4)]

    assert -signal.SIGKILL == code
    assert ["kept"] * 8 == [note["payload"]["content"] for note in alone + together]
    assert refused >= 2
    assert 2 == world.front.served[world.front.ports[1]]


@asynccontextmanager
async def stateful_pair() -> AsyncIterator[RoundRobin]:
    """Two FastMCP servers as they come by default, with their sessions in memory."""

    def app() -> Any:
        server: FastMCP = FastMCP("stateful")
        server.tool(lambda: "pong", name="answer", description="Answers.")
        return server.http_app(path="/mcp", json_response=True)

    async with serving(app()) as one, serving(app()) as two, round_robin([one, two]) as front:
        yield front


async def test_stateful_servers_fail_the_same_way_of_asking() -> None:
    """The counter-example: every other call of a session is 404, so the tests above can fail."""
    async with (
        stateful_pair() as front,
        httpx.AsyncClient(base_url=front.url, trust_env=False) as http,
    ):
        mcp = Mcp(http)
        about = {"capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}
        begun = await mcp.post("initialize", {"protocolVersion": "2025-11-25"} | about)
        session = {
            "Mcp-Session-Id": begun.headers["mcp-session-id"],
            "MCP-Protocol-Version": "2025-11-25",
        }
        params = {"name": "answer", "arguments": {}}
        statuses = [
            (await mcp.post("tools/call", params, headers=session)).status_code for _ in range(6)
        ]
        without = [(await mcp.post("tools/call", params)).status_code for _ in range(2)]

    assert [404, 200, 404, 200, 404, 200] == statuses
    assert [400, 400] == without


async def test_stateful_servers_fail_a_real_client() -> None:
    """FastMCP's own client cannot work through the front when the servers keep sessions."""
    async with stateful_pair() as front:
        client = Client(StreamableHttpTransport(f"{front.url}/mcp"), mode="legacy")
        with pytest.raises(MCPError, match="Session not found"):
            async with client:
                await client.list_tools()
