"""The HTTP layer: who may send what, and what any answer carries."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from support.proxy_app import GO_API, JWT_SECRET, MODERN, Mcp, default_token, make_settings, running
from support.proxy_upstream import UID, FakeGoApi
from toolbridge_contract.tokens import mint
from toolbridge_contract.tools import TOOL_NAMES

LIST = {"name": "list_notes", "arguments": {}}
HEALTH = {"name": "health_check", "arguments": {}}
INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}


def rpc(method: Any = "tools/call", params: Any = None, **changes: Any) -> bytes:
    message = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params or LIST} | changes
    return json.dumps({k: v for k, v in message.items() if v is not ...}).encode()


async def post(
    mcp: Mcp, body: bytes, *, path: str = "/mcp", auth: str | None = None, **headers: str
) -> httpx.Response:
    """POST raw bytes; header names take `_` for `-`."""
    sent = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    if auth:
        sent["Authorization"] = f"Bearer {auth}"
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return await mcp.http.post(path, content=body, headers=sent)


def denial(response: httpx.Response) -> tuple[int, int, str, Any]:
    error = response.json()["error"]
    return response.status_code, error["code"], error["data"]["code"], response.json()["id"]


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


BAD_BODIES = {
    "empty": b"", "cut": b'{"jsonrpc"', "UTF-16": rpc("ping").decode().encode("utf-16"),
    "BOM": b"\xef\xbb\xbf" + rpc("ping"), "bad UTF-8": b'{"a":"\xff"}', "NaN": b'{"a":NaN}',
    "infinite": b'{"a":1e400}', "surrogate": b'{"a":"\\ud800"}', "surrogate key": b'{"\\udc00":1}',
    "repeated name": b'{"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"method":"ping"}',
    "deep": b'{"a":' + b"[" * 200 + b"]" * 200 + b"}", "very deep": b"[" * 200_000,
    "long number": b'{"a":' + b"9" * 5000 + b"}",
}  # fmt: skip


@pytest.mark.parametrize("version", [None, MODERN])
@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES.keys())
async def test_what_is_not_json_is_a_parse_error_in_both_eras(
    body: bytes, version: str | None, mcp: Mcp
) -> None:
    """400 and -32700, with and without a token."""
    headers = {"mcp_protocol_version": version} if version else {}
    for auth in (None, default_token()):
        response = await post(mcp, body, auth=auth, **headers)
        assert (400, -32700) == (response.status_code, response.json()["error"]["code"])


@pytest.mark.parametrize("version", [None, MODERN])
@pytest.mark.parametrize(
    "body",
    [
        b"[]", b"null", b"5", b'"x"', b"[" + rpc() + b"," + rpc() + b"]", rpc(id=None),
        rpc(id=1.5), rpc(id=True), rpc(id={}), rpc(id=[]), rpc(jsonrpc=...), rpc(jsonrpc="1.0"),
        rpc(jsonrpc=2.0), rpc(method=5), rpc(method=None),
    ],
)  # fmt: skip
async def test_what_is_not_one_message_is_an_invalid_request(
    body: bytes, version: str | None, mcp: Mcp, go_api: FakeGoApi
) -> None:
    """Batches, null ids and other versions are 400 and -32600, and run nothing."""
    headers = {"mcp_protocol_version": version} if version else {}
    response = await post(mcp, body, auth=default_token(), **headers)
    assert (400, -32600) == (response.status_code, response.json()["error"]["code"])
    assert go_api.sessions == []


async def test_a_call_without_id_runs_nothing(both_eras: Mcp, go_api: FakeGoApi) -> None:
    """Nobody would get the answer."""
    version = {"mcp_protocol_version": MODERN} if both_eras.modern else {}
    response = await post(both_eras, rpc(id=...), auth=default_token(), **version)
    assert (202, []) == (response.status_code, go_api.sessions)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Type": "text/plain"}, {"Content_Type": "application/x-www-form-urlencoded"},
        {"Content_Type": "application/jsonx"}, {"Content_Type": ""},
        {"Content_Type": "application/json; charset=utf-16"}, {"Content_Encoding": "gzip"},
    ],
)  # fmt: skip
async def test_other_content_types_are_refused(headers: dict[str, str], mcp: Mcp) -> None:
    """A browser can send some of these to other sites unasked."""
    response = await post(mcp, rpc("ping"), **headers)
    assert response.status_code == 415


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"']
)
async def test_the_same_content_type_in_other_words_is_accepted(kind: str, mcp: Mcp) -> None:
    """Case and a UTF-8 charset change nothing."""
    assert (await post(mcp, rpc("ping"), Content_Type=kind)).status_code == 200


@pytest.mark.parametrize(
    ("accept", "status"),
    [(None, 200), ("*/*", 200), ("application/json", 200), ("text/html", 406)],
)
async def test_an_absent_accept_header_accepts_anything(
    accept: str | None, status: int, both_eras: Mcp
) -> None:
    """Answers are JSON; who cannot read that is told."""
    del both_eras.http.headers["Accept"]
    headers = {"Accept": accept} if accept else {}
    request = both_eras.http.build_request("POST", "/mcp", content=rpc("tools/list", {}))
    response = await both_eras.post("tools/list", headers=headers)
    if accept is None:
        sent = {k: v for k, v in response.request.headers.items() if k != "accept"}
        request = httpx.Request(
            "POST", response.request.url, headers=sent, content=response.request.content
        )
        response = await both_eras.http.send(request)
    assert status == response.status_code


@pytest.mark.parametrize("token_", [None, "good"])
async def test_a_body_over_the_cap_is_413(token_: str | None, mcp: Mcp) -> None:
    """By its declared length, or as soon as it has grown too long."""
    large = b" " * (4 * 1024 * 1024 + 1)
    auth = default_token() if token_ else None

    async def chunks() -> Any:
        for start in range(0, len(large), 65536):
            yield large[start : start + 65536]

    declared = await post(mcp, large, auth=auth)
    chunked = await mcp.http.post(
        "/mcp", content=chunks(), headers={"Content-Type": "application/json"}
    )
    assert (413, 413) == (declared.status_code, chunked.status_code)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/mcp", {f"X-{n}": "x" * 400 for n in range(200)}),
        ("/mcp", {"X-Long": "x" * 70_000}),
        ("/mcp?" + "x" * 60_000, {"X-Long": "x" * 10_000}),
    ],
    ids=["many", "long", "query"],
)
async def test_oversized_heads_are_refused(path: str, headers: dict[str, str], mcp: Mcp) -> None:
    """URL and header fields have a cap together."""
    assert 431 == (await mcp.http.post(path, content=rpc("ping"), headers=headers)).status_code


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS", "FOO"])
@pytest.mark.parametrize("auth", [False, True])
async def test_the_mcp_path_takes_post_alone(method: str, auth: bool, mcp: Mcp) -> None:
    """405 with Allow, with and without a token."""
    headers = {"Authorization": f"Bearer {default_token()}"} if auth else {}
    response = await mcp.http.request(method, "/mcp", headers=headers)
    assert (405, "POST") == (response.status_code, response.headers["Allow"])


@pytest.mark.parametrize(
    "path",
    ["/mcp/", "/MCP", "/sse", "/messages/", "/metrics", "/docs", "/openapi.json", "/.env",
     "/t2/mcp", "/mcp/t2", "/healthz/"],
)  # fmt: skip
async def test_other_paths_are_not_found(path: str, mcp: Mcp) -> None:
    """No aliases, no redirects, no debug pages."""
    assert (await post(mcp, rpc(), path=path, auth=default_token())).status_code == 404


async def test_the_index_is_small_json(mcp: Mcp) -> None:
    """GET / says where things are; HEAD works for monitors; an MCP stream is 405."""
    index, head = await mcp.http.get("/"), await mcp.http.head("/")
    stream = await mcp.http.get("/", headers={"Accept": "text/event-stream"})
    bad_token = await mcp.http.get("/", headers={"Authorization": "Bearer test-token"})
    assert (200, "/mcp") == (index.status_code, index.json()["mcp"])
    assert (200, 405, 200) == (head.status_code, stream.status_code, bad_token.status_code)
    assert (await mcp.http.delete("/")).status_code == 405


async def test_liveness_needs_nothing(mcp: Mcp, go_api: FakeGoApi) -> None:
    """GET /healthz is 200 without a word to the Go API."""
    response = await mcp.http.get("/healthz", headers={"Host": "10.0.0.1:8001"})
    assert (200, {"status": "ok"}) == (response.status_code, response.json())
    assert go_api.requests == []


async def test_readiness_probes_until_the_first_success(mcp: Mcp, go_api: FakeGoApi) -> None:
    """Not ready while the Go API is down; ready for good once it has answered."""
    go_api.entity += [httpx.ConnectError("refused")]
    first, second = await mcp.http.get("/readyz"), await mcp.http.get("/readyz")
    go_api.entity += [httpx.ConnectError("refused")]
    third = await mcp.http.get("/readyz")
    assert [503, 200, 200] == [r.status_code for r in (first, second, third)]
    assert [f"{GO_API}/healthz"] * 2 == [str(r.url) for r in go_api.requests]
    assert {"host"} == go_api.requests[0].headers.keys()


async def test_a_missing_key_is_a_note_and_not_a_failure(go_api: FakeGoApi) -> None:
    """The guide's local run sets no JWT key: it starts, is ready, and refuses calls."""
    settings = make_settings(jwt_secret=None, tenant_header_secret="test-secret-123")
    async with running(settings) as mcp:
        ready = await mcp.http.get("/readyz")
        called = await mcp.post("tools/call", LIST, token=default_token())
        health = await mcp.post("tools/call", HEALTH)
    notes = " ".join(ready.json()["notes"])
    assert (200, 401, 200) == (ready.status_code, called.status_code, health.status_code)
    assert "no JWT key" in notes
    assert "TENANT_HEADER_SECRET is shorter" in notes
    assert "test-secret-123" not in notes


