"""MCP over HTTP, byte by byte enough to send what a client library would refuse to.

Both protocol eras: the handshake revisions up to 2025-11-25, and 2026-07-28, in which every
request stands alone and carries its protocol version in `_meta` and in headers.
"""

import importlib.metadata
import itertools
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import httpx

from toolbridge_harness.verdicts import NoAnswer, Unreachable

_NAME, _VERSION = "toolbridge-verify", importlib.metadata.version("toolbridge-mcp")
USER_AGENT = f"{_NAME}/{_VERSION}"  # RFC 9110 §10.1.5: product and version
_ids = itertools.count(1)


class Era(StrEnum):
    """The two ways of speaking MCP; the value is the protocol version sent."""

    LEGACY = "2025-11-25"
    MODERN = "2026-07-28"


@dataclass(frozen=True)
class Reply:
    """One HTTP answer of the target, and the JSON-RPC message in it if there is one."""

    status: int
    headers: httpx.Headers
    text: str
    seconds: float
    message: dict[str, Any] | None

    @property
    def result(self) -> dict[str, Any]:
        """The JSON-RPC result; empty when there is none."""
        result = (self.message or {}).get("result")
        return result if isinstance(result, dict) else {}

    @property
    def rpc_error(self) -> dict[str, Any]:
        """The JSON-RPC error; empty when there is none."""
        error = (self.message or {}).get("error")
        return error if isinstance(error, dict) else {}

    @property
    def ok(self) -> bool:
        """A tool call that succeeded."""
        return self.status == 200 and bool(self.result) and self.result.get("isError") is not True

    @property
    def data(self) -> Any:
        """What a successful tool returned: its structured content, or else its text as JSON."""
        structured = self.result.get("structuredContent")
        if structured is not None:
            return structured
        try:
            return json.loads(self.tool_text)
        except ValueError:
            return None

    @property
    def tool_text(self) -> str:
        """The text blocks of a tool's answer, joined."""
        content = self.result.get("content")
        blocks = content if isinstance(content, list) else []
        return "".join(b["text"] for b in blocks if isinstance(b, dict) and "text" in b)

    @property
    def tool_error(self) -> dict[str, Any]:
        """The error object of a tool that failed; empty when it did not fail."""
        if self.result.get("isError") is not True:
            return {}
        error = self.data.get("error") if isinstance(self.data, dict) else None
        return error if isinstance(error, dict) else {}

    @property
    def code(self) -> str:
        """The machine code of a tool error or a denial; empty when there is none."""
        found = self.tool_error.get("code")
        if found is None:
            data = self.rpc_error.get("data")
            found = data.get("code") if isinstance(data, dict) else None
        return found if isinstance(found, str) else ""

    @property
    def brief(self) -> str:
        """One line that says what came back."""
        if self.ok:
            return f"HTTP {self.status}, success: {_short(self.tool_text or self.text)}"
        if self.result.get("isError") is True:
            return f"HTTP {self.status}, tool error {self.code or 'without a code'}: " + _short(
                self.tool_text
            )
        if self.rpc_error:
            error = self.rpc_error
            return f"HTTP {self.status}, JSON-RPC error {error.get('code')}: " + _short(
                str(error.get("message", ""))
            )
        return f"HTTP {self.status}: {_short(self.text) or 'empty body'}"


def _short(text: str, limit: int = 160) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= limit else folded[: limit - 1] + "…"


