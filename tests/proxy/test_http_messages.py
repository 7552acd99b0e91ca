"""What may be sent: bodies, envelopes, media types and sizes."""

import asyncio
from typing import Any

import httpx
import pytest

from support.proxy_app import MODERN, Mcp, default_token
from support.proxy_messages import post, rpc
from support.proxy_upstream import UID, FakeGoApi

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
