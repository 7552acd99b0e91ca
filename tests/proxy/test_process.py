"""The proxy as a process: readiness, exit codes, signals, and the whole way to a Go API."""

import asyncio
import json
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from support.proxy_app import JWT_SECRET, TENANT, TENANT_SECRET, Mcp, default_token
from support.proxy_sockets import raw_server, response
from support.proxy_upstream import ITEM, UID
from toolbridge_contract.control import MockControl

pytestmark = pytest.mark.e2e
START_SECONDS = 30  # imports take two on a quiet machine
CONTROL_TOKEN = "control-token-of-this-test"


def environment(**changes: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TOOLBRIDGE_")}
    own = {
        "TOOLBRIDGE_GO_API_BASE_URL": "http://127.0.0.1:9", "TOOLBRIDGE_TENANT_ID": TENANT,
        "TOOLBRIDGE_TENANT_HEADER_SECRET": TENANT_SECRET, "TOOLBRIDGE_JWT_SECRET": JWT_SECRET,
        "TOOLBRIDGE_HOST": "127.0.0.1", "TOOLBRIDGE_PORT": "0", "TOOLBRIDGE_METRICS_PORT": "0",
    }  # fmt: skip
    return kept | own | changes


async def spawn(*arguments: str, env: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env=env,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def line_with(process: asyncio.subprocess.Process, pattern: str) -> re.Match[str]:
    assert process.stdout is not None
    async with asyncio.timeout(START_SECONDS):
        while line := (await process.stdout.readline()).decode():
            if found := re.search(pattern, line):
                return found
    raise AssertionError((pattern, await process.communicate()))


@asynccontextmanager
async def proxy(**changes: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str, str]]:
    """Run the proxy; yields the process, its URL and that of its metrics."""
    process = await spawn("-m", "toolbridge_proxy", env=environment(**changes))
    try:
        metrics = await line_with(process, r'"port": (\d+), .*metrics_listening')
        url = await line_with(process, r"Uvicorn running on (http://127\.0\.0\.1:\d+)")
        yield process, url[1], f"http://127.0.0.1:{metrics[1]}/metrics"
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@asynccontextmanager
async def mock_go_api() -> AsyncIterator[tuple[str, MockControl]]:
    """Run the mock Go API as a process."""
    secrets = {
        "TENANT_HEADER_SECRET": TENANT_SECRET, "JWT_HS256_SECRET": JWT_SECRET,
        "TOOLBRIDGE_MOCK_CONTROL_TOKEN": CONTROL_TOKEN,
    }  # fmt: skip
    process = await spawn("-m", "toolbridge_contract", "serve", env=environment() | secrets)
    try:
        urls = json.loads((await line_with(process, r"\{.*\}"))[0])
        async with MockControl(urls["control_url"], CONTROL_TOKEN) as control:
            yield urls["url"], control
    finally:
        process.terminate()
        await process.communicate()


async def test_a_note_goes_all_the_way_and_is_signed_right() -> None:
    """Against the mock Go API: created, read, deleted; no request breaks the contract."""
    async with (
        mock_go_api() as (upstream, control),
        proxy(TOOLBRIDGE_GO_API_BASE_URL=upstream) as (process, url, metrics),
        httpx.AsyncClient(base_url=url) as http,
    ):
        mcp = Mcp(http)
        ready = await http.get("/readyz")
        uid = (await mcp.call("create_note", title="T", content="C"))["structuredContent"]["uid"]
        await control.drop_sessions()
        read = await mcp.call("get_note", uid=uid)
        await mcp.call("delete_note", uid=uid)
        gone = await mcp.error("get_note", uid=uid)
        recorded = await control.requests("alice")
        numbers = (await http.get(metrics)).text
        process.send_signal(signal.SIGTERM)
        assert process.returncode in (None, 0)
        code = await asyncio.wait_for(process.wait(), 10)
    assert (200, "T", "gone") == (
        ready.status_code, read["structuredContent"]["payload"]["title"], gone["code"],
    )  # fmt: skip
    assert [] == [violation for request in recorded for violation in request.violations]
    assert [201, 201, 428, 201, 200, 200, 410] == [request.status for request in recorded]
    assert 'toolbridge_tool_call_seconds_count{outcome="ok",tool="create_note"} 1.0' in numbers
    assert code in (0, -signal.SIGTERM)


async def test_a_request_in_flight_is_finished_before_the_process_ends() -> None:
    """SIGTERM drains: the answer that was on its way arrives."""
    arrived, release = asyncio.Event(), asyncio.Event()

    async def slow(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await release.wait()
        writer.write(response(json.dumps(ITEM).encode()))

    async with (
        raw_server(slow) as server,
        proxy(TOOLBRIDGE_GO_API_BASE_URL=server.url) as (process, url, _),
        httpx.AsyncClient(base_url=url) as http,
    ):
        call = asyncio.create_task(Mcp(http).call("get_note", uid=UID))
        await asyncio.wait_for(arrived.wait(), 10)
        process.send_signal(signal.SIGTERM)
        await line_with(process, "Shutting down")
        release.set()
        assert ITEM == (await call)["structuredContent"]
        assert await asyncio.wait_for(process.wait(), 10) in (0, -signal.SIGTERM)


async def start_and_fail(**changes: str) -> tuple[int | None, str, str]:
    process = await spawn("-m", "toolbridge_proxy", env=environment(**changes))
    out, err = await asyncio.wait_for(process.communicate(), START_SECONDS)
    return process.returncode, out.decode(), err.decode()


async def test_a_start_that_cannot_work_is_one_line_and_exit_code_4() -> None:
    """Taken ports and bad settings name the variable; no traceback, no value.

    What the server logged before it found the port taken stays in the log.
    """
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        bad = {
            "TOOLBRIDGE_PORT": port,
            "TOOLBRIDGE_METRICS_PORT": port,
            "TOOLBRIDGE_JWT_SECRET": "canary-too-short",
        }
        ends = await asyncio.gather(*(start_and_fail(**{k: v}) for k, v in bad.items()))
    for name, (code, out, err) in zip(bad, ends, strict=True):
        assert (4, 1) == (code, err.count("\n"))
        assert name in err
        assert "" == out or name == "TOOLBRIDGE_PORT"
        assert "canary" not in out + err
        assert "Traceback" not in out + err


async def test_an_argument_is_refused() -> None:
    """Everything is configured by variables; a stray word does not start a server."""
    process = await spawn("-m", "toolbridge_proxy", "--help", env=environment())
    out, err = await asyncio.wait_for(process.communicate(), START_SECONDS)
    assert (4, b"", 1) == (process.returncode, out, err.count(b"\n"))


async def test_ctrl_c_ends_it_with_130() -> None:
    """SIGINT drains too."""
    async with proxy() as (process, _, __):
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 10) == 130


BODY = '{"jsonrpc":"2.0","id":1,"method":"ping"}'


async def status(url: str, path: str, *lines: str) -> bytes:
    """POST a ping with these header lines on a raw socket; return the answer's status."""
    fixed = ("Host: localhost", "Connection: close", f"Content-Length: {len(BODY)}")
    head = "\r\n".join((f"POST {path} HTTP/1.1", *fixed, *lines))
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(f"{head}\r\n\r\n{BODY}".encode())
    try:
        answer = await asyncio.wait_for(reader.read(), 10)
    except ConnectionResetError:  # the rest of a head that was too long was not read
        return b"reset"
    finally:
        writer.close()
    return answer.split(b" ")[1]


async def test_real_header_lines_are_seen_by_the_server() -> None:
    """On a raw socket: an alias of the path is 404, two tokens are 400, blanks are trimmed."""
    kind = "Content-Type: application/json \t"
    two = (f"Authorization: Bearer {default_token()}", "authorization: Bearer x")
    async with proxy() as (_, url, __):
        statuses = [
            await status(url, "/mcp", kind),
            await status(url, "//mcp", kind),
            await status(url, "/mcp", kind, *two),
        ]
    assert [b"200", b"404", b"400"] == statuses


async def test_an_offer_to_upgrade_is_ignored() -> None:
    """Some clients offer HTTP/2 in clear text with each request (RFC 9110 section 7.8)."""
    kind = "Content-Type: application/json"
    offer = ("Upgrade: h2c", "HTTP2-Settings: AAMAAABk", "Connection: Upgrade, HTTP2-Settings")
    async with proxy() as (_, url, __):
        assert b"200" == await status(url, "/mcp", kind, *offer)


async def test_an_oversized_head_is_cut_off() -> None:
    """Headers and URL have a cap, and the next request is served."""
    kind, long = "Content-Type: application/json", "x" * 100_000
    many = [f"X-{number}: {'x' * 100}" for number in range(1000)]
    async with proxy() as (_, url, __):
        refused = {
            await status(url, "/mcp", kind, f"X-Long: {long}"),
            await status(url, "/mcp", kind, *many),
            await status(url, f"/mcp?{long}", kind),
        }
        assert refused <= {b"400", b"431", b"reset"}
        assert b"200" == await status(url, "/mcp", kind)
