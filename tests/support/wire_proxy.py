"""The real proxy in this process, its own httpx client mounted on the mock Go API by respx."""

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import respx

from support.contract_caller import JWT_SECRET, TENANT, TENANT_SECRET, Caller
from support.proxy_app import Mcp, make_settings, running
from support.wire_cases import DELETED, LIVE, sample_body
from toolbridge_contract.mock.api import GoApi
from toolbridge_contract.mock.messages import Request
from toolbridge_contract.respx_mount import as_received, mount
from toolbridge_contract.tokens import mint
from toolbridge_contract.tools import ENTITIES

BASE_URL = "http://go-api.internal:8081"
SESSIONS = "/v1/sync/sessions"
CORRELATION_ID = "wire-1"
# What a client may send and the Go API must not see: each of these has a meaning there.
FORGED = {
    "Accept-Language": "de",
    "Cookie": "session=1",
    "Forwarded": "for=203.0.113.9",
    "If-Match": "99",
    "If-None-Match": "1",
    "Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "User-Agent": "client/1",
    "X-Debug-Sub": "mallory",
    "X-Forwarded-For": "203.0.113.9",
    "X-Sync-Epoch": "99",
    "X-Sync-Session": "forged",
    "X-TB-Signature": "0" * 64,
    "X-TB-Tenant-ID": "tenant-b",
    "X-TB-Timestamp": "1",
}


@dataclass
class Wire:
    """The proxy, the mock behind it, and what went between them."""

    mcp: Mcp
    api: GoApi
    router: respx.MockRouter
    caller: Caller
    token: str

    @property
    def sent(self) -> list[Request]:
        """What the proxy sent, as the Go API received it."""
        return [as_received(call.request) for call in self.router.calls]

    @property
    def exchanges(self) -> list[tuple[str, str, int]]:
        """Return method, target and status of each exchange."""
        statuses = [call.response.status_code for call in self.router.calls]
        return [(r.method, r.target, s) for r, s in zip(self.sent, statuses, strict=True)]

    @property
    def answered(self) -> bytes:
        """Body of the last answer."""
        body: bytes = self.router.calls.last.response.content
        return body

    async def call(self, tool: str, arguments: dict[str, Any]) -> Any:
        """Call a tool, forged headers beside it, and return its result."""
        params = {"name": tool, "arguments": arguments}
        headers = FORGED | {"X-Correlation-ID": CORRELATION_ID}
        answer = await self.mcp.post("tools/call", params, token=self.token, headers=headers)
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.json()["result"]


def _seed(caller: Caller) -> None:
    for entity in ENTITIES:
        for uid in (LIVE, DELETED):
            answer = caller.send("POST", entity.collection, sample_body(entity) | {"uid": uid})
            assert answer.status == httpx.codes.CREATED, answer
    for entity in ENTITIES:
        caller.send("DELETE", f"{entity.collection}/{DELETED}")


@asynccontextmanager
async def wired(
    *, modern: bool = False, clock: Callable[[], int] = time.time_ns
) -> AsyncIterator[Wire]:
    """Run the proxy in front of a mock that holds a live and a deleted object of each kind."""
    api = GoApi(tenant_secret=TENANT_SECRET, jwt_secret=JWT_SECRET, clock=clock)
    caller = Caller(api).begin()
    _seed(caller)
    settings = make_settings(
        go_api_base_url=BASE_URL, tenant_header_secret=TENANT_SECRET, jwt_secret=JWT_SECRET
    )
    with respx.mock(assert_all_called=False) as router:
        mount(router, api, BASE_URL)
        async with running(settings, modern=modern) as mcp:
            token = mint(caller.subject, TENANT, JWT_SECRET)
            yield Wire(mcp, api, router, caller, token)


def names_and_values(request: Request) -> dict[str, list[str]]:
    """Return every header by lower-case name, repeats kept."""
    found: dict[str, list[str]] = {}
    for name, value in request.headers:
        found.setdefault(name.decode().lower(), []).append(value.decode())
    return found


def json_body(request: Request) -> Any:
    """Return the JSON value sent, None for no body."""
    return json.loads(request.body) if request.body else None
