"""The target of a run, and what is known of it: shared by all checks."""

import secrets
from dataclasses import dataclass, field

import httpx
from aiolimiter import AsyncLimiter

from toolbridge_contract.control import MockControl
from toolbridge_harness.courtesy import Courtesy
from toolbridge_harness.model import Capability, Vantage
from toolbridge_harness.processes import Process
from toolbridge_harness.redact import Redactor
from toolbridge_harness.stack import Stack
from toolbridge_harness.tokens import TokenSource
from toolbridge_harness.wire import Era


@dataclass
class Deployment:
    """What all checks of a run share."""

    origin: str
    mcp_path: str
    tenant: str
    tokens: TokenSource
    vantages: frozenset[Vantage]
    http: httpx.AsyncClient
    redactor: Redactor
    pace: AsyncLimiter | None = None
    """Bounds the requests per second to a live deployment."""
    mock: MockControl | None = None
    process: Process | None = None
    mock_process: Process | None = None
    mock_address: str = ""
    """Host and port of the mock, which only the proxy needs to know."""
    tenant_secret: str = ""
    upstream_deadline: float = 25.0
    """Seconds that the proxy gives one tool call, where the harness sets it."""
    eras: frozenset[Era] = frozenset(Era)
    """The protocol eras that the target speaks."""
    lacks: frozenset[Capability] = frozenset()
    """What the target does without, as its owner declares."""
    stateful: bool = False
    """The target mints MCP session ids, so every caller needs a handshake of its own."""
    run_id: str = field(default_factory=lambda: secrets.token_hex(4))
    callers: dict[str, str] = field(default_factory=dict)
    """Marker of every caller of this run, by `sub`."""
    courtesy: Courtesy = field(default_factory=Courtesy)
    stack: Stack | None = None
    """What the harness runs itself, and can run again with other settings."""
