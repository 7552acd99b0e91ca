"""Deployments on loopback with one thing wrong, and what `toolbridge doctor` says of them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx

from support.command_line import Finished, toolbridge
from support.contract_caller import JWT_SECRET, TENANT, TENANT_SECRET
from support.contract_server import CONTROL_TOKEN, ServedMock
from support.diagnose_runs import Answer, Run, canned, command, token
from support.e2e_proxies import running_proxy
from toolbridge_contract.control import Fault

OTHER_SECRET = "another-secret-of-more-than-32-bytes"


@dataclass(frozen=True)
class Deployment:
    """A proxy that runs, and what diagnose needs to run beside it."""

    url: str
    settings: dict[str, str]
    folder: Path
    diagnosed: list[Run] = field(default_factory=list)

    def document(self, given: str) -> Path:
        """Run diagnose with the proxy's environment; return the file with its output."""
        run = command(given.encode(), True, **self.settings)
        self.diagnosed.append(run)
        path = self.folder / "diagnose.json"
        path.write_text(f"Connecting to fdaa::3... complete\n{run.out}")
        return path

    def inside(self, *arguments: str, jwt: str = JWT_SECRET, **settings: str) -> Any:
        """Return the doctor's document, with the inside's beside it."""
        path = self.document(token(jwt))
        return self.outside(*arguments, "--diagnose", str(path), jwt=jwt, **settings)

    def outside(self, *arguments: str, jwt: str = JWT_SECRET, **settings: str) -> Any:
        """Return the doctor's document, from outside alone."""
        done = self.run(*arguments, "--json", TOOLBRIDGE_JWT_SECRET=jwt, **settings)
        assert done.out, done.err
        document = json.loads(done.out)
        assert done.code == (1 if document["at"] or document["missing"] else 0)
        assert not [secret for secret in (jwt, TENANT_SECRET) if secret in done.out + done.err]
        return document

    def run(self, *arguments: str, **settings: str) -> Finished:
        own = {"TOOLBRIDGE_TENANT_ID": TENANT}
        return toolbridge("doctor", self.url, *arguments, cwd=self.folder, **own | settings)


@contextmanager
def deployed(api_url: str, folder: Path, **settings: str) -> Iterator[Deployment]:
    """Run a proxy; `settings` are named without TOOLBRIDGE_, in lower case."""
    named = {f"TOOLBRIDGE_{name.upper()}": value for name, value in settings.items()}
    with running_proxy(api_url, **named) as proxy:
        yield Deployment(proxy.url, {"go_api_base_url": api_url} | settings, folder)


def control(mock: ServedMock, ask: str, **arguments: object) -> None:
    """Ask the mock's control port."""
    authorization = {"Authorization": f"Bearer {CONTROL_TOKEN}"}
    answer = httpx.post(
        f"{mock.control_url}/{ask}", json=arguments, headers=authorization, trust_env=False
    )
    assert answer.status_code == 200, answer.text


@contextmanager
def fault(mock: ServedMock, injected: Fault) -> Iterator[None]:
    """Put a fault in force for a while."""
    control(mock, "inject", **injected.to_json())
    try:
        yield
    finally:
        control(mock, "clear_faults", caller=injected.caller)


@contextmanager
def stripping_ingress(api_url: str) -> Iterator[str]:
    """Relay to the Go API everything but X-TB-* headers."""

    def relay(request: BaseHTTPRequestHandler) -> Answer:
        kept = {k: v for k, v in request.headers.items() if not k.lower().startswith("x-tb-")}
        size = int(request.headers.get("Content-Length") or 0)
        answer = httpx.request(
            request.command,
            f"{api_url}{request.path}",
            headers=kept,
            content=request.rfile.read(size),
            trust_env=False,
        )
        types = {"Content-Type": answer.headers.get("content-type", "text/plain")}
        return answer.status_code, types, answer.content

    with canned(relay) as url:
        yield url


def judged(document: Any) -> tuple[str | None, bool, bool]:
    """Return the cause, whether it is certain, and whether it was inferred."""
    return document["cause"], document["certain"], document["inferred"]