@dataclass(frozen=True)
class Call:
    """One MCP request, ready to be sent: change a field, and one thing changes."""

    method: str
    params: dict[str, Any] = field(default_factory=dict)
    era: Era = Era.LEGACY
    token: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    session: str | None = None
    id: Any = field(default_factory=lambda: next(_ids))

    def body(self) -> bytes:
        """Return the JSON-RPC request."""
        params = dict(self.params)
        if self.era is Era.MODERN:
            params["_meta"] = {
                "io.modelcontextprotocol/protocolVersion": self.era.value,
                "io.modelcontextprotocol/clientCapabilities": {},
                "io.modelcontextprotocol/clientInfo": {"name": _NAME, "version": _VERSION},
            }
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": self.method, "params": params}
        if not self.method.startswith("notifications/"):
            message["id"] = self.id
        return json.dumps(message).encode()

    def header_list(self) -> list[tuple[str, str]]:
        """Return the headers in the order in which they are sent."""
        headers = [
            ("Content-Type", "application/json"),
            ("Accept", "application/json, text/event-stream"),
        ]
        if not any(name.lower() == "user-agent" for name, _ in self.headers):
            headers.append(("User-Agent", USER_AGENT))
        if self.method != "initialize":
            headers.append(("MCP-Protocol-Version", self.era.value))
        if self.era is Era.MODERN:
            headers.append(("Mcp-Method", self.method))
            if self.method == "tools/call":
                headers.append(("Mcp-Name", str(self.params.get("name", ""))))
        if self.session is not None:
            headers.append(("Mcp-Session-Id", self.session))
        if self.token is not None:
            headers.append(("Authorization", f"Bearer {self.token}"))
        return [*headers, *self.headers]


def agent_of(run: str) -> str:
    """Return the User-Agent of one run; its id is a comment (RFC 9110 §5.6.5)."""
    return f"{USER_AGENT} (run {run})"


def identified(headers: list[tuple[str, str]], run: str) -> list[tuple[str, str]]:
    """Return the headers of a request with the run's id in its User-Agent.

    The suite's own is added where there is none; one that a check chose is kept.
    """
    agent = agent_of(run)
    if not any(name.lower() == "user-agent" for name, _ in headers):
        return [*headers, ("User-Agent", agent)]
    return [(name, agent if value == USER_AGENT else value) for name, value in headers]


def tool_call(name: str, arguments: dict[str, Any] | None = None, **fields: Any) -> Call:
    """Return the call of one tool."""
    return Call("tools/call", {"name": name, "arguments": arguments or {}}, **fields)


def initialize() -> Call:
    """Return the handshake that opens a legacy conversation."""
    return Call(
        "initialize",
        {
            "protocolVersion": Era.LEGACY.value,
            "capabilities": {},
            "clientInfo": {"name": _NAME, "version": _VERSION},
        },
    )


def parse(response: httpx.Response, seconds: float) -> Reply:
    """Read an answer, whether it came as JSON or as a stream of server-sent events."""
    text = response.text
    message: dict[str, Any] | None = None
    if "text/event-stream" in response.headers.get("content-type", ""):
        messages = [m for m in map(_object, _sse_payloads(text)) if m is not None]
        answers = [m for m in messages if "result" in m or "error" in m]
        message = answers[-1] if answers else None
    else:
        message = _object(text)
    return Reply(response.status_code, response.headers, text, seconds, message)


def _sse_payloads(text: str) -> list[str]:
    """Return the data of each event (HTML standard, "server-sent events")."""
    events = text.replace("\r\n", "\n").split("\n\n")
    return [
        "\n".join(
            line.removeprefix("data:").removeprefix(" ")
            for line in event.split("\n")
            if line.startswith("data:")
        )
        for event in events
    ]


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _reason(error: BaseException) -> str:
    """Return the innermost text that names a cause: refused, unknown host, bad certificate."""
    found, cause = type(error).__name__, error.__cause__ or error.__context__
    for _ in range(10):  # chains are three or four long, and may be circular
        if cause is None:
            break
        if isinstance(cause, OSError) and cause.strerror:
            found = cause.strerror
        cause = cause.__cause__ or cause.__context__
    return found


def fault(error: httpx.HTTPError, seconds: float) -> NoAnswer | Unreachable:
    """Say what a failed exchange means: no answer in time is the target's failure."""
    what = f"{_reason(error)} after {seconds:.1f} s"
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return Unreachable(f"the target cannot be reached: {what}")
    return NoAnswer("an HTTP answer in time", f"none: {what}")
