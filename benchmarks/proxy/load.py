"""A load generator that costs less than what it measures: raw keep-alive connections."""

import asyncio
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TICKS = os.sysconf("SC_CLK_TCK")


def request(
    port: int,
    token: str | None,
    era: str,
    number: int,
    tool: str = "list_notes",
    arguments: dict[str, Any] | None = None,
) -> bytes:
    """Return one tool call as it goes over the wire, in `era` legacy or modern."""
    params: dict[str, Any] = {"name": tool, "arguments": arguments or {"limit": 10}}
    return post(port, token, era, {"id": number, "method": "tools/call", "params": params})


def post(port: int, token: str | None, era: str, message: dict[str, Any]) -> bytes:
    """Return one JSON-RPC message as it goes over the wire."""
    params: dict[str, Any] = message["params"]
    headers = {"MCP-Protocol-Version": "2025-11-25"}
    if era == "modern":
        version = "2026-07-28"
        params["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        headers = {
            "MCP-Protocol-Version": version,
            "Mcp-Method": message["method"],
        }
        if "name" in params:
            headers["Mcp-Name"] = params["name"]
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    body = json.dumps({"jsonrpc": "2.0"} | message).encode()
    lines = [
        "POST /mcp HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Content-Type: application/json",
        "Accept: application/json, text/event-stream",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read one answer; return its status and body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    return int(head[9:12]), await reader.readexactly(length)


@dataclass(frozen=True)
class Measured:
    """One batch of calls: CPU of the server per call (µs), and latencies (ms), sorted."""

    cpu: float
    latencies: list[float]

    def quantile(self, share: float) -> float:
        """Nearest rank."""
        return self.latencies[min(len(self.latencies) - 1, int(share * len(self.latencies)))]


def cpu_seconds(pid: int) -> float:
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def batch(
    pid: int, port: int, token: str, era: str, *, connections: int, calls: int
) -> Measured:
    """Make `calls` calls over `connections` connections and measure them."""
    latencies: list[float] = []
    streams = [await asyncio.open_connection("127.0.0.1", port) for _ in range(connections)]
    before = cpu_seconds(pid)

    async def work(streams_: tuple[asyncio.StreamReader, asyncio.StreamWriter], n: int) -> None:
        reader, writer = streams_
        for number in range(calls // connections):
            started = time.perf_counter()
            writer.write(request(port, token, era, n * calls + number))
            status, body = await answer(reader)
            latencies.append((time.perf_counter() - started) * 1000)
            if status != 200 or b'"isError":true' in body or b'"error":' in body:
                raise RuntimeError(f"a call failed: {body[:300]!r}")

    await asyncio.gather(*(work(pair, n) for n, pair in enumerate(streams)))
    spent = cpu_seconds(pid) - before
    for _, writer in streams:
        writer.close()
    return Measured(spent / len(latencies) * 1e6, sorted(latencies))