GUARDED = {
    "public_url": "https://app.example",
    "allowed_hosts": ("other.example:8443",),
    "allowed_origins": ("https://ui.example",),
}


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("app.example", None, 200),
        ("APP.example:443", None, 200),
        ("other.example:8443", None, 200),
        ("localhost:8001", None, 200),
        ("app.example", "https://ui.example", 200),
        ("localhost:8001", "http://localhost:6274", 200),
        ("127.0.0.1:8001", "http://127.0.0.1:6274", 200),
        ("other.example", None, 421),
        ("evil.example", None, 421),
        ("app.example.evil.example", None, 421),
        ("evil-app.example", None, 421),
        ("app.example@evil.example", None, 421),
        ("", None, 421),
        ("evil.example", "http://evil.example", 421),
        ("app.example", "https://evil.example", 403),
        ("app.example", "null", 403),
        ("app.example", "", 403),
        ("app.example", "http://ui.example", 403),
        ("app.example", "https://ui.example:8443", 403),
        ("app.example", "https://ui.example.evil.example", 403),
        ("app.example", "https://ui.example@evil.example", 403),
        ("app.example", "http://localhost:6274", 403),
        ("localhost:8001", "http://localhost.evil.example", 403),
    ],
)
async def test_foreign_hosts_and_origins_are_refused(
    host: str, origin: str | None, status: int, go_api: FakeGoApi
) -> None:
    """DNS rebinding and other sites' pages get nothing."""
    headers = {"Host": host} | ({} if origin is None else {"Origin": origin})
    async with running(make_settings(**GUARDED)) as mcp:
        response = await mcp.post("ping", headers=headers)
        health = await mcp.http.get("/healthz", headers=headers)
    assert (status, 200) == (response.status_code, health.status_code)
    assert "access-control-allow-origin" not in response.headers


