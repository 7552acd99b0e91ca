"""Proxies that misread the headers of the era of 2026-07-28."""

from typing import Any

import h11._events
from mcp.shared import inbound
from mcp_types.jsonrpc import INVALID_REQUEST

from mutants.bugs_protocol_eras import judged_by, seen_headers
from mutants.table import mutant
from support.patching import patch


@mutant(
    "header-missing-passes",
    "Mcp-Method and Mcp-Name are compared only where they are there",
    rows="MCP-16",
    cause="transport-header-missing",
)
def missing_passes() -> None:
    """What is not there cannot contradict."""

    def change(body: Any, headers: dict[str, str]) -> Any:
        absent = {"mcp-method": body.get("method"), "mcp-name": body["params"].get("name")}
        return body, {**absent, **headers}

    judged_by(change)


@mutant(
    "first-header-wins",
    "of two headers Mcp-Name or Mcp-Method the first one counts",
    rows="MCP-16",
    cause="transport-header-missing",
)
def first_header() -> None:
    """A gateway may read the other one."""

    def change(headers: list[Any]) -> list[Any]:
        first = {name: value for name, value in reversed(headers) if name.startswith(b"mcp-")}
        return [pair for pair in headers if pair[0] not in first] + list(first.items())

    seen_headers(change)


@mutant(
    "mismatch-as-invalid",
    "headers unlike the body are refused as an invalid request",
    rows="MCP-16",
    cause="transport-header-body",
)
def mismatch_code() -> None:
    """-32600, from which no client learns that its headers are wrong."""
    patch(inbound, "HEADER_MISMATCH", lambda _: INVALID_REQUEST)


@mutant(
    "base64-as-text",
    "Mcp-Name is compared without being decoded",
    rows="MCP-16",
    cause="transport-header-spelling",
)
def base64_as_text() -> None:
    """=?base64?…?= is no tool's name."""
    patch(inbound, "decode_header_value", lambda _: lambda value: value)


@mutant(
    "base64-unread",
    "whatever is in Base64 counts as the right name",
    rows="MCP-16",
    cause="transport-header-spelling",
)
def base64_unread() -> None:
    """Taken for an encoding of what is in the body."""

    def change(body: Any, headers: dict[str, str]) -> Any:
        if headers.get("mcp-name", "").startswith("=?base64?"):
            headers["mcp-name"] = body["params"]["name"]
        return body, headers

    judged_by(change)


@mutant(
    "header-names-as-sent",
    "Mcp-Method and Mcp-Name count only in that spelling",
    rows="MCP-16",
    cause="transport-header-spelling",
)
def names_as_sent() -> None:
    """HTTP/2 would never get through."""

    def make(original: Any) -> Any:
        def normalize(headers: Any, _parsed: bool = False) -> Any:
            pairs = [(bytes(name), value) for name, value in headers]
            known = [p for p in pairs if not _misspelled(p[0])]
            return original(known, _parsed=_parsed)

        return normalize

    patch(h11._events, "normalize_and_validate", make)


def _misspelled(name: bytes) -> bool:
    right = (b"Mcp-Method", b"Mcp-Name")
    return name.title() in right and name not in right
