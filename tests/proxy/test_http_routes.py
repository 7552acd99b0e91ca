"""Which paths, hosts and origins are served."""

import httpx
import pytest

from support.proxy_app import GO_API, Mcp, default_token, make_settings, running
from support.proxy_messages import HEALTH, LIST, post, rpc
from support.proxy_upstream import FakeGoApi


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