async def test_without_names_any_host_is_served_but_no_foreign_origin(mcp: Mcp) -> None:
    """Local runs need no configuration; browsers' pages are still refused."""
    plain = await mcp.post("ping", headers={"Host": "anything.example"})
    page = await mcp.post("ping", headers={"Host": "evil.example", "Origin": "http://evil.example"})
    assert (200, 403) == (plain.status_code, page.status_code)


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


async def test_header_and_body_must_name_the_same_tool(mcp: Mcp, go_api: FakeGoApi) -> None:
    """A policy at the edge must not see another tool than the one that runs."""
    mcp.modern = True
    params = {"name": "delete_note", "arguments": {"uid": UID}}
    response = await mcp.post(
        "tools/call", params, token=default_token(), headers={"Mcp-Name": "list_notes"}
    )
    assert (400, -32020) == (response.status_code, response.json()["error"]["code"])
    assert go_api.sessions == []


@pytest.mark.parametrize("version", ["1900-01-01", "banana", ""])
async def test_an_unknown_protocol_version_is_refused(version: str, mcp: Mcp) -> None:
    """400, not silently served as another."""
    response = await mcp.post("ping", headers={"MCP-Protocol-Version": version})
    assert response.status_code == 400


async def test_the_metadata_document_comes_from_configuration(go_api: FakeGoApi) -> None:
    """RFC 9728: the resource is the public URL, and the challenge points to the document."""
    settings = make_settings(jwt_issuer="https://i.example", public_url="https://app.example")
    async with running(settings) as mcp:
        document = await mcp.http.get("/.well-known/oauth-protected-resource/mcp")
        root = await mcp.http.get("/.well-known/oauth-protected-resource")
        denied = await mcp.post("tools/call", LIST)
    assert ("https://app.example/mcp", ["https://i.example"]) == (
        document.json()["resource"],
        document.json()["authorization_servers"],
    )
    assert root.json()["resource"] == "https://app.example"
    url = "https://app.example/.well-known/oauth-protected-resource/mcp"
    assert f'Bearer resource_metadata="{url}"' == denied.headers["WWW-Authenticate"]


async def test_without_an_issuer_there_is_no_metadata(mcp: Mcp) -> None:
    """A shared secret has no authorization server to name."""
    path = "/.well-known/oauth-protected-resource/mcp"
    assert (await mcp.http.get(path)).status_code == 404


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


async def test_a_hostile_content_type_costs_nothing(mcp: Mcp) -> None:
    """No pattern is tried twice: a hundred parameters before a wrong one are read in no time."""
    kind = "application/json" + ";a " * 100 + ";charset=x"
    response = await asyncio.wait_for(post(mcp, rpc("ping"), Content_Type=kind), 10)
    assert 415 == response.status_code


async def test_a_refusal_quotes_no_body(mcp: Mcp) -> None:
    """Parameters of another shape are refused before the MCP library describes them."""
    response = await post(mcp, rpc("ping", params=["canary"]))
    assert (400, -32600) == (response.status_code, response.json()["error"]["code"])
    assert "canary" not in response.text


async def test_an_answer_that_is_always_the_same_does_not_grow(mcp: Mcp) -> None:
    """Each liveness answer has each header once."""
    answers = [await mcp.http.get("/healthz") for _ in range(3)]
    assert 1 == len({len(answer.headers.raw) for answer in answers})
