"""Proxies that misjudge a request's protocol version, or its method in the era of 2026-07-28."""

from collections.abc import Callable
from typing import Any

from mcp.shared import inbound
from mcp_types.jsonrpc import UNSUPPORTED_PROTOCOL_VERSION
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.responses import JSONResponse, Response

from mutants.table import mutant
from support.patching import patch
from support.rewritten import Serve, answers, around_gate, header, parsed
from toolbridge_proxy import calls, edge

VERSION = b"mcp-protocol-version"
_MODERN = b"2026-07-28"
_KEY = "io.modelcontextprotocol/protocolVersion"
_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
_SERVED = {_MODERN, *(version.encode() for version in HANDSHAKE_PROTOCOL_VERSIONS)}


def seen_headers(change: Callable[[list[Any]], list[Any]]) -> None:
    """Let the edge and all behind it see other headers than were sent."""

    def make(original: Any) -> Any:
        async def call(self: edge.Edge, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                scope = {**scope, "headers": change(list(scope["headers"]))}
            await original(self, scope, receive, send)

        return call

    patch(edge.Edge, "__call__", make)


@mutant(
    "any-version",
    "an unknown MCP-Protocol-Version is served as an old one",
    rows="MCP-14",
    cause="transport-version-header",
)
def any_version() -> None:
    """The header is dropped."""
    seen_headers(lambda all_: [(n, v) for n, v in all_ if n != VERSION or v in _SERVED])


@mutant(
    "version-later-is-better",
    "of two versions in the header the last one counts",
    rows="MCP-14",
    cause="transport-version-header",
)
def last_version() -> None:
    """As a dict of headers would have it, with unknown ones left out."""

    def change(headers: list[Any]) -> list[Any]:
        versions = [value for name, value in headers if name == VERSION and value in _SERVED]
        if len([name for name, _ in headers if name == VERSION]) < 2:
            return headers
        rest = [pair for pair in headers if pair[0] != VERSION]
        return [*rest, *((VERSION, value) for value in versions[-1:])]

    seen_headers(change)


@mutant(
    "version-required-badly",
    "a request without MCP-Protocol-Version crashes",
    rows="MCP-15",
    cause="transport-version-header",
)
def version_missing() -> None:
    """A KeyError."""

    def make(original: Any) -> Any:
        async def serve(self: Any, message: Any, body: bytes, scope: Any, *rest: Any) -> None:
            if message.get("method") == "tools/call":
                dict(scope["headers"])[VERSION]
            await original(self, message, body, scope, *rest)

        return serve

    patch(calls.Calls, "serve", make)


def judged_by(change: Callable[[Any, dict[str, str]], tuple[Any, dict[str, str]]]) -> None:
    """Let tool calls of this era be judged by another body or other headers."""

    def make(original: Any) -> Any:
        def classify(body: Any, *, headers: Any) -> Any:
            body, headers = change(body, dict(headers))
            return original(body, headers=headers)

        return classify

    patch(calls, "classify_inbound_request", make)


def _with_meta(body: Any, **changes: Any) -> Any:
    meta = {**body["params"].get("_meta", {}), **changes}
    return {**body, "params": {**body["params"], "_meta": meta}}


@mutant(
    "meta-version-unread",
    "the version in _meta is not compared with the one in the header",
    rows="MCP-17",
    cause="transport-version-modern",
)
def meta_unread() -> None:
    """The header alone counts."""

    def change(body: Any, headers: dict[str, str]) -> Any:
        return _with_meta(body, **{_KEY: headers[VERSION.decode()]}), headers

    judged_by(change)


@mutant(
    "meta-optional",
    "clientCapabilities may be left out of _meta",
    rows="MCP-17",
    cause="transport-version-modern",
)
def meta_optional() -> None:
    """None are assumed."""
    judged_by(lambda body, headers: (_with_meta(body, **{_CAPABILITIES: {}}), headers))


@mutant(
    "unsupported-says-nothing",
    "the refusal of a version does not say which ones are served",
    rows="MCP-14",
    cause="transport-version-modern",
)
def unsupported_without_list() -> None:
    """Its data is left out."""

    def refuse(requested: str, *_: Any) -> Any:
        if requested == _MODERN.decode():
            return None
        code = UNSUPPORTED_PROTOCOL_VERSION
        return inbound.InboundLadderRejection(code=code, message="Unsupported protocol version")

    patch(inbound, "unsupported_protocol_version_rejection", lambda _: refuse)


def _is_modern(scope: Any) -> bool:
    return header(scope, VERSION) == _MODERN


@mutant(
    "method-unknown-200",
    "in the era of 2026-07-28 an unknown method is answered with 200",
    rows="MCP-09",
    cause="transport-method-modern",
)
def unknown_method_200() -> None:
    """As in the older era."""

    def rewrite(_: Any, scope: Any, answer: Response) -> Response:
        if _is_modern(scope) and answer.status_code == 404:
            answer.status_code = 200
        return answer

    answers(rewrite)


@mutant(
    "method-unknown-empty",
    "an unknown method gets an empty result",
    rows="MCP-09",
    cause="transport-unknown",
)
def unknown_method_empty() -> None:
    """In both eras."""

    def rewrite(message: Any, _: Any, answer: Response) -> Response:
        if b'"code":-32601' not in bytes(answer.body):
            return answer
        return JSONResponse({"jsonrpc": "2.0", "id": message["id"], "result": {}})

    answers(rewrite)


@mutant(
    "discover-promises",
    "server/discover lists a version that is not served",
    rows="MCP-18",
    cause="transport-discover",
)
def discover_promises() -> None:
    """The next one."""

    def rewrite(message: Any, _: Any, answer: Response) -> Response:
        if not isinstance(message, dict) or message.get("method") != "server/discover":
            return answer
        said = parsed(bytes(answer.body))
        if isinstance(said, dict) and "result" in said:
            said["result"]["supportedVersions"].append("2027-01-01")
        return JSONResponse(said, answer.status_code)

    answers(rewrite)


@mutant(
    "discover-first",
    "in the era of 2026-07-28 a connection must begin with server/discover",
    rows="MCP-37",
    cause="transport-modern-stateless",
)
def discover_first() -> None:
    """A handshake again, kept with the connection."""
    known = set()

    async def serve(proper: Serve, scope: Any, body: bytes) -> Response:
        peer, message = tuple(scope["client"]), parsed(body)
        if isinstance(message, dict) and message.get("method") == "server/discover":
            known.add(peer)
        if not _is_modern(scope) or peer in known or not isinstance(message, dict):
            return await proper(scope, body)
        error = {"code": -32600, "message": "server/discover first"}
        return JSONResponse({"jsonrpc": "2.0", "id": message.get("id"), "error": error}, 400)

    around_gate(serve)
