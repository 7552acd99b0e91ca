"""The served mock as a real process, and raw sockets to speak to it."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from support.contract_caller import JWT_SECRET, TENANT, TENANT_SECRET
from toolbridge_contract.control import MockControl
from toolbridge_contract.signing import tenant_headers
from toolbridge_contract.tokens import mint

CONTROL_TOKEN = "control-token-of-the-contract-tests"
SECRETS = {
    "TENANT_HEADER_SECRET": TENANT_SECRET,
    "JWT_HS256_SECRET": JWT_SECRET,
    "TOOLBRIDGE_MOCK_CONTROL_TOKEN": CONTROL_TOKEN,
}
# A start takes half a second; a busy machine may take ten times as long.
START_SECONDS = 20.0


@dataclass
class ServedMock:
    """A mock that runs."""

    process: subprocess.Popen[str]
    url: str
    control_url: str

    @property
    def address(self) -> tuple[str, int]:
        parsed = httpx.URL(self.url)
        return parsed.host, parsed.port or 0

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=START_SECONDS)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "toolbridge_contract", *arguments]


def environment(**change: str | None) -> dict[str, str]:
    found = {k: v for k, v in os.environ.items() if k not in SECRETS}
    found |= {k: v for k, v in (SECRETS | change).items() if v is not None}
    return found


@contextlib.contextmanager
def served_mock(*arguments: str, **change: str | None) -> Iterator[ServedMock]:
    process = subprocess.Popen(
        command("serve", *arguments),
        env=environment(**change),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        announced: dict[str, Any] = json.loads(process.stdout.readline())
        yield ServedMock(process, announced["url"], announced["control_url"])
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=START_SECONDS)


def fresh_subject() -> str:
    return f"sub-{uuid.uuid4()}"


def signed_headers(subject: str, **more: str) -> dict[str, str]:
    now_ms = round(time.time() * 1000)
    headers = {"Authorization": f"Bearer {mint(subject, TENANT, JWT_SECRET)}"}
    return headers | tenant_headers(TENANT, TENANT_SECRET, now_ms) | more


async def begin_session(client: httpx.AsyncClient, subject: str) -> dict[str, str]:
    """Return the session headers of a new session."""
    answer = await client.post("/v1/sync/sessions", headers=signed_headers(subject))
    session = answer.json()
    return {"X-Sync-Session": session["id"], "X-Sync-Epoch": str(session["epoch"])}


def exchange(address: tuple[str, int], raw: bytes) -> bytes:
    """Send bytes on a connection of their own and return what comes until the server closes."""
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(raw)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


def raw_request(subject: str, target: str = "/v1/notes", *lines: str) -> bytes:
    headers = [f"{name}: {value}" for name, value in signed_headers(subject).items()]
    head = [f"GET {target} HTTP/1.1", "Host: api.test", "Connection: close", *headers, *lines]
    return ("\r\n".join(head) + "\r\n\r\n").encode()


async def wait_for_requests(control: MockControl, subject: str, count: int) -> None:
    for _ in range(500):
        if len(await control.requests(subject)) >= count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"fewer than {count} requests of {subject} arrived")


async def create(
    client: httpx.AsyncClient, subject: str, session: dict[str, str]
) -> httpx.Response:
    return await client.post(
        "/v1/notes", json={"title": "T"}, headers=signed_headers(subject, **session)
    )


async def count_notes(client: httpx.AsyncClient, subject: str, session: dict[str, str]) -> int:
    answer = await client.get("/v1/notes", headers=signed_headers(subject, **session))
    return len(answer.json()["items"])
