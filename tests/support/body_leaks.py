"""What a leak is looked for with: a proxy with secrets like no other text, and its log at DEBUG."""

import contextlib
import io
import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from unittest import mock

import structlog

from support.body_break import WHOLE, Break
from support.body_proxy import Proxy, running_proxy
from support.body_secrets import parts_of
from support.proxy_app import TENANT, make_settings
from support.proxy_upstream import UID
from toolbridge_contract.tokens import mint
from toolbridge_proxy import logs

# Characters that every encoding spells in another way.
TENANT_SECRET = 'Tn7/"q\\+%é=&tenant-side-0123456789-ABCDEF'
JWT_SECRET = "Jw3/'q\\+%ü=&jwt-side-9876543210-UVWXYZ-and-more"
NOTE = 'Nt5 a note\'s "private" text/é, 24680-KLMNOP'
OTHER_TOKEN = mint("mallory", TENANT, JWT_SECRET, jti="c0ffee" * 4)


@contextlib.contextmanager
def _as_in_a_process_of_its_own() -> Iterator[None]:
    """Undo for a while what another server in this process told uvicorn's loggers."""
    loggers = [logging.getLogger(name) for name in ("uvicorn", "uvicorn.access", "uvicorn.error")]
    before = [(each.handlers[:], each.propagate, each.level) for each in loggers]
    for each in loggers:
        each.handlers[:], each.propagate, each.level = [], True, logging.NOTSET
    try:
        yield
    finally:
        for each, (handlers, propagate, level) in zip(loggers, before, strict=True):
            each.handlers[:], each.propagate, each.level = handlers, propagate, level


class Log:
    """What the process logs at DEBUG."""

    def __init__(self) -> None:
        self._stream = io.StringIO()

    @contextlib.contextmanager
    def at_debug(self, fmt: str) -> Iterator[None]:
        """Log to this, and put the process's logging back."""
        root, before = logging.getLogger(), structlog.get_config()
        handlers, level = root.handlers[:], root.level
        with mock.patch.object(sys, "stdout", self._stream), _as_in_a_process_of_its_own():
            logs.configure("DEBUG", fmt)
            try:
                yield
            finally:
                root.handlers[:], root.level = handlers, level
                structlog.configure(**before)

    def take(self) -> str:
        """Return what was logged since the last time."""
        text = self._stream.getvalue()
        self._stream.seek(0)
        self._stream.truncate()
        return text


@dataclass
class Observed:
    """A proxy, its log, a token of its caller, and a signature of an earlier request."""

    proxy: Proxy
    log: Log
    token: str
    signature: str

    @property
    def secrets(self) -> dict[str, str]:
        """Secrets by name: ours, the caller's, and what a caller entrusts to us."""
        return {
            "tenant secret": TENANT_SECRET,
            "JWT secret": JWT_SECRET,
            "note": NOTE,
            "token": self.token,
            "another's token": OTHER_TOKEN,
            "signature": self.signature,
        }

    def leaks(self, text: str) -> list[str]:
        """Return the parts of secrets in `text`, those that the last message used among them."""
        sent = [*self.proxy.requests, *self.proxy.sessions]
        used = {request.headers["X-TB-Signature"] for request in sent}
        return parts_of([*self.secrets.values(), *used], text)


@contextlib.contextmanager
def observed(fmt: str, break_: Break = WHOLE) -> Iterator[Observed]:
    """Run a proxy and read its log."""
    log = Log()
    settings = make_settings(tenant_header_secret=TENANT_SECRET, jwt_secret=JWT_SECRET)
    with log.at_debug(fmt), running_proxy(break_, settings, virtual=True) as proxy:
        token = mint("alice", TENANT, JWT_SECRET)
        proxy.call("get_note", {"uid": UID}, token=token)
        signature = proxy.request.headers["X-TB-Signature"]
        assert "upstream_request" in log.take()
        yield Observed(proxy, log, token, signature)
