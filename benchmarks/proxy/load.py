"""A load generator that costs less than what it measures: raw keep-alive connections."""

import asyncio
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TICKS = os.sysconf("SC_CLK_TCK")


def request(port: int, token: str, era: str, number: int) -> bytes:
    """Return one call of list_notes as it goes over the wire, in `era` legacy or modern."""
    params: dict[str, Any] = {"name": "list_notes", "arguments": {"limit": 10}}
    headers = {"MCP-Protocol-Version": "2025-11-25"}
    if era == "modern":
        version = "2026-07-28"
        params["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        headers = {
            "MCP-Protocol-Version": version,
            "Mcp-Method": "tools/call",
            "Mcp-Name": "list_notes",
        }
    message = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
    body = json.dumps(message).encode()
    lines = [
        "POST /mcp HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Authorization: Bearer {token}",
        "Content-Type: application/json",
        "Accept: application/json, text/event-stream",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"unexpected answer: {head[:200]!r}")
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    return await reader.readexactly(length)


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
            body = await _answer(reader)
            latencies.append((time.perf_counter() - started) * 1000)
            if b'"isError":true' in body or b'"error":' in body:
                raise RuntimeError(f"a call failed: {body[:300]!r}")

    await asyncio.gather(*(work(pair, n) for n, pair in enumerate(streams)))
    spent = cpu_seconds(pid) - before
    for _, writer in streams:
        writer.close()
    return Measured(spent / len(latencies) * 1e6, sorted(latencies))
