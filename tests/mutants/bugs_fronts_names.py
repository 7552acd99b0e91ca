"""Proxies that take somebody else's name for their own, or let the edge's headers steer them."""

import time
from email.utils import formatdate
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from mutants.bugs_protocol_wire import slash_redirect
from mutants.table import mutant
from support.patching import patch
from toolbridge_proxy import __main__ as entry
from toolbridge_proxy import edge, gate
from toolbridge_proxy.settings import Settings


@mutant(
    "M-P02",
    "an Origin that names the request's own Host is taken for the proxy's page",
    rows="MCP-20",
    cause="transport-rebinding",
)
def same_origin() -> None:
    """Both names are the attacker's."""

    def make(original: Any) -> Any:
        def foreign(self: edge.Edge, host: str, origin: str | None) -> Response | None:
            if origin is not None and origin.partition("://")[2] == host:
                return None
            refusal: Response | None = original(self, host, origin)
            return refusal

        return foreign

    patch(edge.Edge, "_foreign", make)


@mutant("M-P11", "any Host is served", rows="MCP-20", cause="transport-host")
def any_host() -> None:
    """Public URL and allowed hosts are not looked at."""

    def make(original: Any) -> Any:
        def init(self: edge.Edge, application: Any, settings: Settings) -> None:
            original(self, application, settings)
            self._hosts = frozenset()

        return init

    patch(edge.Edge, "__init__", make)


@mutant(
    "host-by-suffix",
    "a Host that ends with the public name is served",
    rows="MCP-20",
    cause="transport-host",
)
def host_by_suffix() -> None:
    """A subdomain that somebody else may own."""

    def make(original: Any) -> Any:
        def foreign(self: edge.Edge, host: str, origin: str | None) -> Response | None:
            own = next((name for name in self._hosts if host.endswith(name)), host)
            refusal: Response | None = original(self, own, origin)
            return refusal

        return foreign

    patch(edge.Edge, "_foreign", make)


def _origins(accepted: Any) -> None:
    def make(original: Any) -> Any:
        def foreign(self: edge.Edge, host: str, origin: str | None) -> Response | None:
            if origin and any(accepted(listed, origin) for listed in self._origins):
                origin = None
            refusal: Response | None = original(self, host, origin)
            return refusal

        return foreign

    patch(edge.Edge, "_foreign", make)


@mutant(
    "M-P01",
    "an Origin that contains a listed one is served",
    rows="MCP-19",
    cause="transport-origin-listed",
)
def origin_by_substring() -> None:
    """The name of a listed page within somebody else's."""
    _origins(lambda listed, origin: listed in origin)


@mutant(
    "origin-host-alone",
    "of an Origin only the host is compared",
    rows="MCP-19",
    cause="transport-origin-listed",
)
def origin_host_alone() -> None:
    """Neither scheme nor port."""
    _origins(lambda listed, origin: urlsplit(origin).hostname == urlsplit(listed).hostname)


@mutant(
    "slash-to-plain-http",
    "behind its public URL, a trailing slash is redirected to plain http",
    rows="MCP-25",
    cause="transport-slash-edge",
)
def slash_to_plain_http() -> None:
    """Built from the scheme that the edge speaks to the proxy."""

    def make(original: Any) -> Any:
        def create(settings: Settings, metrics: Any) -> Any:
            if settings.public_url:
                slash_redirect()
            return original(settings, metrics)

        return create

    patch(entry, "create_app", make)


@mutant(
    "forwarded-host-in-challenge",
    "the challenge leads to whatever host X-Forwarded-Host names",
    rows="DEP-10",
    cause="isolation-forwarding",
)
def forwarded_host() -> None:
    """resource_metadata as the caller wants it."""

    def make(original: Any) -> Any:
        def denial(self: Any, denied: Any, message: Any, scope: Any) -> Response:
            response: Response = original(self, denied, message, scope)
            host = dict(scope["headers"]).get(b"x-forwarded-host", b"").decode("latin-1")
            public = urlsplit(self._settings.public_url or "").netloc
            shown = response.headers.get("www-authenticate")
            if host and public and shown:
                response.headers["www-authenticate"] = shown.replace(public, host)
            return response

        return denial

    patch(gate.Gate, "_denial", make)


@mutant(
    "method-override",
    "X-HTTP-Method-Override replaces the method",
    rows="DEP-10",
    cause="isolation-forwarding",
)
def method_override() -> None:
    """As frameworks for old browsers do."""

    def make(original: Any) -> Any:
        async def call(self: edge.Edge, scope: Any, receive: Any, send: Any) -> None:
            wanted = dict(scope.get("headers", ())).get(b"x-http-method-override", b"")
            if wanted in (b"GET", b"PUT", b"PATCH", b"DELETE"):
                scope["method"] = wanted.decode()
            await original(self, scope, receive, send)

        return call

    patch(edge.Edge, "__call__", make)


@mutant(
    "clock-adrift", "the machine's Date is five minutes old", rows="DEP-13", cause="transport-clock"
)
def clock_adrift() -> None:
    """As after a suspension."""

    def make(original: Any) -> Any:
        async def tick(self: Any, counter: int) -> bool:
            ended: bool = await original(self, counter)
            date = formatdate(time.time() - 300, usegmt=True).encode()
            rest = [pair for pair in self.server_state.default_headers if pair[0] != b"date"]
            self.server_state.default_headers = [(b"date", date), *rest]
            return ended

        return tick

    patch(entry.Server, "on_tick", make)
