"""Who may call: what works without a token, and how everything else is refused."""

from typing import Any

import httpx
import pytest

from support.proxy_app import JWT_SECRET, MODERN, Mcp, default_token
from support.proxy_messages import HEALTH, INITIALIZE, LIST, denial, post, rpc
from support.proxy_upstream import FakeGoApi
from toolbridge_contract.tokens import mint
from toolbridge_contract.tools import TOOL_NAMES


@pytest.mark.parametrize("path", ["/mcp", "/"])
@pytest.mark.parametrize(
    ("method", "params", "modern"),
    [
        ("initialize", INITIALIZE, False),
        ("ping", {}, False),
        ("tools/list", {}, False),
        ("tools/list", {}, True),
        ("tools/call", HEALTH, False),
        ("tools/call", HEALTH, True),
        ("server/discover", {}, True),
    ],
)
async def test_public_methods_work_without_a_token(
    path: str, method: str, params: dict[str, Any], modern: bool, mcp: Mcp
) -> None:
    """Both paths serve them; the answer is a result."""
    mcp.modern = modern
    response = await mcp.post(method, params, path=path)
    assert (200, True) == (response.status_code, "result" in response.json())


async def test_a_notification_is_accepted_without_a_token(both_eras: Mcp) -> None:
    """The handshake's last step is 202."""
    body = rpc("notifications/initialized", {}, id=...)
    version = {"mcp_protocol_version": MODERN} if both_eras.modern else {}
    response = await post(both_eras, body, **version)
    assert response.status_code == 202


@pytest.mark.parametrize("revision", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
async def test_each_handshake_revision_is_served(revision: str, mcp: Mcp) -> None:
    """initialize agrees to the revision asked for, and calls may name it in the header."""
    answer = await mcp.post("initialize", INITIALIZE | {"protocolVersion": revision})
    called = await mcp.post("tools/call", HEALTH, headers={"MCP-Protocol-Version": revision})
    assert revision == answer.json()["result"]["protocolVersion"]
    assert called.json()["result"]["isError"] is False


async def test_only_tools_are_advertised(both_eras: Mcp) -> None:
    """No prompts, resources, logging, completion or extensions."""
    modern = both_eras.modern
    answer = await both_eras.post(*(("server/discover",) if modern else ("initialize", INITIALIZE)))
    assert {"tools"} == answer.json()["result"]["capabilities"].keys()


PRIVATE = [
    *sorted(TOOL_NAMES), "nope", "HEALTH_CHECK", "health_check ", None, 5, ["health_check"]
]  # fmt: skip


@pytest.mark.parametrize("modern", [False, True])
async def test_every_other_call_needs_a_token(modern: bool, mcp: Mcp, go_api: FakeGoApi) -> None:
    """401, a bare challenge, the request's id, and nothing upstream."""
    mcp.modern = modern
    for name in PRIVATE:
        params: dict[str, Any] = {"name": name, "arguments": {}}
        response = await mcp.post("tools/call", params, headers={"Mcp-Name": "x"})
        assert (401, -31401, "unauthenticated", 7) == denial(response)
        assert response.headers["WWW-Authenticate"] == "Bearer"
    assert go_api.requests + go_api.sessions == []


@pytest.mark.parametrize(
    "body",
    [
        rpc("prompts/list"), rpc("resources/list"), rpc("logging/setLevel"), rpc("nope"),
        rpc("subscriptions/listen"), rpc("completion/complete"), rpc(method=...), rpc(method=5),
        rpc(params=HEALTH, id=...), rpc("tools/list", id=...), b"[]", b"null", b"5", b'"x"',
        b"[" + rpc("ping") + b"]", rpc("Tools/List"),
    ],
)  # fmt: skip
async def test_everything_that_is_not_public_needs_a_token(body: bytes, mcp: Mcp) -> None:
    """Unknown methods, batches, notifications of requests and non-messages too."""
    response = await post(mcp, body)
    assert (401, "unauthenticated") == (denial(response)[0], denial(response)[2])


@pytest.mark.parametrize("path", ["/mcp", "/"])
@pytest.mark.parametrize("body", [rpc("ping"), rpc(params=HEALTH), rpc(), b"{", b""])
async def test_an_invalid_token_is_always_401(body: bytes, path: str, mcp: Mcp) -> None:
    """Even for what needs none, and before the body is judged."""
    response = await post(mcp, body, path=path, auth="a.b.c")
    assert (401, -31401, "invalid_token") == denial(response)[:3]
    assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert "a.b.c" not in response.text + repr(response.headers)


async def test_another_tenant_is_403(both_eras: Mcp, go_api: FakeGoApi) -> None:
    """A good token of another tenant is forbidden, and the answer names no tenant."""
    response = await both_eras.post("tools/call", LIST, token=mint("alice", "other", JWT_SECRET))
    assert (403, -31403, "forbidden_tenant", 7) == denial(response)
    assert "tenant-a" not in response.text
    assert go_api.sessions == []


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Access-Token": "TOKEN"}, {"Proxy-Authorization": "Bearer TOKEN"},
        {"Cookie": "access_token=TOKEN"}, {"X-Forwarded-Authorization": "Bearer TOKEN"},
        {"X-Debug-Sub": "victim"},
    ],
)  # fmt: skip
async def test_a_token_elsewhere_does_not_count(headers: dict[str, str], mcp: Mcp) -> None:
    """Only the Authorization header is read; not the query either."""
    sent = {name: value.replace("TOKEN", default_token()) for name, value in headers.items()}
    response = await mcp.post(
        "tools/call", LIST, headers=sent, path=f"/mcp?access_token={default_token()}"
    )
    assert response.status_code == 401


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Authorization", -32600), ("Host", -32600), ("Content-Type", -32600),
        ("Content-Length", -32600), ("Origin", -32600), ("MCP-Protocol-Version", -32020),
        ("Mcp-Method", -32020), ("Mcp-Name", -32020), ("Mcp-Session-Id", -32020),
    ],
)  # fmt: skip
async def test_a_repeated_header_is_refused(
    name: str, code: int, mcp: Mcp, go_api: FakeGoApi
) -> None:
    """Two of them could be read differently by two readers."""
    twice = [(name, "x"), (name.lower(), "x")]
    request = mcp.http.build_request("POST", "/mcp", content=rpc())
    kept = [(k, v) for k, v in request.headers.multi_items() if k.lower() != name.lower()]
    response = await mcp.http.post("/mcp", content=rpc(), headers=httpx.Headers(kept + twice))
    assert (400, code) == (response.status_code, response.json()["error"]["code"])
    assert go_api.sessions == []


