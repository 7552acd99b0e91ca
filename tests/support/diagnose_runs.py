"""Run `diagnose` in this process or as one, and serve what it should find."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import structlog

from support.contract_caller import JWT_SECRET, TENANT, TENANT_SECRET
from support.contract_server import START_SECONDS, fresh_subject
from toolbridge_contract.tokens import mint
from toolbridge_proxy import diagnose

CREATED = (201, "created")
BAD_TENANT = (401, "invalid tenant headers")
BAD_TOKEN = (401, "unauthorized")
# The probes that say what is wrong, when the clocks agree and both secrets are right.
ALL_WELL = {
    "local_time": CREATED, "no_tenant_headers": BAD_TENANT, "garbage_token": BAD_TOKEN,
    "upstream_time": CREATED, "flipped_digit": BAD_TENANT,
    "tenant_lower": CREATED, "tenant_random": CREATED,
    "-310_seconds": BAD_TENANT, "-290_seconds": CREATED,
    "+290_seconds": CREATED, "+310_seconds": BAD_TENANT,
}  # fmt: skip


@dataclass
class Run:
    """A run that ended: its document, exit code and standard error."""

    code: int
    out: str
    err: str

    @property
    def found(self) -> Any:
        return json.loads(self.out)

    @property
    def verdicts(self) -> dict[str, tuple[int | None, str]]:
        return {k: (v["status"], v["says"]) for k, v in self.found["signed"].items()}


def environment(**changes: str | None) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TOOLBRIDGE_")}
    own = {"TENANT_ID": TENANT, "TENANT_HEADER_SECRET": TENANT_SECRET, "JWT_SECRET": JWT_SECRET}
    given = {f"TOOLBRIDGE_{k.upper()}": v for k, v in (own | changes).items()}
    return kept | {k: v for k, v in given.items() if v is not None}


@contextlib.contextmanager
def standard_input(data: bytes, close: bool = True) -> Iterator[None]:
    """Put a pipe with `data` in the place of descriptor 0."""
    (reader, writer), before = os.pipe(), os.dup(0)
    os.write(writer, data)
    os.dup2(reader, 0)
    if close:
        os.close(writer)
    try:
        yield
    finally:
        os.dup2(before, 0)
        for descriptor in (reader, before, *(() if close else (writer,))):
            os.close(descriptor)


Diagnose = Callable[..., Run]


@contextlib.contextmanager
def in_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Diagnose]:
    """Give a function that runs `main` in this process."""
    before = structlog.get_config()

    def call(given: str | bytes = "", close: bool = True, **changes: str | None) -> Run:
        env = environment(**{k.upper(): v for k, v in changes.items()})
        for name in set(os.environ) - set(env):
            monkeypatch.delenv(name)
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        with standard_input(given.encode() if isinstance(given, str) else given, close):
            code = diagnose.main()
        return Run(code, *capsys.readouterr())

    yield call
    structlog.configure(**before)


def command(given: bytes = b"", close: bool = True, **changes: str | None) -> Run:
    """Run it as a process."""
    script = "import sys; from toolbridge_proxy.diagnose import main; sys.exit(main())"
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        env=environment(**{k.upper(): v for k, v in changes.items()}),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    with process:
        if not close:
            process.wait(START_SECONDS)
        out, err = process.communicate(given, START_SECONDS)
    return Run(process.returncode, out.decode(), err.decode())


def token(secret: str = JWT_SECRET, subject: str | None = None, **claims: Any) -> str:
    return mint(subject or fresh_subject(), TENANT, secret, lifetime=7200, **claims)


Answer = tuple[int, dict[str, str], bytes]


@contextlib.contextmanager
def canned(answer: Callable[[BaseHTTPRequestHandler], Answer]) -> Iterator[str]:
    """Serve what `answer` returns for a request."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = answer(self)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_DELETE = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
