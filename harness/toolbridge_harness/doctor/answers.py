"""MCP requests of the doctor, and what their answers say in the error contract's words."""

import time
from dataclasses import dataclass

import httpx

from toolbridge_harness.wire import Call, Reply, fault, parse, tool_call

# A correct proxy answers within its deadline of 25 s (TOOLBRIDGE_UPSTREAM_TIMEOUT_SECONDS).
ANSWER_SECONDS = 30.0
# For proxies without codes: what the Go API and the usual libraries say, as contract data.
TEXTS: tuple[tuple[str, str], ...] = (
    ("invalid tenant headers", "tenant_headers_rejected"),
    ("sync session", "session_unavailable"),
    ("session does not belong", "upstream_forbidden"),
    ("epoch_mismatch", "epoch_mismatch"),
    ("version mismatch", "precondition_failed"),
    ("rate limit exceeded", "rate_limited"),
    ("name or service not known", "upstream_dns"),
    ("certificate_verify_failed", "upstream_tls"),
    ("connection refused", "upstream_unreachable"),
    ("all connection attempts failed", "upstream_unreachable"),
)


@dataclass(frozen=True)
class Answer:
    """A reply, or why there is none."""

    reply: Reply | None
    problem: str
    ms: float

    @property
    def status(self) -> int | None:
        """The HTTP status."""
        return self.reply.status if self.reply else None

    @property
    def ok(self) -> bool:
        """A tool call that succeeded."""
        return bool(self.reply and self.reply.ok)

    @property
    def code(self) -> str:
        """The error code, read from the text where there is none; empty for success."""
        if self.reply is None:
            return "no_answer"
        if self.reply.ok or self.reply.code:
            return self.reply.code
        text = self.reply.text.lower()
        return next((code for part, code in TEXTS if part in text), f"http_{self.status}")

    @property
    def explicit_code(self) -> str:
        """The code that the answer itself names, or empty."""
        return self.reply.code if self.reply else ""

    @property
    def session_lost(self) -> bool:
        """Whether an MCP session (not a sync session) was not found."""
        return self.status == 404 and "session" in (self.reply.text.lower() if self.reply else "")

    @property
    def brief(self) -> str:
        """One line."""
        return f"{self.reply.brief} ({self.ms:.0f} ms)" if self.reply else self.problem


class Asker:
    """Sends to one MCP endpoint, carrying the MCP session where the server mints one."""

    def __init__(self, client: httpx.Client, url: str) -> None:
        self.url = url
        self.session: str | None = None
        self._client = client

    def send(self, call: Call) -> Answer:
        """Send one request."""
        started = time.monotonic()
        try:
            response = self._client.post(
                self.url, headers=call.header_list(), content=call.body(), timeout=ANSWER_SECONDS
            )
        except httpx.HTTPError as error:
            took = time.monotonic() - started
            return Answer(None, str(fault(error, took)), took * 1000)
        took = time.monotonic() - started
        return Answer(parse(response, took), "", took * 1000)

    def tool(self, name: str, token: str | None = None, **arguments: object) -> Answer:
        """Call one tool."""
        return self.send(tool_call(name, arguments, token=token, session=self.session))

    def notes(self, token: str | None) -> Answer:
        """Call the cheapest tool that needs a token and reaches the Go API."""
        return self.tool("list_notes", token, limit=1)

    def old_transport(self) -> bool:
        """Whether /sse, the path of the old transport, is there."""
        try:
            with self._client.stream("GET", httpx.URL(self.url).copy_with(path="/sse")) as answer:
                return answer.status_code == 200
        except httpx.HTTPError:
            return False