async def test_a_callers_own_internal_headers_go_nowhere(mcp: Mcp, go_api: FakeGoApi) -> None:
    """Tenant, session, debug and forwarding headers upstream are the proxy's own, once each."""
    hostile = {
        "X-TB-Tenant-ID": "evil", "x-tb-timestamp": "1", "X-TB-Signature": "00",
        "X-Sync-Session": "evil", "X-Sync-Epoch": "99", "X-Debug-Sub": "victim", "X-User": "v",
        "X-Forwarded-For": "1.2.3.4", "Cookie": "a=b", "X-Api-Key": "k", "If-Match": "9",
    }  # fmt: skip
    await mcp.post("tools/call", LIST, token=default_token(), headers=hostile)
    sent = go_api.requests[0].headers.multi_items()
    assert sorted(name.lower() for name, _ in sent) == [
        "accept", "accept-encoding", "authorization", "host", "user-agent", "x-correlation-id",
        "x-sync-epoch", "x-sync-session", "x-tb-signature", "x-tb-tenant-id", "x-tb-timestamp",
    ]  # fmt: skip
    assert not {"evil", "1", "00", "99", "victim", "9"} & (
        {value for _, value in sent} - {go_api.requests[0].headers["X-Sync-Epoch"]}
    )


async def test_a_lower_case_scheme_is_forwarded_as_the_go_api_reads_it(
    mcp: Mcp, go_api: FakeGoApi
) -> None:
    """The Go API compares `Bearer ` case-sensitively."""
    mine = default_token()
    await mcp.post("tools/call", LIST, headers={"Authorization": f"bEARER {mine}"})
    assert f"Bearer {mine}" == go_api.requests[0].headers["Authorization"]
